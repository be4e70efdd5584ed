package config

import (
	"net"
	"net/netip"
	"strconv"
)

// check adds the faults that one value's text alone does not show.
func (c *Loaded) check(faults *Faults) {
	at := map[string]origin{}
	for _, f := range c.fields {
		at[f.key] = f.from
	}
	complain := func(key, format string, args ...any) { faults.add(at[key], key, format, args...) }

	port := c.checkListen(complain)
	if c.Cert != "" && c.Key == "" {
		complain("cert", "needs key, the file with its private key")
	}
	if c.Key != "" && c.Cert == "" {
		complain("key", "needs cert, the file with its certificate")
	}
	if c.Data == "" {
		complain("data", "no home directory is known; say where to keep data")
	}
	for _, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			complain("trusted_proxies", "%s trusts everybody; name the proxies", p)
		}
	}
	if c.Rooms.Topology == "hub" && !c.Hub.On() {
		complain("rooms.topology", "hub needs hub.media: on")
	}
	if p := c.Relay.Ports; !p.Off() && port >= p.First && port <= p.Last {
		complain("relay.ports", "holds port %d, on which Parley itself listens", port)
	}
}

// checkListen returns the port, 0 when there is none.
func (c *Loaded) checkListen(complain func(string, string, ...any)) uint16 {
	host, portText, err := net.SplitHostPort(c.Listen)
	if err != nil {
		if _, err := strconv.ParseUint(c.Listen, 10, 16); err == nil {
			complain("listen", "%q has no colon; write :%s", c.Listen, c.Listen)
		} else {
			complain("listen", "%q is not HOST:PORT or :PORT", c.Listen)
		}
		return 0
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		complain("listen", "%q is not a port from 0 to 65535", portText)
		return 0
	}
	if host != "" && host != "localhost" {
		if _, err := netip.ParseAddr(host); err != nil {
			complain("listen", "%q is not an IP address; leave the host empty to listen on all", host)
		}
	}
	return uint16(port)
}

// Package config reads Parley's configuration: command-line flags over PARLEY_… environment variables over parley.yaml
// over defaults. It is strict: an unknown key or a bad value is a [Fault] that names its place, and all faults are told
// at once. The doc tags below are the manual; docs/config.md and the help of the flags are made from them.
//
// No key holds a secret, so the effective configuration can be printed whole: secrets live in files of the data
// directory and in the files that key and acme.roots name.
package config

import (
	"net/netip"
	"time"
)

//go:generate go run ../../tools/configdoc -o ../../docs/config.md

// Config is the whole configuration. Get one from [Load]; its values are then complete and valid.
//
// Tags: key is the name in parley.yaml, default the text of the value when nobody sets the key, min and max bound
// numbers and durations, oneof lists the words that are allowed, is names the form of a text (see notForm), doc is the manual.
type Config struct {
	Listen         string         `key:"listen" doc:"Address of the one TCP port and the one UDP port, as HOST:PORT or :PORT. Port 0 takes any free one. The default is :443 with a domain, :8443 without."`
	Domain         string         `key:"domain" is:"domain" doc:"Name of this server in the DNS. Its certificate is fetched and renewed by itself (ACME, answered on the TCP port, which the Internet must reach as 443). With a domain, only people with a host link make rooms."`
	Cert           string         `key:"cert" doc:"File with your own certificate and its chain, in PEM. Read again when it changes. Together with key."`
	Key            string         `key:"key" doc:"File with the private key of cert, in PEM."`
	PublicAddress  PublicAddress  `key:"public_address" default:"auto" doc:"Addresses at which the Internet reaches this server, as IP or IP,IP6. auto takes the addresses of the domain, else those of the network interfaces, public ones before private ones."`
	Data           string         `key:"data" doc:"Directory for what must survive a restart: keys, certificates, the first room's name, who sits where, chat history, call records. Made with mode 0700. The default is /var/lib/parley for root, else $XDG_DATA_HOME/parley or ~/.local/share/parley."`
	TrustedProxies []netip.Prefix `key:"trusted_proxies" doc:"Addresses of reverse proxies, as IP or CIDR. They may speak plain HTTP, and their Forwarded or X-Forwarded-* headers say who the client is."`
	Origins        []string       `key:"origins" is:"origin" doc:"Other sites whose pages may open calls here, as https://HOST or https://HOST:PORT."`
	Relay          Relay          `key:"relay"`
	Rooms          Rooms          `key:"rooms"`
	Hub            Hub            `key:"hub"`
	WHIP           WHIP           `key:"whip"`
	History        History        `key:"history"`
	Calls          Calls          `key:"calls"`
	ACME           ACME           `key:"acme"`
	Log            Log            `key:"log"`
}

// Relay configures TURN.
type Relay struct {
	Ports      Ports          `key:"ports" default:"off" doc:"UDP ports for relayed addresses, as FIRST-LAST. off hands what is relayed between people here over in memory, which needs no port; a range is for peers that are not Parley's and for pairs of which only one side is relayed."`
	AllowPeers []netip.Prefix `key:"allow_peers" doc:"Special-purpose addresses (private, shared, documentation and so on) that the relay may send to all the same, as IP or CIDR."`
	DenyPeers  []netip.Prefix `key:"deny_peers" doc:"Further addresses that the relay must not send to, as IP or CIDR. Wins over relay.allow_peers."`
	PerSession int            `key:"per_session" default:"128" min:"1" max:"1000" doc:"How many relayed addresses one person's client may hold at once."`
	PerPrefix  int            `key:"per_prefix" default:"512" min:"1" max:"1000000" doc:"How many relayed addresses the clients at one address (IPv6: in one /64) may hold at once."`
}

// Rooms configures rooms.
type Rooms struct {
	Seats      int           `key:"seats" default:"50" min:"1" max:"1000" doc:"How many people may be in a room, listeners counted. Where this server forwards no media, two."`
	PerAddress int           `key:"per_address" default:"32" min:"1" max:"1000000" doc:"How many rooms that still exist one address (IPv6: one /64) may have made."`
	Topology   string        `key:"topology" default:"auto" oneof:"auto direct hub" doc:"Which way the media of a room take when its host says nothing about it. auto: from one to the other between two, through this server for more; direct: never through this server, so two people at most; hub: always through it."`
	Grace      time.Duration `key:"grace" default:"10m" min:"10s" max:"24h" doc:"How long the seat of a person who lost the network is kept, and for how long their session can resume."`
}

// Hub configures the forwarding of media, which calls of three and more need.
type Hub struct {
	Media         string `key:"media" default:"on" oneof:"on off" doc:"Whether this server forwards media. off leaves calls of two, from one to the other."`
	MaxTransports int    `key:"max_transports" default:"10000" min:"2" max:"1000000" doc:"How many people's media the server carries at once; two for a moment where somebody changes over to a new connection."`
	Upload        int    `key:"upload" default:"16" min:"1" max:"1000" doc:"How many Mbit/s one person may send to the others through this server; what is more is dropped."`
}

// On reports whether media are forwarded.
func (h *Hub) On() bool { return h.Media != "off" }

// WHIP configures the doors for encoders (WHIP) and players (WHEP).
type WHIP struct {
	PerAddress int `key:"per_address" default:"100" min:"1" max:"100000" doc:"How many encoders and players one address (IPv6: one /64) may have at once, and how many it may start in a minute."`
	Players    int `key:"players" default:"1000" min:"1" max:"100000" doc:"How many players may watch one room."`
}

// Calls configures the records of calls.
type Calls struct {
	Keep      time.Duration `key:"keep" default:"720h" min:"1h" max:"8760h" doc:"How long the record of a call is kept after its end."`
	Most      int           `key:"most" default:"2000" min:"1" max:"100000" doc:"How many records are kept at most; the oldest go first."`
	Addresses string        `key:"addresses" default:"prefix" oneof:"full prefix none" doc:"How much of people's network addresses the records keep: full addresses, the network's prefix only (24 bits of IPv4, 48 of IPv6), or none. What is not kept is never written down."`
}

// History configures what is kept of what people write to each other.
type History struct {
	Policy   string `key:"policy" default:"session" oneof:"none session forever" doc:"What is kept of a room's chat when its host says nothing about it: none; session, until the last person has left; or forever, for whoever is in the room the next time. Hosts choose for their room."`
	Messages int    `key:"messages" default:"10000" min:"1" max:"1000000" doc:"How many messages of one room are kept; the oldest go first."`
	Size     int    `key:"size" default:"16" min:"1" max:"1024" doc:"How many MiB of messages of one room are kept; the oldest go first."`
}

// ACME configures how the certificate of the domain is got.
type ACME struct {
	Directory string `key:"directory" default:"https://acme-v02.api.letsencrypt.org/directory" is:"url" doc:"Address of the certificate authority's ACME directory."`
	Email     string `key:"email" is:"email" doc:"Address to which the certificate authority may write about your certificate."`
	Roots     string `key:"roots" doc:"File with the root certificates, in PEM, by which the ACME directory itself is trusted, for an authority of your own. Empty: those of the system."`
}

// Log configures the log, which goes to standard error.
type Log struct {
	Level  string `key:"level" default:"info" oneof:"debug info warn error" doc:"The least important messages that are logged."`
	Format string `key:"format" default:"text" oneof:"text json" doc:"Form of a message: text for people, json for programs."`
}

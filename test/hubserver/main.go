// Command hubserver is for the tests with real browsers: it serves an empty page on the loopback interface and answers offers with
// transports of test/hub on another address of this machine, which give each client its own media and messages back.
//
//	POST /offer?client=N  an offer; the answer's header Client says which client it was. Without N it is a new one.
//	GET  /report?client=N what is known of it
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/test/hub"
)

func main() {
	h, err := hub.New(dtlsserver.Config{}, own())
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// What starts us reads where we are.
	_, _ = fmt.Fprintf(os.Stdout, "http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, &door{hub: h}))
}

type door struct {
	hub     *hub.Hub
	mu      sync.Mutex
	clients []*hub.Client
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := strconv.Atoi(r.URL.Query().Get("client"))
	known := err == nil && n >= 0 && n < len(d.clients)
	switch {
	case r.URL.Path == "/offer" && r.Method == http.MethodPost:
		offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var c *hub.Client
		if known {
			c = d.clients[n]
		}
		answer, c, err := d.hub.Offer(string(offer), c)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !known {
			n = len(d.clients)
			d.clients = append(d.clients, c)
		}
		w.Header().Set("Client", strconv.Itoa(n))
		_, _ = io.WriteString(w, answer)
	case r.URL.Path == "/report" && known:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(d.hub.Report(d.clients[n]))
	case r.URL.Path == "/":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>hub</title>")
	default:
		http.NotFound(w, r)
	}
}

// own is an address of this machine that is not its loopback, for which Firefox has no candidate; else the loopback's.
func own() netip.Addr {
	addresses, _ := net.InterfaceAddrs()
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			return p.Addr()
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

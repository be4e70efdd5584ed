module github.com/parley-rtc/parley

go 1.26.8

require (
	github.com/coder/websocket v1.8.15
	github.com/pion/dtls/v3 v3.1.9
	github.com/pion/logging v0.2.4
	github.com/pion/randutil v0.1.0
	github.com/pion/stun/v4 v4.0.1
	github.com/pion/transport/v4 v4.1.0
	github.com/pion/transport/v5 v5.0.0
	github.com/pion/turn/v5 v5.1.1
	github.com/wlynxg/anet v0.0.5
	go.uber.org/goleak v1.3.0
	golang.org/x/crypto v0.58.0
	golang.org/x/net v0.62.0
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/time v0.16.0
)

// Command rtprecord records what a real Chromium puts on the wire, decrypted, for the tests of internal/rtp:
//
//	go run ./test/rtprecord [-chromium /usr/bin/chromium] [-only vp9] internal/rtp/testdata
//
// It serves a page on the loopback interface, opens it in Chromium with made-up devices, answers its offer and writes every RTP
// and RTCP packet that comes to one file for each of the cases below. Payloads are cut: their beginnings are what counts.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// page makes the offer.
//
//go:embed page.html
var page []byte

// scene is one recording.
type scene struct {
	Name string `json:"name"`
	// Codec is the one to be sent; "red" is sound.
	Codec string `json:"codec"`
	// Encodings are the layers, as RTCRtpEncodingParameters.
	Encodings []encoding `json:"encodings"`
	// Bare leaves the dependency descriptor out of the offer. Chromium's VP8 descriptor has one byte and nothing about pictures and
	// layers where a dependency descriptor tells them.
	Bare bool `json:"bare"`
	// echo says that the first stream is sent back, with holes, so that Chromium has to give feedback.
	echo bool
}

type encoding struct {
	RID         string  `json:"rid,omitempty"`
	Mode        string  `json:"scalabilityMode,omitempty"`
	MaxBitrate  int     `json:"maxBitrate,omitempty"`
	ScaleDownBy float64 `json:"scaleResolutionDownBy,omitempty"`
}

var scenes = []scene{
	{Name: "vp8-simulcast", Codec: "video/VP8", echo: true, Encodings: []encoding{
		{"q", "L1T3", 40_000, 4},
		{"h", "L1T3", 80_000, 2},
		{"f", "L1T3", 160_000, 1},
	}},
	{Name: "vp8-bare", Codec: "video/VP8", Bare: true, Encodings: []encoding{
		{"q", "L1T3", 40_000, 4},
		{"f", "L1T3", 160_000, 1},
	}},
	{Name: "vp9-l3t3_key", Codec: "video/VP9", Encodings: []encoding{{Mode: "L3T3_KEY", MaxBitrate: 1_000_000}}},
	{Name: "av1-l3t3_key", Codec: "video/AV1", Encodings: []encoding{{Mode: "L3T3_KEY", MaxBitrate: 1_000_000}}},
	{Name: "av1-l1t1", Codec: "video/AV1", Encodings: []encoding{{Mode: "L1T1", MaxBitrate: 200_000}}},
	{Name: "h264", Codec: "video/H264", Encodings: []encoding{{MaxBitrate: 200_000}}},
	{Name: "opus-red", Codec: "audio/red", Encodings: []encoding{{}}},
}

func main() {
	chromium := flag.String("chromium", "/usr/bin/chromium", "the browser")
	only := flag.String("only", "", "record only the cases whose names contain this")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("rtprecord: name the folder to write to")
	}
	for _, s := range scenes {
		if !strings.Contains(s.Name, *only) {
			continue
		}
		if err := record(s, *chromium, flag.Arg(0)); err != nil {
			log.Fatalf("rtprecord: %s: %v", s.Name, err)
		}
	}
}

// record makes one recording.
func record(s scene, chromium, folder string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tape := &tape{}
	peer, err := newPeer(s, tape)
	if err != nil {
		return err
	}
	defer peer.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	server := &http.Server{Handler: routes(s, peer, tape, done), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	home, err := os.MkdirTemp("", "rtprecord")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	browser := exec.CommandContext(ctx, chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--user-data-dir="+home,
		"--use-fake-device-for-media-stream=fps=15", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection",
		"http://"+listener.Addr().String()+"/")
	if err := browser.Start(); err != nil {
		return err
	}
	defer func() {
		_ = browser.Process.Signal(os.Interrupt)
		_ = browser.Wait()
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	return tape.save(filepath.Join(folder, s.Name+".rtp"))
}

// routes is what the page asks for.
func routes(s scene, peer *peer, tape *tape, done chan<- error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET /scene", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s) })
	mux.HandleFunc("POST /offer", func(w http.ResponseWriter, r *http.Request) {
		var offer struct{ SDP string }
		if err := json.NewDecoder(r.Body).Decode(&offer); err != nil {
			done <- err
			return
		}
		answer, err := peer.answer(offer.SDP)
		if err != nil {
			done <- err
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"sdp": answer})
	})
	mux.HandleFunc("POST /key", func(http.ResponseWriter, *http.Request) { peer.askForKeyFrames() })
	mux.HandleFunc("POST /done", func(_ http.ResponseWriter, r *http.Request) {
		done <- tape.stop(json.NewDecoder(r.Body))
	})
	mux.HandleFunc("POST /fault", func(_ http.ResponseWriter, r *http.Request) {
		var text string
		_ = json.NewDecoder(r.Body).Decode(&text)
		done <- fmt.Errorf("the page: %s", text)
	})
	return mux
}

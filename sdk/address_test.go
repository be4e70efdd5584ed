package parley

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct {
		link string
		want address
		err  string
	}{
		{link: "https://call.example.org/r/tea", want: address{socket: "wss://call.example.org/ws", host: "call.example.org", room: "tea"}},
		{link: " call.example.org:8443/r/tea/\n", want: address{socket: "wss://call.example.org:8443/ws", host: "call.example.org", room: "tea"}},
		{link: "http://localhost:8443/r/t-1#host=s3&other=k", want: address{socket: "ws://localhost:8443/ws", host: "localhost", room: "t-1", secret: "s3", local: true}},
		{link: "https://[::1]:8443/r/a", want: address{socket: "wss://[::1]:8443/ws", host: "::1", room: "a", local: true}},
		{link: "https://127.0.0.9/r/a", want: address{socket: "wss://127.0.0.9/ws", host: "127.0.0.9", room: "a", local: true}},
		{link: "https://192.0.2.1/r/a#other=k", want: address{socket: "wss://192.0.2.1/ws", host: "192.0.2.1", room: "a"}},
		{link: "https://192.0.2.1/r/a#key=secret", err: "end-to-end encrypted"},
		{link: "https://192.0.2.1/r/a#host=secret&key=secret", err: "copy the whole link again"},
		{link: "https://192.0.2.1/r/a#host=s3&key=AAECAwQFBgcICQoLDA0ODw", want: address{socket: "wss://192.0.2.1/ws", host: "192.0.2.1", room: "a", secret: "s3", key: "AAECAwQFBgcICQoLDA0ODw"}},
		{link: "https://call.example.org/", err: "looks like"},
		{link: "https://call.example.org/r/", err: "looks like"},
		{link: "https://call.example.org/r/a/b", err: "looks like"},
		{link: "https://call.example.org/r/a%2fb", err: "looks like"},
		{link: "https:///r/a", err: "looks like"},
		{link: "", err: "looks like"},
		{link: "ftp://call.example.org/r/a", err: "ftp"},
		{link: "https://call.example.org:x/r/a#host=secret", err: "port"},
		{link: "https://call.example.org/r/a#host=secret;%zz", err: "copy the link again"},
	} {
		got, err := parseAddress(tt.link)
		if tt.err == "" && (err != nil || got != tt.want) {
			t.Errorf("%q: %+v, %v", tt.link, got, err)
		}
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q: error %v, want one with %q", tt.link, err, tt.err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the secret: %v", tt.link, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("https://call.example.org/r/tea#host=abc")
	f.Add("[::1]:8443/r/a")
	f.Fuzz(func(t *testing.T, link string) {
		a, err := parseAddress(link)
		if err != nil {
			return
		}
		if a.room == "" || a.host == "" || strings.ContainsAny(a.room, "/#%") || !strings.HasSuffix(a.socket, "/ws") {
			t.Errorf("%q gives %+v", link, a)
		}
		if strings.Contains(a.socket, "#") {
			t.Errorf("%q: the fragment goes to the server: %+v", link, a)
		}
	})
}

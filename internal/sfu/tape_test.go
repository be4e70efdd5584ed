package sfu

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
)

// tape is a recording of a real Chromium; test/rtprecord says what the format is.
type tape struct {
	section Section
	packets [][]byte
}

func play(tb testing.TB, name string) *tape {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "rtp", "testdata", name+".rtp"))
	if err != nil {
		tb.Fatal(err)
	}
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	var head struct {
		Extensions map[string]string
		Codecs     map[string]string
		Streams    []struct {
			SSRC uint32
			RID  string
		}
	}
	if err := json.Unmarshal(line, &head); err != nil {
		tb.Fatal(err)
	}
	t := &tape{section: Section{MID: "0", Kind: Video, Publishes: true, Mixed: true, ReducedSize: true}}
	for id, uri := range head.Extensions {
		n, _ := strconv.Atoi(id)
		t.section.Extensions[n] = rtp.KindOf(uri)
	}
	formats := map[string]Codec{}
	for _, c := range append(codecs(Video), codecs(Audio)...) {
		formats[strings.ToUpper(c.Format)] = c
	}
	formats["RED"] = Codec{Format: "red", Codec: rtp.RED, Clock: 48000}
	var repairs uint8
	for id, text := range head.Codecs {
		n, _ := strconv.Atoi(id)
		name, _, _ := strings.Cut(text, "/")
		if c, ok := formats[strings.ToUpper(name)]; ok {
			c.PayloadType, c.RTX = uint8(n), 0
			t.section.Codecs = append(t.section.Codecs, c)
		} else if name == "rtx" {
			repairs = uint8(n)
		}
	}
	if repairs != 0 {
		t.section.Codecs[0].RTX = repairs
	} else {
		t.section.Kind = Audio
	}
	for _, s := range head.Streams {
		t.section.Encodings = append(t.section.Encodings, Encoding{RID: s.RID, SSRC: s.SSRC})
	}
	for len(rest) > 0 {
		n, size := int(binary.BigEndian.Uint16(rest[1:])), int(binary.BigEndian.Uint16(rest[3:]))
		pkt := make([]byte, size)
		copy(pkt, rest[5:5+n])
		if rest[0] == 'R' {
			t.packets = append(t.packets, pkt)
		}
		rest = rest[5+n:]
	}
	return t
}

// What a real encoder makes can be decoded by everybody, whatever layers each of them wants from moment to moment, and in
// whatever order it comes.
func TestRecorded(t *testing.T) {
	for _, name := range []string{"vp8-simulcast", "vp8-bare", "vp9-l3t3_key", "av1-l3t3_key", "av1-l1t1", "h264"} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) { playTo(t, play(t, name), seed) })
		}
	}
}

func playTo(t *testing.T, tape *tape, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	r := NewRoom(epoch, Config{Seed: seed})
	r.cfg.Bandwidth.Start = 10_000_000
	now := epoch
	alice := r.Enter(now, "alice", newWire(t))
	alice.Agree(now, []Section{tape.section}, []Track{{"0", "camera"}})
	var ways []*wire
	var persons []*Person
	for i := range 4 {
		w := newWire(t)
		p := r.Enter(now, fmt.Sprint(i), w)
		place := receiving("5", Video, 7000)
		place.Extensions[idNumber] = rtp.NoKind // nothing here estimates
		p.Agree(now, []Section{place}, nil)
		p.Show(now, []Want{{MID: "5", Seat: "alice", Source: "camera", Width: 240 << (i % 3)}})
		ways, persons = append(ways, w), append(persons, p)
	}
	packets := tape.packets
	if seed%2 == 1 {
		for i := 1; i < len(packets); i++ { // some change places with the next
			if rnd.IntN(10) == 0 {
				packets[i], packets[i-1] = packets[i-1], packets[i]
			}
		}
	}
	for i, pkt := range packets {
		give(t, alice, now, pkt)
		pass(r, &now, 4*time.Millisecond)
		if i%40 == 39 {
			p := persons[rnd.IntN(len(persons))]
			for _, pl := range p.down.places { // as when the downlink changes
				ladder := pl.source.ladder(nil, r.t, false)
				pl.choose(r.t, ladder[rnd.IntN(len(ladder))])
				p.down.plan.at = r.t + second
			}
		}
	}
	pass(r, &now, 300*time.Millisecond)
	for i, w := range ways {
		c := newChecker(t)
		for _, pkt := range w.rtp {
			c.take(pkt)
		}
		c.finish(10)
		t.Logf("receiver %d: %d packets, %+v", i, len(w.rtp), persons[i].Stats().Places)
	}
}

package sfu_test

import (
	"fmt"
	"time"

	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// printer is a way out that prints.
type printer struct{ buf [1500]byte }

func (p *printer) Next() []byte { return p.buf[:] }

func (p *printer) SendRTP(_, n int, _ uint32) bool {
	h, err := rtp.Parse(p.buf[:n])
	fmt.Println("sound from source", h.SSRC, "with payload type", h.PayloadType, err)
	return true
}

func (p *printer) KeepRTP(kept []byte, header, n int, roc uint32) []byte {
	p.SendRTP(header, n, roc)
	return append(kept, p.buf[:n]...)
}

func (p *printer) Resend([]byte) bool { return true }

func (p *printer) SendRTCP(int) bool { return true }

// Somebody speaks, somebody listens.
func Example() {
	now := time.Unix(0, 0)
	room := sfu.NewRoom(now, sfu.Config{})
	ann, bob := room.Enter(now, "ann", &printer{}), room.Enter(now, "bob", &printer{})

	opus := sfu.Codec{Format: "opus", Codec: rtp.Opus, PayloadType: 111, Clock: 48000}
	ann.Agree(now, []sfu.Section{{
		MID: "0", Kind: sfu.Audio, Publishes: true, Codecs: []sfu.Codec{opus}, Encodings: []sfu.Encoding{{SSRC: 1}},
	}}, []sfu.Track{{MID: "0", Source: "microphone"}})
	opus.PayloadType = 96
	bob.Agree(now, []sfu.Section{{MID: "0", Kind: sfu.Audio, Receives: true, Codecs: []sfu.Codec{opus}, SSRC: 77}}, nil)

	w := rtp.Begin(nil, rtp.Fields{SSRC: 1, PayloadType: 111, Sequence: 1})
	w.Payload([]byte("opus"))
	packet := w.Bytes()
	header, _ := rtp.Parse(packet)
	ann.HandleRTP(now, packet, &header)

	room.Tick(now)
	room.Events(func(e sfu.Event) {
		if places, ok := e.(sfu.PlacesChanged); ok {
			fmt.Println(places.Seat, "hears", places.Places[0].Seat)
		}
	})
	// Output:
	// sound from source 77 with payload type 96 <nil>
	// bob hears ann
}

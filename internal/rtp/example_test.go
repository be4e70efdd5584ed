package rtp_test

import (
	"fmt"

	"github.com/parley-rtc/parley/internal/rtp"
)

// A packet goes on to a receiver that knows the extensions by other ids.
func Example() {
	table := &rtp.Table{1: rtp.MID, 3: rtp.AudioLevel}
	w := rtp.Begin(nil, rtp.Fields{SSRC: 1, Sequence: 65535, Timestamp: 960, PayloadType: 111})
	w.Extension(1, []byte("0"))
	w.Uint8(3, rtp.Level{Loudness: 30, Voice: true}.Byte())
	w.Payload([]byte("sound"))
	pkt := w.Bytes()

	h, err := rtp.Parse(pkt)
	if err != nil {
		fmt.Println(err)
		return
	}
	var values rtp.Values
	values.Locate(&h, pkt, table)

	ids := &rtp.IDs{rtp.AudioLevel: 7, rtp.TransportNumber: 8}
	slab := make([]byte, 0, 1500)
	w = rtp.Begin(slab, rtp.Fields{SSRC: 9, Sequence: 4, Timestamp: h.Timestamp, PayloadType: 96, Marker: h.Marker})
	w.Copy(rtp.AudioLevel, ids, &values, pkt)
	w.Uint16(ids[rtp.TransportNumber], 1000)
	w.Payload(h.Payload(pkt))

	out, _ := rtp.Parse(w.Bytes())
	level, _ := rtp.ReadLevel(out.Extension(w.Bytes(), 7))
	number, _ := rtp.ReadUint16(out.Extension(w.Bytes(), 8))
	fmt.Printf("%d %d -%d dBov %d %s\n", out.SSRC, out.Sequence, level.Loudness, number, out.Payload(w.Bytes()))
	// Output: 9 4 -30 dBov 1000 sound
}

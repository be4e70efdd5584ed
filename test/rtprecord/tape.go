package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"sync"
)

// kept is how much of a payload is written, in bytes: the descriptors and the first headers of the codec.
const kept = 48

// tape is a recording: a line of JSON, then the packets, each with a letter (R for RTP, C for RTCP), the number of bytes that
// follow, the number that there were, and those bytes.
type tape struct {
	mu      sync.Mutex
	packets bytes.Buffer
	padded  int
	stopped bool
	head    head
}

type head struct {
	// Extensions is the URI of each header extension id, Codecs the codec of each payload type.
	Extensions map[int]string `json:"extensions"`
	Codecs     map[int]string `json:"codecs"`
	// Streams is what Chromium says of what it sent.
	Streams json.RawMessage `json:"streams"`
}

// rtp notes an RTP packet.
func (t *tape) rtp(pkt []byte) {
	if len(pkt) < 12 {
		return
	}
	size := 12 + 4*int(pkt[0]&15)
	if pkt[0]&0x10 != 0 && len(pkt) >= size+4 {
		size += 4 + 4*int(binary.BigEndian.Uint16(pkt[size+2:]))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(len(pkt), size+kept)
	if pkt[0]&0x20 != 0 { // the padding is counted at the end; a few of these are enough
		n = len(pkt)
		t.padded++
		if t.padded > 8 {
			return
		}
	}
	t.write('R', pkt[:n], len(pkt))
}

// rtcp notes an RTCP datagram.
func (t *tape) rtcp(pkt []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write('C', pkt, len(pkt))
}

func (t *tape) write(kind byte, pkt []byte, size int) {
	if t.stopped {
		return
	}
	t.packets.WriteByte(kind)
	t.packets.Write(binary.BigEndian.AppendUint16(nil, uint16(len(pkt))))
	t.packets.Write(binary.BigEndian.AppendUint16(nil, uint16(size)))
	t.packets.Write(pkt)
}

// stop ends the recording and notes what the page says of it.
func (t *tape) stop(page *json.Decoder) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	return page.Decode(&t.head.Streams)
}

func (t *tape) save(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	line, err := json.Marshal(t.head)
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(append(line, '\n'), t.packets.Bytes()...), 0o644)
}

package transfer

import (
	"bytes"
	"testing"
)

func FuzzFrame(f *testing.F) {
	f.Add(data(1, 2, 3, 4))
	f.Add(hashFrame(1, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, payload, err := ParseFrame(b)
		if err != nil {
			return
		}
		again := make([]byte, HeaderSize+len(payload))
		h.Put(again)
		copy(again[HeaderSize:], payload)
		if !bytes.Equal(again, b) {
			t.Errorf("%x becomes %x", b, again)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"a/b", "..", "CON", "a:b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if CheckPath(path) == nil && (path == "" || path[0] == '/' || bytes.ContainsAny([]byte(path), "\\:\x00") || bytes.Contains([]byte("/"+path+"/"), []byte("/../"))) {
			t.Errorf("%q is allowed", path)
		}
	})
}

// FuzzReceiver hands a receiver anything: each message is a byte for its kind, two for its length, and its bytes.
func FuzzReceiver(f *testing.F) {
	var seed []byte
	add := func(kind byte, b []byte) {
		seed = append(append(seed, kind, byte(len(b)>>8), byte(len(b))), b...)
	}
	add(0, offerOf("a/b", "c"))
	add(1, data(0, 0, 0, 500))
	add(1, hashFrame(0, 0))
	add(0, []byte(`{"type":"done","file":0,"hash":"`+Hash{}.String()+`"}`))
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &Receiver{}
		for len(b) >= 3 {
			kind, n := b[0], min(int(b[1])<<8|int(b[2]), len(b)-3)
			if kind%2 == 0 {
				r.Text(b[3 : 3+n])
			} else {
				r.Data(b[3 : 3+n])
			}
			b = b[3+n:]
			drain(r)
		}
	})
}

// FuzzSender hands a sender anything that a receiver may say, line by line.
func FuzzSender(f *testing.F) {
	f.Add([]byte(`{"type":"accept","have":[{"file":0,"ranges":[[0,1]],"digest":"` + Hash{}.String() + `"}]}` + "\n" + `{"type":"have","file":0,"chunk":1}`))
	f.Add([]byte(`{"type":"accept"}` + "\n" + `{"type":"again","file":0,"chunk":0}` + "\n" + `{"type":"pause"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := newPair(t, 2*ChunkSize+1, 5)
		for line := range bytes.Lines(b) {
			for n := 0; n < 100 && p.stepSender(); n++ {
			}
			p.sender.Text(line)
		}
		for n := 0; n < 1000 && p.stepSender(); n++ {
		}
	})
}

// FuzzPair plays a transfer in which bytes choose what happens: steps at either side, cuts, crashes, spoilt data, pauses.
// In the end everything arrives, and nothing that was stored comes twice.
func FuzzPair(f *testing.F) {
	f.Add([]byte{10, 200, 1, 30, 2, 90, 3, 15, 4, 5, 200})
	f.Add([]byte{50, 51, 52, 53, 2, 2, 2, 3, 3, 3, 0, 1, 100})
	f.Fuzz(func(t *testing.T, script []byte) {
		p := newPair(t, 3*ChunkSize+7, 0, ChunkSize)
		p.limit = 60000
		spoilt := 0
		for _, b := range script[:min(len(script), 200)] {
			switch b {
			case 0:
				p.connect()
			case 1:
				p.restart()
			case 2:
				if spoilt++; spoilt == 1 { // three wrong hashes of one chunk end the transfer
					p.flip = 1
				}
			case 3, 4:
				p.sender.Pause(b == 3)
			case 5, 6:
				p.receiver.Pause(b == 5)
			default:
				for range int(b) {
					if b%2 == 0 {
						p.stepSender()
					} else {
						p.stepReceiver()
					}
				}
			}
		}
		p.sender.Pause(false)
		p.receiver.Pause(false)
		if !p.done[0] {
			p.connect() // whatever it was doing: one more cut
		}
		p.settle()
		if p.done[0] && !p.done[1] {
			p.done[1] = true // the receiver's end was lost with its process; the sender knows
		}
		p.complete()
	})
}

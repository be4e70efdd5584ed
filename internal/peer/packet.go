package peer

import (
	"encoding/binary"
	"time"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/rtp"
)

// class is what the first byte of a packet says it is (RFC 7983 §7).
type class uint8

const (
	strange class = iota
	check         // STUN
	record        // DTLS
	media         // RTP or RTCP
)

func classify(pkt []byte) class {
	if len(pkt) == 0 {
		return strange
	}
	switch b := pkt[0]; {
	case b < 4:
		return check
	case b >= 20 && b < 64:
		return record
	case b >= 128 && b < 192:
		return media
	}
	return strange
}

// HandlePacket takes a packet that came from one of the transport's paths, or that claims to. It may be changed, and is not kept.
func (t *Transport) HandlePacket(now time.Time, path ice.Path, pkt []byte) Event {
	if t.failure != NoFailure {
		return 0
	}
	switch classify(pkt) {
	case media:
		t.handleMedia(now, pkt)
	case check:
		m, err := ice.Parse(pkt)
		if err != nil {
			t.stats.Malformed++
			return 0
		}
		return t.HandleCheck(now, path, &m)
	case record:
		t.handleRecord(now, path, pkt)
	default:
		t.stats.Unknown++
	}
	return 0
}

// HandleCheck is HandlePacket for a connectivity check that was read already, to find whose it is.
func (t *Transport) HandleCheck(now time.Time, path ice.Path, m *ice.Message) Event {
	if t.failure != NoFailure {
		return 0
	}
	answer, changed := t.agent.Handle(now, path, m)
	if answer != nil {
		n := copy(t.out.Next(), answer)
		t.out.Send(n, path)
	}
	if changed.Has(ice.Found) && t.password != "" {
		if knock := ice.Knock(m, t.password); knock != nil {
			t.out.Send(copy(t.out.Next(), knock), path)
		}
	}
	// The answer goes first: a peer that is told its path before our first record needs not wonder where that came from.
	return t.follow(now, changed)
}

func (t *Transport) handleMedia(now time.Time, pkt []byte) {
	size := len(pkt)
	if t.opener == nil {
		t.stats.Early++
		return
	}
	if rtp.IsRTCP(pkt) {
		plain, err := t.opener.OpenRTCP(pkt)
		if err != nil {
			t.stats.Refused++
			return
		}
		t.stats.RTCP++
		t.stats.Bytes += uint64(size)
		t.sink.HandleRTCP(now, plain)
		return
	}
	h, err := rtp.ParseHeader(pkt)
	if err != nil {
		t.stats.Malformed++
		return
	}
	plain, err := t.opener.OpenRTP(pkt, int(h.Size))
	if err != nil {
		t.stats.Refused++
		return
	}
	// Once more, for the padding: it is behind what was encrypted.
	if t.header, err = rtp.Parse(plain); err != nil {
		t.stats.Malformed++
		return
	}
	t.stats.RTP++
	t.stats.Bytes += uint64(size)
	t.sink.HandleRTP(now, plain, &t.header)
}

// The parts of a DTLS record that can be judged before there is a handshake (RFC 6347 §4.1).
const (
	recordHeader  = 13
	typeHandshake = 22
	typeFirst     = 20 // change cipher spec
	typeLast      = 25 // connection id
	clientHello   = 1
)

// handleRecord passes DTLS on. A third party that can guess a 5-tuple must not be able to disturb a handshake with a hello of
// its own, so what cannot be the peer's is dropped here.
func (t *Transport) handleRecord(now time.Time, path ice.Path, pkt []byte) {
	if !t.started || !t.agent.Valid(now, path) {
		t.stats.Strange++
		return
	}
	for rest := pkt; len(rest) > 0; {
		if len(rest) < recordHeader || rest[0] < typeFirst || rest[0] > typeLast || rest[1] != 0xfe {
			t.stats.Malformed++
			return
		}
		if rest[0] == typeLast {
			break // its length stands elsewhere, behind an id that we do not ask for
		}
		n := recordHeader + int(binary.BigEndian.Uint16(rest[11:]))
		if n == recordHeader || len(rest) < n {
			t.stats.Malformed++
			return
		}
		plain := rest[3] == 0 && rest[4] == 0 // epoch 0: not encrypted yet
		if t.client && plain && rest[0] == typeHandshake && rest[recordHeader] == clientHello {
			t.stats.Strange++
			return
		}
		rest = rest[n:]
	}
	t.stats.DTLS++
	t.handshake.Handle(pkt)
}

// SendDTLS sends what the handshake has written, one datagram, and copies it. Without a path it is dropped, as a network would;
// the handshake sends again.
func (t *Transport) SendDTLS(datagram []byte) {
	if !t.sendable {
		t.stats.Unsent++
		return
	}
	b := t.out.Next()
	if len(datagram) > len(b) {
		t.stats.Unsent++
		return
	}
	t.out.Send(copy(b, datagram), t.path)
	t.stats.SentDTLS++
}

// Next returns a buffer for one packet, which SendRTP or SendRTCP then seals and sends. It has room for [Room] bytes at least,
// of which the tag needs up to 16, for RTCP 20.
func (t *Transport) Next() []byte {
	t.buffer = t.out.Next()
	return t.buffer
}

// SendRTP seals the RTP packet in the first n bytes of what Next returned, and queues it. headerLen is the length of its header
// with extensions, roc how often its sequence number has passed 65535. It is false when the peer cannot be sent to now, or
// when the number was used before.
func (t *Transport) SendRTP(headerLen, n int, roc uint32) bool {
	return t.leave(t.sealRTP(headerLen, n, roc))
}

// KeepRTP is SendRTP, and appends the datagram to kept as it leaves, sealed, for [Transport.Resend]. What it returns is kept as it
// was when nothing left.
func (t *Transport) KeepRTP(kept []byte, headerLen, n int, roc uint32) []byte {
	sealed := t.sealRTP(headerLen, n, roc)
	kept = append(kept, sealed...)
	t.leave(sealed)
	return kept
}

// Resend queues a datagram that KeepRTP has kept, once more and as it is. Nothing is sealed, so its number is not used twice: who
// listens on the way learns only that it left again. It is false when the peer cannot be sent to now.
func (t *Transport) Resend(datagram []byte) bool {
	if t.sealer == nil || !t.sendable {
		t.stats.Unsent++
		return false
	}
	b := t.out.Next()
	return t.leave(b[:copy(b, datagram)])
}

// sealRTP seals the packet in what Next returned; nil when it cannot leave.
func (t *Transport) sealRTP(headerLen, n int, roc uint32) []byte {
	if t.sealer == nil || !t.sendable {
		t.stats.Unsent++
		return nil
	}
	sealed, err := t.sealer.SealRTP(t.buffer, headerLen, n, roc)
	if err != nil {
		t.stats.Unsent++
		return nil
	}
	return sealed
}

// leave queues a sealed packet in the buffer, if there is one.
func (t *Transport) leave(sealed []byte) bool {
	if sealed == nil {
		return false
	}
	t.stats.SentRTP++
	t.stats.SentBytes += uint64(len(sealed))
	t.out.Send(len(sealed), t.path)
	return true
}

// SendRTCP is SendRTP for a compound RTCP packet.
func (t *Transport) SendRTCP(n int) bool {
	if t.sealer == nil || !t.sendable {
		t.stats.Unsent++
		return false
	}
	sealed, err := t.sealer.SealRTCP(t.buffer, n)
	if err != nil {
		t.stats.Unsent++
		return false
	}
	t.stats.SentRTCP++
	t.stats.SentBytes += uint64(len(sealed))
	t.out.Send(len(sealed), t.path)
	return true
}

// Forget makes room for other sources where these have ended: signalling has taken them away. What we sent under theirs must
// never be sent again.
func (t *Transport) Forget(received, sent []uint32) {
	if t.sealer == nil {
		return
	}
	for _, ssrc := range received {
		t.opener.Forget(ssrc)
	}
	for _, ssrc := range sent {
		t.sealer.Forget(ssrc)
	}
}

package parley

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/sdk/internal/sframe"
)

// payloadSize is the largest RTP payload: it fits the smallest path (1280 bytes) with IPv6, TURN and SRTP around it.
const payloadSize = 1160

// outlet is where one of our sources leaves on one link: the sending half of a media section, with an RTP stream of its
// own. While it is closed nothing is sent, which is what replaceTrack(null) means in a browser. It is safe for use by
// several goroutines.
type outlet struct {
	source Source
	id     string
	rid    string // of the size of a picture that leaves here, "" where there is one for all
	top    bool   // that is the largest of its section
	from   *size  // that the newest frame was of; the show's, under its lock
	show   *show
	mid    func() string // of the section of several sizes; nil elsewhere
	epoch  time.Time     // that frames are shown after
	vault  *vault        // seals them; nil in a room that is not encrypted
	turn   sync.Mutex    // of who writes
	sealed []byte        // the newest one; of who has the turn

	mu         sync.Mutex
	opened     bool
	stream     webrtc.TrackLocalWriter // nil until the section is agreed upon
	binding    string
	header     rtp.Header
	payloader  rtp.Payloader
	level      uint8        // id of the level extension, 0 without
	capture    uint8        // id of the capture extension, 0 without
	section    [2]extension // mid and rid, where they go with each packet
	clock      uint32       // Hz
	start      uint32       // random timestamp of the epoch
	paused     bool         // nothing was sent since the outlet opened: the next packet begins a talkspurt (RFC 3551 §4.1)
	sent       Sent
	lost       float64   // share of packets that the receiver missed lately, by its newest report
	reportedAt time.Time // when that came
}

// extension is a header extension that every packet has.
type extension struct {
	id    uint8
	value []byte
}

func newOutlet(source Source, show *show) *outlet {
	o := &outlet{source: source, id: string(source), show: show, epoch: show.epoch, start: rand.Uint32(), paused: true} // no secret
	o.header = rtp.Header{Version: 2, SequenceNumber: uint16(rand.Uint32())}                                            // any 16 bits
	if kindOf(source) == webrtc.RTPCodecTypeAudio {
		o.clock, o.payloader = 48000, &codecs.OpusPayloader{}
	} else {
		o.clock, o.payloader = 90000, &codecs.VP8Payloader{EnablePictureID: true}
	}
	return o
}

// Bind implements webrtc.TrackLocal. A section without our codec binds to whatever there is and stays silent.
func (o *outlet) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	all := c.CodecParameters()
	if len(all) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, codec := range all {
		if !strings.EqualFold(codec.MimeType, codecOf(o.source)) {
			continue
		}
		o.stream, o.binding = c.WriteStream(), c.ID()
		o.header.PayloadType, o.header.SSRC = uint8(codec.PayloadType), uint32(c.SSRC())
		for _, x := range c.HeaderExtensions() {
			switch x.URI {
			case levelURI:
				o.level = uint8(x.ID) // 1…14 by RFC 8285
			case captureURI:
				o.capture = uint8(x.ID)
			case sdp.SDESMidURI:
				if o.mid != nil {
					o.section[0] = extension{uint8(x.ID), []byte(o.mid())}
				}
			case sdp.SDESRTPStreamIDURI:
				if o.rid != "" {
					o.section[1] = extension{uint8(x.ID), []byte(o.rid)}
				}
			}
		}
		return codec, nil
	}
	return all[0], nil
}

// Unbind implements webrtc.TrackLocal.
func (o *outlet) Unbind(c webrtc.TrackLocalContext) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.binding == c.ID() {
		o.stream = nil
	}
	return nil
}

// ID implements webrtc.TrackLocal.
func (o *outlet) ID() string { return o.id }

// RID implements webrtc.TrackLocal.
func (o *outlet) RID() string { return o.rid }

// StreamID implements webrtc.TrackLocal: what belongs together is one stream.
func (o *outlet) StreamID() string {
	if o.source == Screen || o.source == ScreenAudio {
		return "screen"
	}
	return "person"
}

// Kind implements webrtc.TrackLocal.
func (o *outlet) Kind() webrtc.RTPCodecType { return kindOf(o.source) }

// open lets frames through, or not. It reports whether that is new.
func (o *outlet) open(yes bool) (begins bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	begins = yes && !o.opened
	if begins {
		o.paused = true
	}
	o.opened = yes
	return begins
}

// opens reports whether frames are let through.
func (o *outlet) opens() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.opened
}

// write sends one frame, shown at the given time after the epoch. level is -dBov, or -1. One goroutine at a time gets
// through: two when the picture changes to another size. The lock is not held while a packet leaves: a transport that looks
// for its path may take a while.
func (o *outlet) write(frame []byte, at time.Duration, level int) {
	o.turn.Lock()
	defer o.turn.Unlock()
	o.mu.Lock()
	stream, h := o.stream, o.header
	if !o.opened || stream == nil {
		o.paused = true
		o.mu.Unlock()
		return
	}
	extension, capture, paused, section := o.level, o.capture, o.paused, o.section
	o.mu.Unlock()
	audio := kindOf(o.source) == webrtc.RTPCodecTypeAudio
	if o.vault != nil {
		kind := sframe.Video
		if audio {
			kind = sframe.Audio
		}
		var ok bool
		if o.sealed, ok = o.vault.seal(o.sealed[:0], kind, frame); !ok { // there is nobody to whom it would be legible
			o.mu.Lock()
			defer o.mu.Unlock()
			o.paused = true
			return
		}
		frame = o.sealed
	}
	h.Timestamp = o.start + uint32(at.Nanoseconds()*int64(o.clock)/int64(time.Second)) // the wrap is meant
	parts := o.payloader.Payload(payloadSize, frame)
	captured := binary.BigEndian.AppendUint64(nil, ntp(o.epoch.Add(at))) // the same on every link
	var sent Sent
	for i, part := range parts {
		h.Marker = !audio && i == len(parts)-1 || audio && paused
		h.Extension, h.Extensions = false, nil
		if audio && extension != 0 && level >= 0 {
			_ = h.SetExtension(extension, []byte{0x80 | byte(level&0x7f)}) // one byte always fits
		}
		if audio && capture != 0 {
			_ = h.SetExtension(capture, captured) // so do eight
		}
		for _, x := range section {
			if x.id != 0 {
				_ = h.SetExtension(x.id, x.value) // so do 16
			}
		}
		n, err := stream.WriteRTP(&h, part)
		h.SequenceNumber++
		switch {
		case err != nil:
			sent.Failed++
		case n > 0: // nothing is written while the link is not up yet
			paused = false
			sent.Packets++
			sent.Bytes += uint64(len(part))
			sent.Frames = 1
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.header.SequenceNumber = h.SequenceNumber
	o.paused = o.paused && paused
	o.sent.Packets += sent.Packets
	o.sent.Bytes += sent.Bytes
	o.sent.Failed += sent.Failed
	o.sent.Frames += sent.Frames
}

// ntp is a moment as NTP has it (RFC 5905 §6), which is how a capture is told: 32 bits of seconds since 1900, 32 of
// fractions.
func ntp(t time.Time) uint64 {
	const since1900 = 2_208_988_800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// listen reads what the receiver reports, until the section is over.
func (o *outlet) listen(sender *webrtc.RTPSender, pulse *pulse) {
	for {
		packets, err := o.reports(sender)
		if err != nil {
			return
		}
		pulse.hear()
		for _, p := range packets {
			switch p := p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				o.show.ask(o, false)
				o.count(func(s *Sent) { s.Refreshes++ })
			case *rtcp.ReceiverReport:
				o.reported(p.Reports)
			case *rtcp.SenderReport:
				o.reported(p.Reports)
			}
		}
	}
}

// reports waits for what the receiver says.
func (o *outlet) reports(sender *webrtc.RTPSender) (packets []rtcp.Packet, err error) {
	if o.rid == "" {
		packets, _, err = sender.ReadRTCP()
	} else {
		packets, _, err = sender.ReadSimulcastRTCP(o.rid)
	}
	return packets, err
}

func (o *outlet) reported(list []rtcp.ReceptionReport) {
	for _, r := range list {
		o.mu.Lock()
		if r.SSRC == o.header.SSRC {
			o.sent.Lost = int64(int32(r.TotalLost<<8) >> 8) // 24 bits with a sign (RFC 3550 §6.4.1)
			o.lost, o.reportedAt = float64(r.FractionLost)/256, time.Now()
			o.sent.Jitter = time.Duration(r.Jitter) * time.Second / time.Duration(o.clock)
		}
		o.mu.Unlock()
	}
}

// missed is how many percent of the packets the receiver missed lately, 0 while it does not say.
func (o *outlet) missed(now time.Time) float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reportedAt.IsZero() || now.Sub(o.reportedAt) > reportedFor {
		return 0
	}
	return 100 * o.lost
}

func (o *outlet) count(f func(*Sent)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.sent)
}

func (o *outlet) stats() Sent {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent
}

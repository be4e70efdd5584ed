package rtp

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// tape is a recording of a real Chromium, made by test/rtprecord, which says what its format is.
type tape struct {
	table   Table
	codecs  map[uint8]Codec
	repairs map[uint8]bool
	streams []struct {
		SSRC      uint32 `json:"ssrc"`
		RID       string `json:"rid"`
		Frames    int    `json:"framesEncoded"`
		KeyFrames int    `json:"keyFramesEncoded"`
		Mode      string `json:"scalabilityMode"`
	}
	// packets is RTP, cut payloads filled up with zeros; control is RTCP.
	packets, control [][]byte
}

var recorded = []string{"vp8-simulcast", "vp8-bare", "vp9-l3t3_key", "av1-l3t3_key", "av1-l1t1", "h264", "opus-red"}

func play(tb testing.TB, name string) *tape {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".rtp"))
	if err != nil {
		tb.Fatal(err)
	}
	line, rest, _ := bytes.Cut(data, []byte("\n"))
	var head struct {
		Extensions map[string]string
		Codecs     map[string]string
		Streams    json.RawMessage
	}
	t := &tape{codecs: map[uint8]Codec{}, repairs: map[uint8]bool{}}
	if err := json.Unmarshal(line, &head); err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(head.Streams, &t.streams); err != nil {
		tb.Fatal(err)
	}
	for id, uri := range head.Extensions {
		n, _ := strconv.Atoi(id)
		t.table[uint8(n)] = KindOf(uri)
	}
	names := map[string]Codec{"VP8": VP8, "VP9": VP9, "H264": H264, "AV1": AV1, "opus": Opus, "red": RED}
	for id, text := range head.Codecs {
		n, _ := strconv.Atoi(id)
		name, _, _ := strings.Cut(text, "/")
		t.codecs[uint8(n)] = names[name]
		t.repairs[uint8(n)] = name == "rtx"
	}
	for len(rest) > 0 {
		n, size := int(binary.BigEndian.Uint16(rest[1:])), int(binary.BigEndian.Uint16(rest[3:]))
		pkt := make([]byte, size)
		copy(pkt, rest[5:5+n])
		if rest[0] == 'R' {
			t.packets = append(t.packets, pkt)
		} else {
			t.control = append(t.control, pkt)
		}
		rest = rest[5+n:]
	}
	if len(t.packets) < 50 || len(t.control) < 2 {
		tb.Fatalf("%s: only %d packets and %d reports", name, len(t.packets), len(t.control))
	}
	return t
}

package mediaserver

import (
	"reflect"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/internal/rtp"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/sfu"
)

// TestFormat: what can be forwarded to each other has the same name.
func TestFormat(t *testing.T) {
	h264 := func(format string) sdp.Codec {
		return sdp.Codec{Codec: rtp.H264, Name: "H264", Clock: 90000, Format: format}
	}
	for _, tt := range []struct {
		a, b sdp.Codec
		same bool
	}{
		{sdp.Codec{Codec: rtp.VP8, Name: "VP8", Clock: 90000, PT: 96}, sdp.Codec{Codec: rtp.VP8, Name: "vp8", Clock: 90000, PT: 120, Format: "max-fr=60"}, true},
		{sdp.Codec{Codec: rtp.VP9, Name: "VP9", Format: "profile-id=0"}, sdp.Codec{Codec: rtp.VP9, Name: "VP9"}, true},
		{sdp.Codec{Codec: rtp.VP9, Name: "VP9", Format: "profile-id=2"}, sdp.Codec{Codec: rtp.VP9, Name: "VP9"}, false},
		{sdp.Codec{Codec: rtp.AV1, Name: "AV1", Format: "level-idx=5;profile=0;tier=0"}, sdp.Codec{Codec: rtp.AV1, Name: "AV1"}, true},
		{h264("packetization-mode=1;profile-level-id=42e01f"), h264("profile-level-id=42e034;packetization-mode=1;level-asymmetry-allowed=1"), true},
		{h264("packetization-mode=1;profile-level-id=42e01f"), h264("packetization-mode=1;profile-level-id=42001f"), false},
		{h264("packetization-mode=1;profile-level-id=42e01f"), h264("packetization-mode=0;profile-level-id=42e01f"), false},
		{h264("packetization-mode=1;profile-level-id=640c1f"), h264("packetization-mode=1;profile-level-id=64001f"), false},
		{h264("packetization-mode=1"), h264("packetization-mode=1;profile-level-id=nonsense"), true},
		{sdp.Codec{Codec: rtp.RED, Name: "red", Format: "111/111"}, sdp.Codec{Codec: rtp.RED, Name: "red", Format: "109/109"}, false},
		{sdp.Codec{Codec: rtp.Opus, Name: "opus", Clock: 48000, Channels: 2, Format: "useinbandfec=1"}, sdp.Codec{Codec: rtp.Opus, Name: "opus", Clock: 48000, Channels: 2}, true},
		{sdp.Codec{Codec: rtp.Opus, Name: "opus", Clock: 48000, Channels: 2}, sdp.Codec{Codec: rtp.VP8, Name: "VP8", Clock: 90000}, false},
	} {
		if got := format(&tt.a) == format(&tt.b); got != tt.same {
			t.Errorf("%s and %s: %v", format(&tt.a), format(&tt.b), got)
		}
	}
}

// TestEncodings: the smallest is the first.
func TestEncodings(t *testing.T) {
	for names, want := range map[string]string{
		"q h f": "q h f", "f h q": "q h f", "low mid high": "low mid high", "high mid low": "low mid high",
		"h f": "h f", "h q": "q h", "h l": "l h", "0 1 2": "0 1 2", "a": "a", "a b c d e": "a b c d",
	} {
		var agreed sdp.Section
		for name := range strings.FieldsSeq(names) {
			agreed.Layers = append(agreed.Layers, sdp.Layer{RID: name})
		}
		var got []string
		for _, e := range encodings(&sdp.Section{Sources: []sdp.Source{{SSRC: 1}}}, &agreed) {
			got = append(got, e.RID)
			if e.SSRC != 0 {
				t.Errorf("%s: a layer has the SSRC of the section", names)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", names, got, want)
		}
	}
	one := encodings(&sdp.Section{Sources: []sdp.Source{{SSRC: 1, RTX: 2}}}, &sdp.Section{})
	if !reflect.DeepEqual(one, []sfu.Encoding{{SSRC: 1, RTX: 2}}) || len(encodings(&sdp.Section{}, &sdp.Section{})) != 1 {
		t.Errorf("without layers: %v", one)
	}
}

// FuzzFormat: any parameters give a name.
func FuzzFormat(f *testing.F) {
	f.Add("packetization-mode=1;profile-level-id=42e01f")
	f.Add("profile-level-id=;;=")
	f.Fuzz(func(t *testing.T, format264 string) {
		if format(&sdp.Codec{Codec: rtp.H264, Name: "H264", Format: format264}) == "" {
			t.Error("no name")
		}
	})
}

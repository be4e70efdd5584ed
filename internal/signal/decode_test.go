package signal

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDecodeFaults(t *testing.T) {
	peer := `"n":1,"to":"s","link":"l"`
	media := `{"microphone":true,"camera":false,"screen":false,"screenAudio":false}`
	for _, tt := range []struct {
		name, text string
		code       Code
		field      string
		re         uint64
	}{
		{"empty", ``, CodeMalformed, "", 0},
		{"not json", `hello`, CodeMalformed, "", 0},
		{"cut short", `{"type":"lock","n":7`, CodeMalformed, "", 7},
		{"not an object", `["lock"]`, CodeMalformed, "", 0},
		{"something behind", `{"type":"leave","n":1}{}`, CodeMalformed, "", 1},
		{"zero byte behind", "{\"type\":\"leave\",\"n\":1}\x00", CodeMalformed, "", 1},
		{"not utf-8", "{\"type\":\"chat\",\"n\":1,\"id\":\"a\",\"text\":\"\xff\"}", CodeMalformed, "", 1},
		{"no type", `{"n":3}`, CodeMalformed, "type", 3},
		{"type is no string", `{"type":5,"n":3}`, CodeMalformed, "type", 3},
		{"unknown type", `{"type":"dance","n":3}`, CodeUnknown, "type", 3},
		{"server's type", `{"type":"welcome"}`, CodeUnknown, "type", 0},
		{"no number", `{"type":"leave"}`, CodeMalformed, "n", 0},
		{"number zero", `{"type":"leave","n":0}`, CodeMalformed, "n", 0},
		{"number negative", `{"type":"leave","n":-1}`, CodeMalformed, "n", 0},
		{"number too large", `{"type":"leave","n":9007199254740992}`, CodeMalformed, "n", 0},
		{"number broken", `{"type":"leave","n":1.5}`, CodeMalformed, "n", 0},
		{"number with zeros", `{"type":"leave","n":01}`, CodeMalformed, "n", 0},
		{"number on ping", `{"type":"ping","n":1,"id":2}`, CodeMalformed, "n", 0},
		{"unknown field", `{"type":"leave","n":4,"why":1}`, CodeMalformed, "why", 4},
		{"case matters", `{"type":"lock","n":4,"On":true}`, CodeMalformed, "On", 4},
		{"field twice", `{"type":"lock","n":4,"on":true,"on":false}`, CodeMalformed, "on", 4},
		{"field missing", `{"type":"lock","n":4}`, CodeMalformed, "on", 4},
		{"wrong type", `{"type":"lock","n":4,"on":"yes"}`, CodeMalformed, "on", 4},
		{"null", `{"type":"lock","n":4,"on":null}`, CodeMalformed, "on", 4},
		{"room name", `{"type":"hello","client":{"name":"x"},"room":"A"}`, CodeMalformed, "room", 0},
		{"room name empty", `{"type":"hello","client":{"name":"x"},"room":""}`, CodeMalformed, "room", 0},
		{"room name long", `{"type":"hello","client":{"name":"x"},"room":"` + strings.Repeat("a", 65) + `"}`, CodeTooLarge, "room", 0},
		{"client missing name", `{"type":"hello","client":{},"room":"a"}`, CodeMalformed, "client.name", 0},
		{"secret with a space", `{"type":"hello","client":{"name":"x"},"room":"a","host":"a b"}`, CodeMalformed, "host", 0},
		{"token long", `{"type":"hello","client":{"name":"x"},"room":"a","resume":"` + strings.Repeat("a", 2049) + `"}`, CodeTooLarge, "resume", 0},
		{"name of spaces", `{"type":"join","n":2,"name":"  ","media":` + media + `}`, CodeMalformed, "name", 2},
		{"name long", `{"type":"join","n":2,"name":"` + strings.Repeat("ä", 33) + `","media":` + media + `}`, CodeTooLarge, "name", 2},
		{"name with a line end", `{"type":"join","n":2,"name":"a\nb","media":` + media + `}`, CodeMalformed, "name", 2},
		{"name turned around", `{"type":"join","n":2,"name":"a\u202eb","media":` + media + `}`, CodeMalformed, "name", 2},
		{"media incomplete", `{"type":"media","n":2,"media":{"microphone":true,"camera":true,"screen":true}}`, CodeMalformed, "media.screenAudio", 2},
		{"media unknown", `{"type":"media","n":2,"media":{"smell":true}}`, CodeMalformed, "media.smell", 2},
		{"chat empty", `{"type":"chat","n":2,"id":"a","text":""}`, CodeMalformed, "text", 2},
		{"chat long", `{"type":"chat","n":2,"id":"a","text":"` + strings.Repeat("x", 4001) + `"}`, CodeTooLarge, "text", 2},
		{"chat sealed too long", `{"type":"chat","n":2,"id":"a","text":"` + SealedChat + strings.Repeat("x", MaxSealedChat) + `"}`, CodeTooLarge, "text", 2},
		{"identity of none", `{"type":"encrypt","n":2,"identity":""}`, CodeMalformed, "identity", 2},
		{"identity long", `{"type":"encrypt","n":2,"identity":"` + strings.Repeat("x", MaxIdentity+1) + `"}`, CodeTooLarge, "identity", 2},
		{"keys without boxes", `{"type":"keys","n":2}`, CodeMalformed, "boxes", 2},
		{"keys in another's name", `{"type":"keys","n":2,"boxes":[],"from":"a"}`, CodeMalformed, "from", 2},
		{"a box that is none", `{"type":"keys","n":2,"boxes":[{"to":"a","box":"a+b"}]}`, CodeMalformed, "boxes[0].box", 2},
		{"a box too large", `{"type":"keys","n":2,"boxes":[{"to":"a","box":"` + strings.Repeat("x", MaxBox+1) + `"}]}`, CodeTooLarge, "boxes[0].box", 2},
		{"too many boxes", `{"type":"keys","n":2,"boxes":[` + strings.Repeat(`{"to":"a","box":"b"},`, MaxBoxes) + `{"to":"a","box":"b"}]}`, CodeTooLarge, "boxes", 2},
		{"chat half a pair", `{"type":"chat","n":2,"id":"a","text":"\ud800"}`, CodeMalformed, "text", 2},
		{"chat two high halves", `{"type":"chat","n":2,"id":"a","text":"\ud800\ud800"}`, CodeMalformed, "text", 2},
		{"chat bad escape", `{"type":"chat","n":2,"id":"a","text":"\x"}`, CodeMalformed, "text", 2},
		{"chat raw control", "{\"type\":\"chat\",\"n\":2,\"id\":\"a\",\"text\":\"\x01\"}", CodeMalformed, "text", 2},
		{"chat escaped control", `{"type":"chat","n":2,"id":"a","text":"\u0000"}`, CodeMalformed, "text", 2},
		{"chat in another's name", `{"type":"chat","n":2,"id":"a","text":"x","name":"Eve"}`, CodeMalformed, "name", 2},
		{"from forged", `{"type":"close-link",` + peer + `,"from":"x"}`, CodeMalformed, "from", 1},
		{"early forged", `{"type":"offer",` + peer + `,"sdp":"v","early":true}`, CodeMalformed, "early", 1},
		{"no receiver", `{"type":"close-link","n":1,"link":"l"}`, CodeMalformed, "to", 1},
		{"link with a space", `{"type":"close-link","n":1,"to":"s","link":"a b"}`, CodeMalformed, "link", 1},
		{"sdp empty", `{"type":"answer",` + peer + `,"sdp":""}`, CodeMalformed, "sdp", 1},
		{"source", `{"type":"offer",` + peer + `,"sdp":"v","tracks":[{"mid":"0","source":"camera"},{"mid":"1","source":"feet"}]}`, CodeMalformed, "tracks[1].source", 1},
		{"mid twice", `{"type":"offer",` + peer + `,"sdp":"v","tracks":[{"mid":"0","source":"camera"},{"mid":"0","source":"screen"}]}`, CodeMalformed, "tracks[1].mid", 1},
		{"tracks no list", `{"type":"offer",` + peer + `,"sdp":"v","tracks":{}}`, CodeMalformed, "tracks", 1},
		{"tracks many", `{"type":"offer",` + peer + `,"sdp":"v","tracks":[` + tracks(65) + `]}`, CodeTooLarge, "tracks", 1},
		{"candidate null", `{"type":"candidate",` + peer + `,"candidate":null}`, CodeMalformed, "candidate", 1},
		{"candidate long", `{"type":"candidate",` + peer + `,"candidate":{"candidate":"` + strings.Repeat("c", 1025) + `"}}`, CodeTooLarge, "candidate.candidate", 1},
		{"line index", `{"type":"candidate",` + peer + `,"candidate":{"candidate":"","sdpMLineIndex":65536}}`, CodeMalformed, "candidate.sdpMLineIndex", 1},
		{"mute source", `{"type":"mute","n":2,"seat":"a","source":"all"}`, CodeMalformed, "source", 2},
		{"topology policy", `{"type":"topology","n":2,"policy":"mesh"}`, CodeMalformed, "policy", 2},
		{"moved without an epoch", `{"type":"moved","n":2}`, CodeMalformed, "epoch", 2},
		{"moved misses a smell", `{"type":"moved","n":2,"epoch":3,"missing":[{"seat":"a","source":"smell"}]}`, CodeMalformed, "missing[0].source", 2},
		{"moved misses much", `{"type":"moved","n":2,"epoch":3,"missing":[` + strings.Repeat(`{"seat":"a","source":"camera"},`, MaxMissing) + `{"seat":"a","source":"camera"}]}`, CodeTooLarge, "missing", 2},
		{"reach of the server's finding", `{"type":"hub-reach","n":2,"ok":false,"why":"silent"}`, CodeMalformed, "why", 2},
		{"role of a telephone", `{"type":"role","n":2,"seat":"a","role":"guest-call"}`, CodeMalformed, "role", 2},
		{"reaction", `{"type":"reaction","n":2,"kind":"yawn"}`, CodeMalformed, "kind", 2},
		{"reaction in another's name", `{"type":"reaction","n":2,"kind":"like","from":"a"}`, CodeMalformed, "from", 2},
		{"places forged", `{"type":"answer",` + peer + `,"sdp":"v","places":[]}`, CodeMalformed, "places", 1},
		{"place twice", `{"type":"offer",` + peer + `,"sdp":"v","show":[{"mid":"4","seat":"a","source":"camera"},{"mid":"4","seat":"b","source":"camera"}]}`, CodeMalformed, "show[1].mid", 1},
		{"place too large", `{"type":"offer",` + peer + `,"sdp":"v","show":[{"mid":"4","seat":"a","source":"camera","width":16385}]}`, CodeMalformed, "show[0].width", 1},
		{"note long", `{"type":"join","n":2,"name":"x","note":"` + strings.Repeat("x", MaxWords+1) + `","media":` + media + `}`, CodeTooLarge, "note", 2},
		{"bye reason", `{"type":"bye","reason":"bored"}`, CodeMalformed, "reason", 0},
		{"deep", `{"type":"lock","n":1,"on":` + strings.Repeat("[", 5000) + `}`, CodeMalformed, "on", 1},
		{"too large", `{"type":"chat","n":1,"id":"a","text":"` + strings.Repeat("x", MaxMessage) + `"}`, CodeTooLarge, "", 1},
		{"far too large", `{"type":"offer",` + peer + `,"sdp":"` + strings.Repeat("x", MaxDescription) + `"}`, CodeTooLarge, "", 0},
		{"many fields", `{"n":3` + manyFields(maxFields) + `,"type":"dance"}`, CodeTooLarge, "z127", 3},
		{"key with controls", `{"type":"leave","n":1,"a\u0000b":1}`, CodeMalformed, "a?b", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, fault := Decode([]byte(tt.text), FromClient)
			if fault == nil {
				t.Fatalf("accepted as %#v", m)
			}
			if fault.Code != tt.code || fault.Field != tt.field || fault.Re != tt.re {
				t.Errorf("got %s at %q re %d, want %s at %q re %d", fault.Code, fault.Field, fault.Re, tt.code, tt.field, tt.re)
			}
			if fault.Words == "" || fault.Type != TypeError || len(fault.Words) > 400 {
				t.Errorf("unusable error %+v", fault)
			}
		})
	}
}

// TestDecodeManyFields: what a message may cost grows with its length, not with the square of it.
func TestDecodeManyFields(t *testing.T) {
	for _, head := range []string{`{"type":"offer"`, `{"type":"dance"`} {
		start := time.Now()
		if _, fault := Decode([]byte(head+manyFields(100_000)+"}"), FromClient); fault == nil {
			t.Fatal("accepted")
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s… took %v", head, took)
		}
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"z%d":1`, i)
	}
	return b.String()
}

func tracks(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"mid":"%d","source":"camera"}`, i))
	}
	return strings.Join(list, ",")
}

func TestDecodeAccepts(t *testing.T) {
	for _, text := range []string{
		` { "type" : "leave" , "n" : 1 } `,
		`{"n":1,"type":"leave","ack":5}`,
		`{"type":"ack","ack":3}`,
		`{"type":"chat","n":1,"id":"a","text":"a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00` + `"}`,
		`{"type":"candidate","n":1,"to":"s","link":"l","candidate":{"candidate":"","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}}`,
		`{"type":"offer","n":1,"to":"s","link":"l","sdp":"` + strings.Repeat("x", 300_000) + `"}`,
		`{"type":"offer","n":1,"to":"s","link":"l","sdp":"v","tracks":[]}`,
		`{"type":"offer","n":1,"to":"s","link":"l","sdp":"v","tracks":[` + tracks(64) + `]}`,
		`{"type":"bye"}`,
	} {
		// \b and \f are controls, which chat refuses
		text = strings.ReplaceAll(text, `\b\f`, "")
		if _, fault := Decode([]byte(text), FromClient); fault != nil {
			t.Errorf("%.80s: %s", text, fault.Words)
		}
	}
	m, fault := Decode([]byte(`{"type":"join","n":1,"name":"  Ann ","media":{"microphone":true,"camera":false,"screen":false,"screenAudio":false}}`), FromClient)
	if fault != nil || m.(*Join).Name != "Ann" {
		t.Errorf("name not trimmed: %v %v", m, fault)
	}
}

// TestDecodeNewerServer checks that a client lives with fields, values and types it does not know.
func TestDecodeNewerServer(t *testing.T) {
	m, fault := Decode([]byte(`{"type":"bye","reason":"eclipse","moon":{"a":[1,-2.5e3,"x",null,true]}}`), FromServer)
	if fault != nil || m.(*Bye).Reason != "eclipse" {
		t.Fatalf("%v %v", m, fault)
	}
	m, fault = Decode([]byte(`{"type":"dance","n":4,"ack":2,"with":["you"]}`), FromServer)
	if u, ok := m.(*Unknown); fault != nil || !ok || u.N != 4 || u.Ack != 2 || u.Type != "dance" {
		t.Fatalf("%v %v", m, fault)
	}
	if _, fault = Decode([]byte(`{"type":"seat","n":1}`), FromServer); fault == nil || fault.Field != "seat" {
		t.Fatalf("a missing field was accepted: %v", fault)
	}
}

// TestEveryField fills every field of every message by reflection and expects it back: a field that Decode forgot, or
// one that Registry or TypeOf forgot, shows here.
func TestEveryField(t *testing.T) {
	for _, e := range Registry() {
		for _, from := range []Side{FromClient, FromServer} {
			if e.From&from == 0 {
				continue
			}
			m := e.Make()
			fill(reflect.ValueOf(m).Elem(), string(e.Type), from)
			text, err := Encode(m)
			if err != nil {
				t.Fatalf("%s: %v", e.Type, err)
			}
			got, fault := Decode(text, from)
			if fault != nil {
				t.Errorf("%s: %s in %s", e.Type, fault.Words, text)
			} else if !reflect.DeepEqual(got, m) {
				t.Errorf("%s from %d: got %+v want %+v", e.Type, from, got, m)
			}
		}
	}
}

func fill(v reflect.Value, t string, from Side) {
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch {
		case f.Type() == reflect.TypeFor[Type]():
			f.SetString(t)
		case name == "N" && !Numbered(Type(t)):
		case from == FromClient && name == "Box" && v.Type() == reflect.TypeFor[Keys]():
		case from == FromClient && t != "report" && (name == "From" || name == "Early" || name == "At" || name == "Places" || t == "chat" && (name == "Name" || name == "Seq" || name == "Unsaved")):
		case name == "Reason" && t == "left":
			f.SetString("left")
		case name == "Reason":
			f.SetString("flood")
		default:
			fillValue(f, t, from)
		}
	}
}

func fillValue(f reflect.Value, t string, from Side) {
	switch f.Kind() {
	case reflect.Struct:
		fill(f, t, from)
	case reflect.Pointer:
		f.Set(reflect.New(f.Type().Elem()))
		fillValue(f.Elem(), t, from)
	case reflect.Slice:
		f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		fillValue(f.Index(0), t, from)
	case reflect.Bool:
		f.SetBool(true)
	case reflect.Int, reflect.Int64:
		f.SetInt(2)
	case reflect.Uint16, reflect.Uint64:
		f.SetUint(7)
	case reflect.String:
		values := map[string]string{
			"Source": "camera", "Role": "host", "May": "join", "SeatState": "away", "Code": "full",
			"History": "forever", "LinkKind": "spare", "ReportKind": "path", "PathKind": "hub", "Transport": "tls",
			"CandidateType": "relay", "PairState": "won", "TopologyKind": "hub", "TopologyPolicy": "auto", "Reach": "no",
			"ReachWhy": "blocked", "ReactionKind": "applause",
		}
		f.SetString(values[f.Type().Name()])
		if f.String() == "" {
			f.SetString("x")
		}
	}
}

func TestPeekType(t *testing.T) {
	for text, want := range map[string]Type{
		`{"type":"offer","n":1,"sdp":"v=0 cut of`:    TypeOffer,
		`{"n":1,"tracks":[{"mid":"0"}],"type":"off`:  "",
		`{"n":1,"tracks":[{"a":"0"}],"type":"offer"`: TypeOffer,
		`{"sdp":"{\"type\":\"offer\"}`:               "",
		`[`:                                          "",
		``:                                           "",
	} {
		if got := PeekType([]byte(text)); got != want {
			t.Errorf("%s: got %q want %q", text, got, want)
		}
	}
}

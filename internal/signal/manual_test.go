package signal

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

const manual = "../../docs/protocol.md"

// TestManualNamesEverything holds that docs/protocol.md names every message, field, value and code.
func TestManualNamesEverything(t *testing.T) {
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	named := func(word, what string) {
		if !strings.Contains(text, "`"+word+"`") {
			t.Errorf("%s does not name %s `%s`", manual, what, word)
		}
	}
	rows := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			rows[strings.TrimSpace(cells[1])+" "+strings.TrimSpace(cells[2])] = true
		}
	}
	for _, e := range Registry() {
		by := map[Side]string{FromClient: "C", FromServer: "S", FromBoth: "CS"}[e.From]
		if name := "`" + string(e.Type) + "` "; !rows[name+by] && !rows[name+by+", host"] {
			t.Errorf("the table of all messages has no row %s%s", name, by)
		}
		for _, field := range jsonFields(reflect.TypeOf(e.Make()).Elem()) {
			named(field, "field of "+string(e.Type))
		}
	}
	for _, v := range []Code{
		CodeMalformed, CodeTooLarge, CodeUnknown, CodeOrder, CodeNoRoom, CodeFull, CodeLocked,
		CodeNoHub, CodeForbidden, CodeBadSecret, CodeNoPeer, CodeBusy, CodeRemoved, CodeEncrypted, CodeFault, CodeOutOfOrder,
	} {
		named(string(v), "code")
	}
	for _, v := range []ByeReason{ByeDraining, ByeRemoved, ByeFlood, ByeReplaced, ByeProtocol, ByeExpired, ByeFault, ByeClosed} {
		named(string(v), "reason")
	}
	for _, v := range []May{MayCreate, MayJoin, MayKnock, MayNot} {
		named(string(v), "value of may")
	}
	for _, v := range []string{
		string(RoleListener), string(RoleGuestCall), string(SeatWaiting), string(SeatAway),
		string(LeftExpired), string(SourceScreenAudio), string(LeftNoHub), string(TopologyDirect), string(PolicyAuto),
		string(ReachYes), string(ReachBlocked), string(ReachFailed), string(ReachSilent), string(ReachUnsupported),
		string(ReactionLike), string(ReactionLove), string(ReactionLaugh), string(ReactionSurprise),
		string(ReactionApplause), string(ReactionCelebrate),
	} {
		named(v, "value")
	}
}

// jsonFields lists the names of all fields of t, those of its parts included.
func jsonFields(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
		names = append(names, jsonFields(f.Type)...)
	}
	return names
}

// TestManualExamples decodes every example of the manual.
func TestManualExamples(t *testing.T) {
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Type]bool{}
	for line := range strings.SplitSeq(string(b), "\n") {
		for mark, from := range map[string]Side{"→ ": FromClient, "← ": FromServer} {
			text, ok := strings.CutPrefix(line, mark)
			if !ok {
				continue
			}
			r := &reader{b: []byte(text)} // strictly, whoever sent it
			m, _ := makeMessage(PeekType(r.b), from).(body)
			if m == nil {
				t.Errorf("no message of that side: %s", line)
				continue
			}
			r.object(append(m.need(from), "type"), func(key string) bool {
				return m.Head().headField(r, key) || m.field(r, key)
			})
			if r.end(); r.err != nil && m.Head().Type != TypeError {
				t.Errorf("%s: %s %s", line, r.err.Field, r.err.Words)
			}
			if from == FromClient {
				if _, fault := Decode([]byte(text), from); fault != nil {
					t.Errorf("%s: %s", line, fault.Words)
				}
			}
			seen[m.Head().Type] = true
		}
	}
	for _, want := range []Type{
		TypeHello, TypeWelcome, TypeJoin, TypeJoined, TypeWaiting, TypeOffer, TypeAnswer,
		TypeCandidate, TypeChat, TypeError, TypeRoom, TypeSeat, TypeMute, TypeICEServers,
		TypeMoved, TypeHubReach, TypeTopology, TypeHand, TypeReaction, TypeMuteAll, TypeRole, TypeInvite, TypeSpeak,
	} {
		if !seen[want] {
			t.Errorf("no example of %s", want)
		}
	}
}

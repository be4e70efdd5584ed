package room

import (
	"reflect"
	"testing"

	"github.com/parley-rtc/parley/internal/signal"
)

// TestForwardKeepsEverything: what a client says in a relayed message arrives, whichever field it is.
func TestForwardKeepsEverything(t *testing.T) {
	for _, m := range []signal.Relayed{
		&signal.Offer{}, &signal.Answer{}, &signal.Candidate{}, &signal.EndOfCandidates{}, &signal.Renegotiate{}, &signal.CloseLink{},
	} {
		sent := reflect.ValueOf(m).Elem()
		for i := range sent.NumField() {
			fill(t, sent.Field(i))
		}
		got := reflect.ValueOf(forward(m, "ann", true)).Elem()
		for i := range sent.NumField() {
			switch name := sent.Type().Field(i).Name; name {
			case "Header", "Peer", "Early": // the server's own
			case "Show", "Places": // between a client and the hub
			default:
				if a, b := sent.Field(i).Interface(), got.Field(i).Interface(); !reflect.DeepEqual(a, b) {
					t.Errorf("%T.%s is %v, and was %v", m, name, b, a)
				}
			}
		}
	}
}

// fill sets a value to something that is not its zero.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

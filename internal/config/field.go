package config

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is one key of the configuration: what its tags say, and the place of its value in one Config.
type field struct {
	key   string // such as "relay.ports"
	tag   reflect.StructTag
	value reflect.Value
	from  origin
}

// env is the environment form of the key: PARLEY_RELAY_PORTS.
func (f *field) env() string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_"))
}

// list reports whether the key takes several values.
func (f *field) list() bool { return f.value.Kind() == reflect.Slice }

// fields lists the keys of c in the order of the struct.
func fields(c *Config) []*field { return collect(reflect.ValueOf(c).Elem(), "") }

func collect(v reflect.Value, prefix string) []*field {
	var out []*field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		key := prefix + tag.Get("key")
		if tag.Get("doc") == "" {
			out = append(out, collect(v.Field(i), key+".")...)
			continue
		}
		out = append(out, &field{key: key, tag: tag, value: v.Field(i)})
	}
	return out
}

// set reads words into the field; anything but a list takes exactly one. The error of a list tells all bad items.
func (f *field) set(words []string) error {
	if !f.list() {
		if len(words) != 1 {
			return errors.New("takes one value, not a list")
		}
		return f.setOne(words[0])
	}
	list := reflect.MakeSlice(f.value.Type(), 0, len(words))
	var bad []string
	for _, word := range words {
		item, err := f.item(word)
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		list = reflect.Append(list, item)
	}
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "; "))
	}
	f.value.Set(list)
	return nil
}

// item reads one item of a list.
func (f *field) item(word string) (reflect.Value, error) {
	if _, ok := f.value.Interface().([]netip.Prefix); ok {
		p, err := parsePrefix(word)
		return reflect.ValueOf(p), err
	}
	if words := notForm(f.tag.Get("is"), word); words != "" {
		return reflect.Value{}, errors.New(words)
	}
	return reflect.ValueOf(word), nil
}

func (f *field) setOne(word string) error {
	switch v := f.value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return v.UnmarshalText([]byte(word))
	case *string:
		if allowed := strings.Fields(f.tag.Get("oneof")); len(allowed) > 0 && !slices.Contains(allowed, word) {
			return fmt.Errorf("%q is not one of %s", word, strings.Join(allowed, ", "))
		}
		if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("%q holds a control character", word)
		}
		if words := notForm(f.tag.Get("is"), word); word != "" && words != "" {
			return errors.New(words)
		}
		*v = word
	case *int:
		n, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", word)
		}
		least, _ := strconv.Atoi(f.tag.Get("min"))
		most, _ := strconv.Atoi(f.tag.Get("max"))
		if n < least || n > most {
			return fmt.Errorf("%d is not from %d to %d", n, least, most)
		}
		*v = n
	case *time.Duration:
		d, err := time.ParseDuration(word)
		if err != nil {
			return fmt.Errorf("%q is not a duration, such as 90s or 10m", word)
		}
		least, _ := time.ParseDuration(f.tag.Get("min"))
		most, _ := time.ParseDuration(f.tag.Get("max"))
		if d < least || d > most {
			return fmt.Errorf("%s is not from %s to %s", word, f.tag.Get("min"), f.tag.Get("max"))
		}
		*v = d
	default:
		panic(fmt.Sprintf("config: %s has the unknown type %T", f.key, v))
	}
	return nil
}

// words is the value as text: what set would read again.
func (f *field) words() []string {
	switch v := f.value.Interface().(type) {
	case encoding.TextMarshaler:
		b, err := v.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("config: %s: a valid value has a text: %v", f.key, err))
		}
		return []string{string(b)}
	case []netip.Prefix:
		out := make([]string, len(v))
		for i, p := range v {
			out[i] = p.String()
		}
		return out
	case []string:
		return v
	case time.Duration:
		return []string{shortDuration(v)}
	default:
		return []string{fmt.Sprint(v)}
	}
}

// shortDuration writes 10m rather than 10m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// splitList reads a list from one line, for the environment and flags: commas between the values.
func (f *field) splitList(line string) []string {
	if !f.list() {
		return []string{line}
	}
	var out []string
	for word := range strings.SplitSeq(line, ",") {
		if word = strings.TrimSpace(word); word != "" {
			out = append(out, word)
		}
	}
	return out
}

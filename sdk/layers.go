package parley

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// maxLayers is how many sizes of a picture the hub takes.
const maxLayers = 4

// Layer is one of several sizes of the same picture.
type Layer struct {
	// RID names it, with 1 to 16 letters and digits (RFC 8851); browsers call theirs "l", "m" and "h".
	RID string
	// Media has its frames. Each size plays at its own pace, so one may have fewer pictures a second than another.
	Media Media
}

// PublishLayers is Publish for a camera or a screen of which there are several sizes, two to four, the smallest first. The hub
// gets them all and shows each person the one that fits what they want (Room.Show) and what their network carries; it changes
// from one to another at a key frame, which it asks for by Media.Refresh. In a direct call the largest is sent alone. The event
// LayersWanted says which sizes anybody gets: the others need not be encoded, for which Next returns frames of no bytes.
// At the end of any of them the source is turned off. The room owns all media and closes them.
//
// Where the set of sizes changes, also to one or from one, another link with the hub takes over: data channels through the hub
// close then, and open again.
func (r *Room) PublishLayers(ctx context.Context, source Source, layers ...Layer) error {
	layers = slices.Clone(layers)
	return r.do(ctx, func(s *state) error { return s.publishLayers(source, layers) })
}

func (s *state) publishLayers(source Source, layers []Layer) error {
	show := s.shows[source]
	if source != Camera && source != Screen || show == nil {
		return fmt.Errorf("parley: several sizes of %q: want %s or %s", source, Camera, Screen)
	}
	if len(layers) < 2 || len(layers) > maxLayers {
		return fmt.Errorf("parley: %d sizes of a picture: 2 to %d are allowed", len(layers), maxLayers)
	}
	for i, l := range layers {
		if !named(l.RID) || slices.ContainsFunc(layers[:i], func(x Layer) bool { return x.RID == l.RID }) {
			return fmt.Errorf("parley: a size of a picture called %q: each needs a name of its own, 1 to 16 letters and digits", l.RID)
		}
		if err := show.fits(l.Media); err != nil {
			return err
		}
	}
	return s.begin(source, layers)
}

// named reports whether a name is one of RFC 8851.
func named(rid string) bool {
	for _, c := range rid {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return rid != "" && len(rid) <= 16
}

// rids are the names of the sizes that are published; one that is published alone has the name "".
func (w *show) rids() (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.sizes {
		list = append(list, x.rid)
	}
	return list
}

// wish is the size that an outlet is to get, nil for none: the one of its name, or, where there is one outlet for all, the
// largest, as long as the section does not fit what is published. The lock is held.
func (w *show) wish(out *outlet) *size {
	if len(w.sizes) == 0 {
		return nil
	}
	if out.rid == "" {
		return w.sizes[len(w.sizes)-1]
	}
	for _, x := range w.sizes {
		if x.rid == out.rid {
			return x
		}
	}
	if out.top {
		return w.sizes[len(w.sizes)-1]
	}
	return nil
}

// leads reports whether a frame of a size goes to an outlet. An outlet begins, and goes over to another size, at a key
// frame. The lock is held.
func (w *show) leads(x *size, out *outlet, frame []byte) bool {
	if w.wish(out) != x {
		return false
	}
	if !out.opens() {
		out.from = nil // it begins anew
		return false
	}
	if out.from != x && x.rid != "" && frame[0]&1 != 0 { // RFC 6386 §9.1
		return false
	}
	out.from = x
	return true
}

// ask asks for a key frame of what an outlet gets, as refresh does.
func (w *show) ask(out *outlet, soon bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x := w.wish(out); x != nil {
		x.refresh(soon)
	}
}

// shapes are the outlets that a section for what is published has, one for each size.
func (w *show) shapes(x func() string) (list []*outlet) {
	rids := w.rids()
	if len(rids) < 2 {
		return []*outlet{newOutlet(w.source, w)}
	}
	for i, rid := range rids {
		out := newOutlet(w.source, w)
		out.rid, out.top, out.mid = rid, i == len(rids)-1, x
		list = append(list, out)
	}
	return list
}

// fitsSection reports whether a section with these outlets is one for what is published.
func (w *show) fitsSection(list []*outlet) bool {
	rids := w.rids()
	if len(rids) < 2 {
		return len(list) == 1
	}
	return slices.EqualFunc(list, rids, func(out *outlet, rid string) bool { return out.rid == rid })
}

// fits reports whether the sections of a link with the hub are ones for what is published.
func (s *state) fits(t *trunk) bool {
	return s.listens() || !slices.ContainsFunc([]Source{Camera, Screen}, func(source Source) bool {
		show := s.shows[source]
		return show.media != nil && !show.fitsSection(t.outlets[source])
	})
}

// refit makes another link with the hub when the one there is does not fit what is published: how many sizes a section has is
// agreed upon once. It takes over when it is up.
func (s *state) refit() {
	t := s.hub.next
	if t == nil {
		t = s.hub.main
	}
	if t == nil || t.gone || s.fits(t) || s.now.Before(s.hub.refit) {
		return
	}
	s.hub.refit = time.Time{}
	s.replaceTrunk(t.how, "a picture comes in other sizes")
	if s.hub.next == nil { // it could not even be begun
		s.planRefit()
	}
}

// planRefit sets when refit tries again.
func (s *state) planRefit() {
	h := &s.hub
	h.refit = s.now.Add(min(lastHubRetry, hubRetry<<min(h.refits, 10)))
	h.refits++
}

// wanted are the names of the sizes that leave by some link.
func (w *show) wanted() (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.sizes {
		for out := range w.to {
			if w.wish(out) == x && out.opens() {
				list = append(list, x.rid)
				break
			}
		}
	}
	return list
}

// tellLayers tells which sizes of our pictures anybody gets, when that changed.
func (s *state) tellLayers() {
	for _, source := range []Source{Camera, Screen} {
		show := s.shows[source]
		if len(show.rids()) < 2 {
			delete(s.layers, source)
			continue
		}
		old, known := s.layers[source]
		if now := show.wanted(); !known || !slices.Equal(old, now) {
			s.layers[source] = now
			s.emit(LayersWanted{Source: source, RIDs: slices.Clone(now)})
		}
	}
}

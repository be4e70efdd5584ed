package sfu

import (
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/bwe"
	"github.com/parley-rtc/parley/internal/rtp"
)

// Room is the forwarding of one room.
type Room struct {
	cfg     Config
	epoch   time.Time
	now     time.Time
	t       int64 // now, in ns since a second before the epoch; 0 means never
	persons []*Person
	seats   map[string]*Person
	chance  uint64
	next    int64 // when Tick is due
	ticked  int64
	dirty   bool // what is wanted of publishers may have changed
	stage   stage
	settled uint64 // counts who was settled
	// scratch and told are room for feedback as it is read and written, lost for what is missing.
	scratch []rtp.Arrival
	told    []bwe.Arrival
	lost    [64]uint16
}

// NewRoom returns an empty room. now is the beginning of its time.
func NewRoom(now time.Time, cfg Config) *Room {
	return &Room{
		cfg: cfg.WithDefaults(), epoch: now, now: now, t: second, seats: map[string]*Person{}, chance: cfg.Seed,
		scratch: make([]rtp.Arrival, 0, bwe.MostReported), told: make([]bwe.Arrival, 0, bwe.MostReported),
	}
}

// pass lets time go on to now.
func (r *Room) pass(now time.Time) int64 {
	if t := int64(now.Sub(r.epoch)) + second; t > r.t {
		r.t, r.now = t, now
	}
	return r.t
}

// ntp is t as NTP has it: our clock at the beginning, and what has passed since, so that it never jumps.
func (r *Room) ntp(t int64) uint64 { return rtp.NTP(r.epoch.UnixNano()) + ntpOf(t-second) }

// wake makes Tick due at t.
func (r *Room) wake(t int64) {
	if r.next == 0 || t < r.next {
		r.next = t
	}
}

// random is SplitMix64: numbers that an outsider, who does not know the seed, does not foresee from a few of them.
func (r *Room) random() uint64 {
	r.chance += 0x9E3779B97F4A7C15
	z := r.chance
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// Enter lets a person in. Who has the seat already is replaced: what they publish and see ends. w seals with keys that no other
// person's Way has or had: numbers begin anew.
func (r *Room) Enter(now time.Time, seat string, w Way) *Person {
	r.Leave(now, seat)
	t := r.pass(now)
	p := &Person{room: r, seat: seat, way: w}
	p.up.police.at, p.up.control.at = t-burst, t-burst
	p.down.begin(now, r)
	r.persons = append(r.persons, p)
	r.seats[seat] = p
	r.wake(t)
	return p
}

// Leave takes a person out. Their places and sources are gone; packets that still come for them are ignored.
func (r *Room) Leave(now time.Time, seat string) {
	p := r.seats[seat]
	if p == nil {
		return
	}
	t := r.pass(now)
	p.gone = true
	delete(r.seats, seat)
	r.persons = slices.DeleteFunc(r.persons, func(o *Person) bool { return o == p })
	for _, src := range p.up.sources {
		src.close(t)
	}
	for _, pl := range p.down.places {
		pl.show(t, nil)
	}
	p.up.sources, p.up.bindings = nil, nil
	for _, o := range r.persons {
		for _, src := range o.up.sources {
			delete(src.credits, p)
		}
	}
	r.stage.forget(p)
	r.settle(t)
}

// Person returns who has the seat, nil when nobody has.
func (r *Room) Person(seat string) *Person { return r.seats[seat] }

// Agree takes what was negotiated with the person: all sections of the connection, and the names of the sources they publish. A
// source or place that is as it was goes on undisturbed.
func (p *Person) Agree(now time.Time, sections []Section, tracks []Track) {
	if p.gone {
		return
	}
	t := p.room.pass(now)
	sections = slices.Clone(sections[:min(len(sections), MaxSections)])
	for _, pl := range p.down.places {
		p.down.retire(pl)
	}
	p.down.agreed(sections)
	p.up.table = rtp.Table{}
	var sources []*source
	var places []*place
	for i := range sections {
		section := &sections[i]
		for id, kind := range section.Extensions {
			if kind != rtp.NoKind {
				p.up.table[id] = kind
			}
		}
		if name, ok := nameOf(section, tracks); ok {
			sources = append(sources, p.up.keep(p, section, name))
		}
		if section.Receives && !taken(places, section) {
			places = append(places, p.down.keep(p, section))
		}
	}
	old := p.up.sources
	p.up.sources = sources
	for _, src := range old {
		if !slices.Contains(sources, src) {
			src.close(t)
		}
	}
	p.up.bind()
	for _, pl := range p.down.places {
		if !slices.Contains(places, pl) {
			pl.show(t, nil)
		}
	}
	p.down.places = places
	for _, src := range sources { // formats may have changed
		for _, pl := range src.subs {
			pl.matchFormats()
		}
	}
	for _, pl := range places {
		if pl.source != nil {
			pl.matchFormats()
			pl.keepCopies()
		}
	}
	p.room.settle(t)
}

// taken reports whether a section's sources are those of another place, or none: two that count for themselves would use numbers
// twice.
func taken(places []*place, section *Section) bool {
	if section.SSRC == 0 || section.SSRC == section.RTX {
		return true
	}
	for _, pl := range places {
		for _, ssrc := range [2]uint32{pl.section.SSRC, pl.section.RTX} {
			if ssrc != 0 && (ssrc == section.SSRC || ssrc == section.RTX) {
				return true
			}
		}
	}
	return false
}

func nameOf(section *Section, tracks []Track) (string, bool) {
	if !section.Publishes {
		return "", false
	}
	for _, track := range tracks {
		if track.MID == section.MID {
			return track.Source, true
		}
	}
	return "", false
}

// keep returns the source that goes on as the section, or a new one.
func (u *uplink) keep(p *Person, section *Section, name string) *source {
	for _, src := range u.sources {
		if src.fits(section, name) {
			src.agree(section)
			return src
		}
	}
	return newSource(p, section, name)
}

func (d *downlink) keep(p *Person, section *Section) *place {
	for _, pl := range d.places {
		if pl.section.MID == section.MID && pl.section.SSRC == section.SSRC && pl.section.RTX == section.RTX && pl.section.Kind == section.Kind {
			pl.section = section
			return pl
		}
	}
	pl := newPlace(p, section)
	if top, ok := d.spent[section.SSRC]; ok {
		pl.numbers.top = top
	}
	if seq, ok := d.spent[section.RTX]; ok {
		pl.tally.repairSeq = seq
	}
	return pl
}

// retire notes which numbers of a place's sources are used: should another place have them from now on, it goes on behind them.
func (d *downlink) retire(pl *place) {
	if d.spent == nil {
		d.spent = map[uint32]int64{}
	}
	d.spent[pl.section.SSRC] = max(pl.numbers.top, pl.numbers.last-pl.numbers.by.offset)
	if pl.section.RTX != 0 {
		d.spent[pl.section.RTX] = pl.tally.repairSeq
	}
}

// Show says what the video places are to show from now on; places that are not named show nothing. Something that is not there
// yet is shown as soon as it is. Places for sound are filled by the room, but for those that a want puts on somebody: these play
// that source and no other. A source is shown on one place, the first that wants it.
func (p *Person) Show(now time.Time, wants []Want) {
	if p.gone {
		return
	}
	t := p.room.pass(now)
	for _, pl := range p.down.places {
		pl.want = Want{MID: pl.section.MID}
		for i := range wants[:min(len(wants), MaxSections)] {
			if wants[i].MID == pl.section.MID {
				pl.want = wants[i]
			}
		}
	}
	p.settle(t)
	p.allocate(t)
	p.room.dirty = true
	p.room.wake(t)
}

// settle puts onto every place what it is to show.
func (r *Room) settle(t int64) {
	r.stage.rank(r, t)
	for _, p := range r.persons {
		p.settle(t)
	}
}

// settle shows each source on one place, the first that wants it: every other one would cost us each packet again, and shows nothing
// new. What a place is pinned to is not played on one that the room fills.
func (p *Person) settle(t int64) {
	r := p.room
	r.settled++
	for _, pl := range p.down.places {
		if pl.open() {
			continue
		}
		src := r.source(pl.want.Seat, pl.want.Source, pl.section.Kind)
		if src != nil && src.settled == r.settled {
			src = nil
		}
		if src != nil {
			src.settled = r.settled
		}
		pl.show(t, src)
	}
	for _, pl := range p.down.places {
		if pl.open() && pl.source != nil && pl.source.settled == r.settled {
			pl.show(t, nil)
		}
	}
	p.seatSounds(t)
}

// source finds what a seat publishes under a name.
func (r *Room) source(seat, name string, kind Kind) *source {
	p := r.seats[seat]
	if p == nil || seat == "" {
		return nil
	}
	for _, src := range p.up.sources {
		if src.name == name && src.kind == kind {
			return src
		}
	}
	return nil
}

package hub

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/sfu"
)

// news says what a client is to be told.
type news struct{ places, speakers, layers, network bool }

// again is after how long a client is told what it had no room for.
const again = 100 * time.Millisecond

// channel is what is needed of a data channel to be told something.
type channel interface {
	Send(data []byte, text bool) error
}

// placesNow, speakersNow and layersNow are what clients are told.
type placesNow struct {
	Type   string     `json:"type"`
	Places []placeNow `json:"places"`
}

type placeNow struct {
	Mid    string `json:"mid"`
	Seat   string `json:"seat"`
	Source string `json:"source"`
	Paused string `json:"paused,omitempty"`
}

type speakersNow struct {
	Type     string   `json:"type"`
	Speakers []string `json:"speakers"`
}

type layersNow struct {
	Type   string   `json:"type"`
	Layers []layers `json:"layers"`
}

// layers are the encodings of a section that somebody wants.
type layers struct {
	Mid  string   `json:"mid"`
	RIDs []string `json:"rids"`
}

// Told notes what the forwarder of a room says: mediaserver.Listener. It is told to those whom it concerns by a goroutine.
func (h *Hub) Told(name string, e sfu.Event) {
	r := h.find(name)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := e.(type) {
	case sfu.PlacesChanged:
		if l := r.seats[e.Seat]; l != nil {
			l.places, l.news.places = e.Places, true
		}
	case sfu.Speakers:
		r.speakers = r.speakers[:0:0]
		for _, s := range e.Speakers {
			if !slices.Contains(r.speakers, s.Seat) {
				r.speakers = append(r.speakers, s.Seat)
			}
		}
		for _, l := range r.seats {
			l.news.speakers = true
		}
	case sfu.Layers:
		if l := r.seats[e.Seat]; l != nil {
			l.want(e)
		}
	}
	r.wake()
}

// want notes which encodings of a section somebody wants.
func (l *link) want(e sfu.Layers) {
	l.news.layers = true
	l.layers = slices.DeleteFunc(l.layers, func(y layers) bool { return y.Mid == e.MID })
	l.layers = append(l.layers, layers{e.MID, append([]string{}, e.RIDs...)})
}

// opened notes that a client can be told something, and tells it everything.
func (r *room) opened(l *link, ch channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.ended {
		return
	}
	l.control = ch
	l.news = news{places: l.places != nil, speakers: len(r.speakers) > 0, layers: len(l.layers) > 0, network: len(r.networks()) > 0}
	r.wake()
}

// wake has somebody tell what has changed, with the mutex held.
func (r *room) wake() {
	if !r.telling {
		r.telling = r.hub.run(r.tell)
	}
}

// letter is a message to a client.
type letter struct {
	to   *link
	at   channel
	what news // what is to be said again if it does not get through
	text []byte
}

// tell tells until everybody knows everything, or has no room for it.
func (r *room) tell() {
	for {
		r.mu.Lock()
		post := r.collect()
		if len(post) == 0 {
			r.telling = false
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		full := false
		for _, p := range post {
			if err := p.at.Send(p.text, true); errors.Is(err, dtlsserver.ErrFull) {
				full = true
				r.mu.Lock()
				p.to.news.add(p.what)
				r.mu.Unlock()
			}
		}
		if !full {
			continue
		}
		select {
		case <-time.After(again):
		case <-r.hub.base.Done():
			return
		}
	}
}

func (n *news) add(o news) {
	n.places, n.speakers, n.layers, n.network = n.places || o.places, n.speakers || o.speakers, n.layers || o.layers, n.network || o.network
}

// collect takes everything that is to be told, with the mutex held.
func (r *room) collect() (post []letter) {
	var speakers []byte
	for _, l := range r.seats {
		if l.control == nil {
			continue
		}
		if l.news.places {
			post = append(post, letter{l, l.control, news{places: true}, text(placesNow{"places", shown(l.places)})})
		}
		if l.news.speakers {
			if speakers == nil {
				speakers = text(speakersNow{"speakers", append([]string{}, r.speakers...)})
			}
			post = append(post, letter{l, l.control, news{speakers: true}, speakers})
		}
		if l.news.layers {
			post = append(post, letter{l, l.control, news{layers: true}, text(layersNow{"layers", l.layers})})
		}
		if l.news.network {
			post = append(post, letter{l, l.control, news{network: true}, text(networkNow{"network", r.networks()})})
		}
		l.news = news{}
		for _, b := range l.told {
			post = append(post, letter{to: l, at: l.control, text: b})
		}
		l.told, l.waiting = nil, 0
	}
	return post
}

// shown is what a client is told of its places. Empty ones are left out.
func shown(places []sfu.Place) []placeNow {
	all := []placeNow{}
	for _, p := range places {
		if p.State != sfu.Empty {
			all = append(all, placeNow{p.MID, p.Seat, p.Source, reasons[p.State]})
		}
	}
	return all
}

// reasons why a place shows nothing for now, which its client does not know by itself.
var reasons = map[sfu.State]string{sfu.Starved: "bandwidth", sfu.Unplayable: "codec", sfu.Silent: "publisher"}

// text writes a message of ours.
func text(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("hub: a message of ours cannot be written: " + err.Error())
	}
	return b
}

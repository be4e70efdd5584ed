package parley

import (
	"fmt"

	"github.com/parley-rtc/parley/internal/signal"
)

// publish begins to send media as source.
func (s *state) publish(source Source, media Media) error {
	show := s.shows[source]
	if show == nil {
		return fmt.Errorf("parley: no source %q", source)
	}
	if err := show.fits(media); err != nil {
		return err
	}
	return s.begin(source, []Layer{{Media: media}})
}

// begin begins to send what fits its source.
func (s *state) begin(source Source, layers []Layer) error {
	show := s.shows[source]
	show.stop()
	delete(s.layers, source) // whoever publishes anew knows nothing of what was told before
	media := layers[len(layers)-1].Media
	show.startLayers(&s.running, layers, func(err error) {
		s.post(func(s *state) { s.finished(source, media, err) })
	})
	s.turn(source, true)
	s.redeclare()
	s.declare()
	return nil
}

func (s *state) unpublish(source Source) error {
	show := s.shows[source]
	if show == nil || show.media == nil {
		return fmt.Errorf("parley: %q is not published", source)
	}
	show.stop()
	s.turn(source, false)
	s.declare()
	return nil
}

// finished is the end of media, as long as source still shows it.
func (s *state) finished(source Source, media Media, err error) {
	if s.shows[source].media != media {
		return
	}
	if err != nil {
		s.trouble(fmt.Errorf("parley: %s: %w", source, err))
	}
	_ = s.unpublish(source) // it is published
}

// media turns published sources on and off.
func (s *state) media(on MediaState) error {
	for _, source := range Sources() {
		s.turn(source, *flag(&on, source))
	}
	s.declare()
	return nil
}

// turn sets one source, without telling anybody.
func (s *state) turn(source Source, on bool) {
	show := s.shows[source]
	if show == nil {
		return // a source of a newer server
	}
	on = on && show.media != nil && !s.listens()
	*flag(&s.on, source) = on
	show.turn(on)
}

// declare tells the others what we send, when that changed.
func (s *state) declare() {
	if s.me == "" || s.on == s.declared {
		return
	}
	s.declared = s.on
	_ = s.send(&signal.Media{Media: s.on}) // an overflow has ended the room
}

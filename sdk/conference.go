package parley

import (
	"context"

	"github.com/parley-rtc/parley/internal/signal"
)

// ReactionKind is a sign that everybody sees for a moment.
type ReactionKind = signal.ReactionKind

// The reactions.
const (
	ReactionLike      = signal.ReactionLike
	ReactionLove      = signal.ReactionLove
	ReactionLaugh     = signal.ReactionLaugh
	ReactionSurprise  = signal.ReactionSurprise
	ReactionApplause  = signal.ReactionApplause
	ReactionCelebrate = signal.ReactionCelebrate
)

// Speakers returns the seats of those who speak, the loudest first, as the hub hears them; nobody in a direct call.
// SpeakersChanged tells of changes.
func (r *Room) Speakers(ctx context.Context) (seats []string, err error) {
	err = r.do(ctx, func(s *state) error {
		seats = append(seats, s.hub.speakers...)
		return nil
	})
	return seats, err
}

// Withheld returns why a picture that is wanted does not come by the hub, "" when nothing keeps it.
func (r *Room) Withheld(ctx context.Context, seat string, source Source) (why Withheld, err error) {
	err = r.do(ctx, func(s *state) error {
		why = s.hub.withheld[seat][source]
		return nil
	})
	return why, err
}

// Hand raises our hand, or lowers it. Everybody sees it in Person.Hand.
func (r *Room) Hand(ctx context.Context, up bool) error { return r.ask(ctx, &signal.Hand{Up: up}) }

// LowerHand lowers somebody else's hand. Hosts only.
func (r *Room) LowerHand(ctx context.Context, seat string) error {
	return r.ask(ctx, &signal.Hand{Seat: seat})
}

// React shows everybody a sign, us included (event Reaction). One a second, five at once; more are refused with "busy".
func (r *Room) React(ctx context.Context, kind ReactionKind) error {
	return r.ask(ctx, &signal.Reaction{Kind: kind})
}

// Role makes a host, speaker or listener of somebody, oneself included. Hosts only. The last host stays host, and a
// listener becomes a speaker by Invite only; both are refused with "order".
func (r *Room) Role(ctx context.Context, seat string, role Role) error {
	return r.ask(ctx, &signal.SetRole{Seat: seat, Role: role})
}

// Invite invites a listener to speak, or takes that back. Hosts only.
func (r *Room) Invite(ctx context.Context, seat string, on bool) error {
	return r.ask(ctx, &signal.Invite{Seat: seat, On: on})
}

// Speak answers an invitation: on makes a speaker of us, off declines. A speaker who says off becomes a listener. What is
// published is sent after Media has turned it on.
func (r *Room) Speak(ctx context.Context, on bool) error { return r.ask(ctx, &signal.Speak{On: on}) }

// MuteAll turns off a source of everybody but the hosts, who alone can turn it on again. Hosts only.
func (r *Room) MuteAll(ctx context.Context, source Source) error {
	return r.ask(ctx, &signal.MuteAll{Source: source})
}

// listens reports whether we are a listener, who sends nothing.
func (s *state) listens() bool {
	me := s.people[s.me]
	return me != nil && me.Role == signal.RoleListener
}

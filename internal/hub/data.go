package hub

import (
	"github.com/parley-rtc/parley/internal/dtlsserver"
	"github.com/parley-rtc/parley/internal/mediaserver"
)

// Opened notes a data channel: mediaserver.Data.
func (h *Hub) Opened(at mediaserver.Link, ch *dtlsserver.Channel) {
	l := h.linked(at)
	if l == nil {
		return
	}
	if ch.ID == controlID {
		l.session.room.opened(l, ch)
	}
}

// Message takes a message of a client's: mediaserver.Data.
func (h *Hub) Message(at mediaserver.Link, ch *dtlsserver.Channel, message []byte, text bool) {
	l := h.linked(at)
	if l == nil {
		return
	}
	if ch.ID == controlID {
		h.heard(l, message, text)
	}
}

// Low says that there is room again: mediaserver.Data.
func (h *Hub) Low(mediaserver.Link, *dtlsserver.Channel) {}

// Closed notes that a data channel has closed: mediaserver.Data.
func (h *Hub) Closed(mediaserver.Link, *dtlsserver.Channel) {}

package whipserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
	"github.com/parley-rtc/parley/internal/signal"
)

// problem is why a request is refused, and what to do about it (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Code is for programs: one of signal.Code, or a word for what only these protocols have.
	Code string `json:"code"`
	// Detail is for people.
	Detail string `json:"detail"`

	retry  int    // seconds until it makes sense to try again
	header string // a further header, and its value
	value  string
}

func refuse(status int, code, words string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: words}
}

// after says when to try again.
func (p *problem) after(seconds int) *problem {
	p.retry = seconds
	return p
}

// with adds a header.
func (p *problem) with(name, value string) *problem {
	p.header, p.value = name, value
	return p
}

func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	if p.header != "" {
		h.Set(p.header, p.value)
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // whoever asked has gone, then
}

// refusal puts a room's fault into HTTP's words. token says whether the request had one.
func refusal(k kind, fault *signal.Error, token bool) *problem {
	p := refuse(http.StatusInternalServerError, string(fault.Code), fault.Words)
	set := func(status int) *problem {
		p.Status, p.Title = status, http.StatusText(status)
		return p
	}
	switch fault.Code {
	case signal.CodeNoRoom:
		switch {
		case k == whep: // the draft's answer where nothing is published yet
			return set(http.StatusConflict).after(5)
		case token:
			return set(http.StatusNotFound)
		}
		p.Detail = "this room is not open. Send the room's token (parley token ROOM --encoder NAME prints one) as bearer token, or wait until somebody is in it"
		return set(http.StatusUnauthorized).with("WWW-Authenticate", `Bearer realm="parley"`)
	case signal.CodeLocked, signal.CodeRemoved, signal.CodeForbidden, signal.CodeEncrypted:
		return set(http.StatusForbidden)
	case signal.CodeFull:
		return set(http.StatusServiceUnavailable).after(30)
	case signal.CodeBusy:
		return set(http.StatusTooManyRequests).after(10)
	case signal.CodeNoHub, signal.CodeOrder:
		return set(http.StatusConflict).after(30)
	}
	return p
}

// mediaFault puts a fault of the hub into HTTP's words.
func mediaFault(err error) *problem {
	var fault *sdp.Fault
	switch {
	case errors.As(err, &fault):
		return malformed("offer", fault)
	case errors.Is(err, mediaserver.ErrFull):
		return refuse(http.StatusServiceUnavailable, "full", "the server carries as many connections as it may; try again later").after(30)
	case errors.Is(err, mediaserver.ErrClosed):
		return refuse(http.StatusServiceUnavailable, "busy", "the server is going down; try again in a few seconds").after(5)
	case errors.Is(err, mediaserver.ErrUnknown):
		return gone()
	}
	return refuse(http.StatusServiceUnavailable, "busy", "the hub does not answer now; try again").after(2)
}

func malformed(what string, f *sdp.Fault) *problem {
	words := "the " + what + " cannot be read: "
	if f.Line > 0 {
		words += "line " + strconv.Itoa(f.Line) + " (" + f.Text + "): "
	}
	return refuse(http.StatusBadRequest, "malformed", words+f.Why)
}

func gone() *problem {
	return refuse(http.StatusNotFound, "unknown", "there is no such session, or not any more; make a new one with POST")
}

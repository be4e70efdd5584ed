package whipserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/parley-rtc/parley/internal/ice"
	"github.com/parley-rtc/parley/internal/mediaserver"
	"github.com/parley-rtc/parley/internal/sdp"
)

// patch takes candidates, or begins ICE anew (RFC 9725 §4.3).
func (s *Server) patch(w http.ResponseWriter, r *http.Request, k kind, room, id string) *problem {
	x := s.find(k, room, id)
	if x == nil {
		return gone()
	}
	text, p := body(w, r, typeFragment, maxPatch)
	if p != nil {
		return p
	}
	match := strings.Join(r.Header.Values("If-Match"), ",")
	if match == "" {
		return refuse(http.StatusPreconditionRequired, "order", `send If-Match with the ETag of the session's last answer, or "*" to restart ICE (RFC 9725 §4.3)`)
	}
	f, err := sdp.ParseFragment(text)
	if err != nil {
		var fault *sdp.Fault
		if !errors.As(err, &fault) {
			fault = &sdp.Fault{Why: err.Error()}
		}
		return malformed("fragment", fault)
	}
	x.patching.Lock()
	defer x.patching.Unlock()
	if any := strings.Trim(strings.TrimSpace(match), `"`) == "*"; !any && !matches(match, x.tag()) {
		return refuse(http.StatusPreconditionFailed, "order", "ICE has been restarted since that ETag; send what belongs to the new one, with its ETag")
	} else if f.ICE.Ufrag == "" || f.ICE.Ufrag == x.theirs.Ufrag && f.ICE.Password == x.theirs.Password && (!any || x.restarts == 0) {
		// The hub learns addresses from checks: candidates tell it nothing (RFC 8445 §2.5, ICE-lite).
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return x.restart(w, r, f)
}

// restart begins ICE anew, or says again what was said when the answer to a restart was lost. patching is held.
func (x *session) restart(w http.ResponseWriter, r *http.Request, f *sdp.Fragment) *problem {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	ours, err := x.server.cfg.Media.Restart(ctx, x.at, ice.Credentials{Ufrag: f.ICE.Ufrag, Password: f.ICE.Password})
	switch {
	case errors.Is(err, mediaserver.ErrUnknown):
		return gone()
	case err != nil:
		return mediaFault(err)
	}
	if f.ICE.Ufrag != x.theirs.Ufrag || f.ICE.Password != x.theirs.Password {
		x.theirs = f.ICE
		x.restarts++
	}
	h := w.Header()
	h.Set("Content-Type", typeFragment)
	h.Set("ETag", x.tag())
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, f.Answer(ours, x.server.cfg.Candidates(x.host)))
	return nil
}

// matches compares entity tags strongly (RFC 9110 §13.1.1).
func matches(list, tag string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(item) == tag {
			return true
		}
	}
	return false
}

package httpserver

import (
	"net/http"
	"strings"

	"github.com/parley-rtc/parley/internal/signal"
)

// room answers /r/{name}: the page, which reads the name from its own address. Names that cannot be a room's are told
// so at once; capitals are put right, since phones capitalise what people type.
func (s *Server) room(w http.ResponseWriter, r *http.Request, name string) {
	switch lower := strings.ToLower(name); {
	case validRoom(name):
		s.site.index.serve(w, r)
	case validRoom(lower):
		w.Header().Set("Cache-Control", cacheAsk)
		http.Redirect(w, r, "/r/"+lower, http.StatusPermanentRedirect) // browsers keep the fragment
	default:
		s.site.missing.serve(w, r)
	}
}

// validRoom follows signal.Hello.Room.
func validRoom(name string) bool {
	return name != "" && len(name) <= signal.MaxRoom && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// recordPage reports whether path is /calls/{id}: the page, which reads the id from its own address and asks the API.
func recordPage(path string) bool {
	id, ok := strings.CutPrefix(path, "/calls/")
	return ok && id != "" && len(id) <= signal.MaxID && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

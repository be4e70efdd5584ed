package apiserver

import (
	"net/http"
	"strconv"
	"strings"
)

// Metric is a number for monitoring.
type Metric struct {
	// Name is in snake case, with the unit at its end; counters end in _total.
	Name string
	// Help is a sentence.
	Help string
	// Value is as of now; of a counter, since the start.
	Value float64
}

// metrics answers in the text format of Prometheus (version 0.0.4).
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if who, ok := s.who(w, r); !ok {
		return
	} else if !who.admin {
		refuse(w, http.StatusForbidden, "forbidden", "Only the admin may read these; this token is for one call.")
		return
	}
	var b strings.Builder
	if s.cfg.Metrics != nil {
		for _, m := range s.cfg.Metrics() {
			kind := "gauge"
			if strings.HasSuffix(m.Name, "_total") {
				kind = "counter"
			}
			b.WriteString("# HELP " + m.Name + " " + m.Help + "\n# TYPE " + m.Name + " " + kind + "\n")
			b.WriteString(m.Name + " " + strconv.FormatFloat(m.Value, 'g', -1, 64) + "\n")
		}
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(b.String())) // a client that is gone needs no answer
}

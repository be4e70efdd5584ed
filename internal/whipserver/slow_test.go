package whipserver

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slow is the writer of an answer to a client that does not read it until it is let go.
type slow struct {
	*httptest.ResponseRecorder
	wait <-chan struct{}
}

func (s slow) Write(b []byte) (int, error) {
	<-s.wait
	return s.ResponseRecorder.Write(b)
}

// TestSlowClients: those who send their offer slowly, or do not read the answer, keep nobody else out, and what may be on its way
// is bounded for each address.
func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t)
		offer := publisher(t)
		var clients sync.WaitGroup
		answers := make([]*httptest.ResponseRecorder, 0, 300)
		wait := make(chan struct{})
		send := func(from int, body io.Reader) {
			r := httptest.NewRequest(http.MethodPost, "http://localhost:8443/whip/tea", body)
			r.Header.Set("Content-Type", typeSDP)
			r.RemoteAddr = fmt.Sprintf("192.0.2.%d:5", from)
			w := slow{httptest.NewRecorder(), wait}
			answers = append(answers, w.ResponseRecorder)
			clients.Go(func() { h.ServeHTTP(w, r) })
		}
		var writers []*io.PipeWriter
		for i := range 100 { // of ten addresses
			body, writer := io.Pipe()
			writers = append(writers, writer)
			send(i/10, body)
			go func() { _, _ = io.WriteString(writer, offer[:100]) }()
		}
		for i := range 100 {
			send(100+i, strings.NewReader(offer))
		}
		synctest.Wait()
		h.from = "127.0.0.1:5"
		if w := h.do(http.MethodPost, "/whip/tea", typeSDP, offer); w.Code != http.StatusCreated {
			t.Errorf("while others are slow: %d %s", w.Code, w.Body)
		}
		refused := 0
		for i := range 2 * maxBodiesEach {
			body, writer := io.Pipe()
			writers = append(writers, writer)
			send(201, body)
			synctest.Wait()
			if len(h.limit.bodies) > 11 || h.limit.coming > 100+maxBodiesEach {
				t.Fatalf("%d are on their way after %d", h.limit.coming, i)
			}
		}
		time.Sleep(time.Second)
		for _, writer := range writers {
			go func() { _ = writer.CloseWithError(io.ErrUnexpectedEOF) }()
		}
		close(wait)
		clients.Wait()
		made := 0
		for _, w := range answers {
			switch w.Code {
			case http.StatusServiceUnavailable:
				refused++
			case http.StatusCreated:
				made++
			}
		}
		if made != 100 || refused != maxBodiesEach || h.limit.coming != 0 || len(h.limit.bodies) != 0 || len(h.busy) != 0 {
			t.Errorf("%d made, %d refused, %d bodies are still coming, %d places taken", made, refused, h.limit.coming, len(h.busy))
		}
	})
}

package signalserver

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
)

// Sizes of a socket's buffers in bytes. net/http's are 4 KiB each, which would be half of what an idle session costs;
// most messages fit in these, and longer ones bypass them.
const (
	readBuffer  = 512
	writeBuffer = 1024
)

// hijacker hands a connection over with small buffers, and keeps hold of it for deadlines.
type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

// truncated is a connection whose end never looks like the end of a message: the WebSocket library takes an io.EOF
// between two reads of one frame for that, and would hand on half a message as a whole one.
type truncated struct{ net.Conn }

// Read implements net.Conn.
func (c truncated) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn = truncated{conn}
	h.conn = conn
	early, err := rw.Peek(rw.Reader.Buffered()) // what the client sent without waiting
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn), max(readBuffer, len(early)))
	if _, err := r.Peek(len(early)); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, writeBuffer)), nil
}

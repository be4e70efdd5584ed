package dtlsserver

import (
	"bytes"
	"net"
	"time"

	"github.com/pion/transport/v4/packetio"
)

// wire is what pion takes for a socket: datagrams come out of a bounded buffer and go to the owner.
type wire struct {
	in  *packetio.Buffer
	out func(datagram []byte)
}

// address is a wire's, which has none: where packets come from and go to is for ICE to say.
type address struct{}

func (address) Network() string { return "ice" }
func (address) String() string  { return "ice" }

func newWire(out func([]byte)) *wire {
	w := &wire{in: packetio.NewBuffer(), out: out}
	w.in.SetLimitCount(waiting)
	w.in.SetLimitSize(waitingBytes)
	return w
}

// put is false when the datagram was dropped.
func (w *wire) put(datagram []byte) bool {
	_, err := w.in.Write(datagram)
	return err == nil
}

// ReadFrom, WriteTo and the rest are net.PacketConn.
func (w *wire) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := w.in.Read(p)
	return n, address{}, err
}

func (w *wire) WriteTo(p []byte, _ net.Addr) (int, error) {
	w.out(bytes.Clone(p))
	return len(p), nil
}

func (w *wire) Close() error                      { return w.in.Close() }
func (w *wire) LocalAddr() net.Addr               { return address{} }
func (w *wire) SetDeadline(t time.Time) error     { return w.in.SetReadDeadline(t) }
func (w *wire) SetReadDeadline(t time.Time) error { return w.in.SetReadDeadline(t) }
func (w *wire) SetWriteDeadline(time.Time) error  { return nil }

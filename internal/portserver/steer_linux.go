package portserver

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// steer has the kernel choose among the sockets that share a port by these headings (SO_ATTACH_REUSEPORT_CBPF, since Linux 4.5;
// anybody may). raw is one of the sockets; a loop's number is its socket's place in the order of binding.
func steer(raw syscall.RawConn, headings []heading) error {
	filter := program(headings)
	var fault error
	err := raw.Control(func(fd uintptr) {
		fault = os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}))
	})
	return errors.Join(err, fault)
}

// Where a program finds what it looks at: the kernel shows it a packet from the payload of UDP on, with the network's header at
// an address of its own. Options and extension headers are not expected; they make a wrong number, which is no harm.
const (
	network = 0xfff00000 // SKF_NET_OFF

	version4 = 0x40
	source4  = network + 12
	port4    = network + 20
	source6  = network + 8
	port6    = network + 40
)

// bucket is how many headings are compared one by one.
const bucket = 8

// program returns what the kernel runs for each packet: it makes the sender's number, as senderOf does, and looks it up.
func program(headings []heading) []unix.SockFilter {
	p := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: network},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: version4, Jf: 5}, // to IPv6's
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: source4},
		{Code: unix.BPF_ALU | unix.BPF_MUL | unix.BPF_K, K: spread},
		{Code: unix.BPF_MISC | unix.BPF_TAX},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: port4},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 1 + 4*4 + 1},
		{Code: unix.BPF_LDX | unix.BPF_IMM, K: 0},
	}
	for word := range uint32(4) {
		p = append(p,
			unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: source6 + 4*word},
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_ADD | unix.BPF_X},
			unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_MUL | unix.BPF_K, K: spread},
			unix.SockFilter{Code: unix.BPF_MISC | unix.BPF_TAX})
	}
	p = append(p,
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: port6},
		unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_XOR | unix.BPF_X})
	return search(p, headings)
}

// search appends the search for the number among headings that are sorted by it.
func search(p []unix.SockFilter, headings []heading) []unix.SockFilter {
	if len(headings) <= bucket {
		for _, h := range headings {
			p = append(p,
				unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: h.sender, Jf: 1},
				unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(h.loop)})
		}
		// There is no such socket, so the kernel takes the one that its hash says.
		return append(p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)})
	}
	middle := len(headings) / 2
	p = append(p,
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, K: headings[middle].sender, Jf: 1},
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA}) // over the lower half
	over := len(p)
	p = search(p, headings[:middle])
	p[over-1].K = uint32(len(p) - over)
	return search(p, headings[middle:])
}

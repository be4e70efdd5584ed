package portserver

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// steer has the kernel choose among the sockets that share a port by these headings (SO_ATTACH_REUSEPORT_CBPF, since Linux 4.5;
// anybody may). raw is one of the sockets; a loop's number is its socket's place in the order of binding.
func steer(raw syscall.RawConn, key steeringKey, headings []heading) error {
	filter := program(key, headings)
	var fault error
	err := raw.Control(func(fd uintptr) {
		fault = os.NewSyscallError("setsockopt", unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}))
	})
	return errors.Join(err, fault)
}

// canSteer returns why packets cannot be steered here. Replacing a program while packets come was a use after free in the kernel
// (CVE-2026-52910), which nobody can try out: only kernels are trusted whose number says that it is mended. Those of distributions
// that mend without changing the number are not among them.
func canSteer() error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return os.NewSyscallError("uname", err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	if !replaces(release) {
		return fmt.Errorf("kernel %s is not known to replace the program of a port safely (CVE-2026-52910)", release)
	}
	return nil
}

// mended are the releases from which on a series is mended, by the CVE's record. So is 7.1 itself, but distributions give its number
// to what came before it, too.
var mended = map[[2]int]int{{5, 10}: 259, {5, 15}: 210, {6, 1}: 176, {6, 6}: 143, {6, 12}: 94, {6, 18}: 36, {7, 0}: 13, {7, 1}: 1}

// replaces reports whether a kernel of this release replaces the program of a port safely.
func replaces(release string) bool {
	var major, minor, patch int
	if n, _ := fmt.Sscanf(release, "%d.%d.%d", &major, &minor, &patch); n < 2 {
		return false
	}
	if major > 7 || major == 7 && minor > 1 {
		return true
	}
	since, known := mended[[2]int{major, minor}]
	return known && patch >= since
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

// program returns what the kernel runs for each packet: it makes the sender's number, as steeringKey does, and looks it up.
func program(key steeringKey, headings []heading) []unix.SockFilter {
	six := []unix.SockFilter(nil)
	for word := range uint32(4) {
		six = mix(six, source6+4*word, key)
	}
	six = append(six, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: port6})
	four := mix(nil, source4, key)
	four = append(four,
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: port4},
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(len(six))})
	p := []unix.SockFilter{
		{Code: unix.BPF_LDX | unix.BPF_IMM, K: key.start},
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: network},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: version4, Jf: uint8(len(four))},
	}
	p = append(append(p, four...), six...)
	p = append(p,
		unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_XOR | unix.BPF_X},
		unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: senderMask})
	return search(p, headings)
}

// mix appends how a word of the address goes into the number, which is in X.
func mix(p []unix.SockFilter, at uint32, key steeringKey) []unix.SockFilter {
	return append(p,
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at},
		unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_ADD | unix.BPF_X},
		unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_MUL | unix.BPF_K, K: key.factor},
		unix.SockFilter{Code: unix.BPF_MISC | unix.BPF_TAX})
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

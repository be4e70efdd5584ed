package srtp_test

import (
	"fmt"

	"github.com/parley-rtc/parley/internal/srtp"
)

// A packet is sealed and opened where it lies.
func ExampleContext() {
	key, salt := []byte("sixteen bytes ok"), []byte("twelve bytes")
	sender, err := srtp.New(srtp.AEADAES128GCM, key, salt)
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver, err := srtp.New(srtp.AEADAES128GCM, key, salt)
	if err != nil {
		fmt.Println(err)
		return
	}
	buf := make([]byte, 1500)
	header := []byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7}
	n := copy(buf, header)
	n += copy(buf[n:], "hello")

	packet, err := sender.SealRTP(buf, len(header), n, 0)
	fmt.Println(len(packet)-n, "bytes more", err)
	plain, err := receiver.OpenRTP(packet, len(header))
	fmt.Println(string(plain[len(header):]), err)
	_, err = receiver.OpenRTP(packet, len(header))
	fmt.Println(err)
	// Output:
	// 16 bytes more <nil>
	// hello <nil>
	// srtp: packet came before or is too old
}

package transfer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// HashSize is the size of a hash.
const HashSize = sha256.Size

// Hash is a SHA-256: of a chunk, of the hashes of chunks, or the root of a file.
type Hash [HashSize]byte

// String is the hash in lower-case hex, as people see it.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what String wrote.
func ParseHash(s string) (h Hash, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != HashSize || hex.EncodeToString(b) != s {
		return h, fmt.Errorf("transfer: %q is no hash", s)
	}
	return Hash(b), nil
}

// Root is the hash of a file of this size whose chunks have these hashes: SHA-256 over the protocol's name and a line
// feed, the size as 64 bits big endian, and the hashes in order.
func Root(size int64, chunks []Hash) Hash {
	h := sha256.New()
	h.Write([]byte(Protocol + "\n"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(size)))
	for i := range chunks {
		h.Write(chunks[i][:])
	}
	return Hash(h.Sum(nil))
}

// page is how many hashes are kept together.
const page = 64

// hashes keeps the hashes of some chunks of a file. Its memory follows what is in it, not the size of the file, which
// is only what the other side says.
type hashes struct {
	pages map[uint32]*[page]Hash
	have  ranges
}

func (h *hashes) set(chunk uint32, hash Hash) {
	if h.pages == nil {
		h.pages = make(map[uint32]*[page]Hash)
	}
	p := h.pages[chunk/page]
	if p == nil {
		p = new([page]Hash)
		h.pages[chunk/page] = p
	}
	p[chunk%page] = hash
	h.have.add(chunk)
}

// get returns the hash of a chunk that is there.
func (h *hashes) get(chunk uint32) Hash { return h.pages[chunk/page][chunk%page] }

// digest is the SHA-256 over the hashes of these chunks in order, all of which are there.
func (h *hashes) digest(of ranges) Hash {
	sum := sha256.New()
	for _, r := range of {
		for c := r[0]; c < r[1]; c++ {
			hash := h.get(c)
			sum.Write(hash[:])
		}
	}
	return Hash(sum.Sum(nil))
}

// root is the root of a file of this size, all of whose chunks are there.
func (h *hashes) root(f File) Hash {
	list := make([]Hash, f.Chunks())
	for c := range list {
		list[c] = h.get(uint32(c))
	}
	return Root(f.Size, list)
}

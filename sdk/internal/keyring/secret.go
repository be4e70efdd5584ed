// Package keyring is who may read whom in an encrypted room (docs/protocol.md, Encrypted rooms): what the room's secret
// is good for, the keys of everybody's frames as they change with the people, and whether both ends of a link see the same
// certificates. Package sframe is what the keys are used for.
//
// It is sans-IO: time and randomness are arguments, and what is to be said or done comes out of Poll. A Keyring and an
// Ends have one owner.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	// SecretSize is the length of a room's secret in bytes.
	SecretSize = 16
	// SealedChat is what a chat text begins with that is ciphertext.
	SealedChat = "parley.sealed.v1:"

	version    = 1
	publicSize = 65
	nonceSize  = 12
	salt       = "parley e2ee 1"
)

// ErrSecret says that a text is no secret of a room.
var ErrSecret = errors.New("keyring: a room's key has 22 letters and digits")

// Secret is a room's secret: whoever has it belongs there. It is safe for concurrent use.
type Secret struct {
	room     string
	identity []byte
	box      []byte
	chat     cipher.AEAD
}

// NewSecret takes the secret of a room's link, 16 bytes in base64url. The error is ErrSecret when it is none.
func NewSecret(room, text string) (*Secret, error) {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(bytes) != SecretSize {
		return nil, ErrSecret
	}
	s := &Secret{room: room}
	var chat []byte
	for _, part := range []struct {
		name string
		to   *[]byte
	}{{"identity", &s.identity}, {"chat", &chat}, {"box", &s.box}} {
		if *part.to, err = hkdf.Key(sha256.New, bytes, []byte(salt), part.name+" "+room, 32); err != nil {
			return nil, fmt.Errorf("keyring: %w", err)
		}
	}
	if s.chat, err = gcm(chat); err != nil {
		return nil, err
	}
	return s, nil
}

// NewKey makes the secret of a new room, as it stands in its link.
func NewKey(rand io.Reader) (string, error) {
	b := make([]byte, SecretSize)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("keyring: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Self is this client as the others may know it.
type Self struct {
	// Identity is what is said in join.
	Identity string
	key      *ecdh.PrivateKey
}

// Appear makes a key pair of this client, with the proof that it belongs to who knows the secret.
func (s *Secret) Appear(rand io.Reader) (*Self, error) {
	key, err := ecdh.P256().GenerateKey(rand)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	words := append([]byte{version}, key.PublicKey().Bytes()...)
	return &Self{Identity: base64.RawURLEncoding.EncodeToString(append(words, s.sign(words)...)), key: key}, nil
}

func (s *Secret) sign(words []byte) []byte {
	mac := hmac.New(sha256.New, s.identity)
	mac.Write(words)
	return mac.Sum(nil)
}

// recognize looks at what somebody says to be; nil when they do not know the secret.
func (s *Secret) recognize(identity string) *ecdh.PublicKey {
	b, err := base64.RawURLEncoding.DecodeString(identity)
	if err != nil || len(b) != 1+publicSize+sha256.Size || b[0] != version {
		return nil
	}
	words, mac := b[:1+publicSize], b[1+publicSize:]
	if !hmac.Equal(mac, s.sign(words)) {
		return nil
	}
	key, err := ecdh.P256().NewPublicKey(words[1:])
	if err != nil {
		return nil // no point of the curve
	}
	return key
}

// agree makes the keys of the boxes that go each way between us and somebody.
func (s *Secret) agree(self *Self, other *ecdh.PublicKey) (*boxes, error) {
	shared, err := self.key.ECDH(other)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	way := func(from, to *ecdh.PublicKey) (cipher.AEAD, error) {
		raw, err := hkdf.Key(sha256.New, shared, s.box, "box"+string(from.Bytes())+string(to.Bytes()), 32)
		if err != nil {
			return nil, fmt.Errorf("keyring: %w", err)
		}
		return gcm(raw)
	}
	b := &boxes{}
	if b.out, err = way(self.key.PublicKey(), other); err != nil {
		return nil, err
	}
	b.in, err = way(other, self.key.PublicKey())
	return b, err
}

// Words is a chat message as its writer sealed it.
type Words struct {
	Text string `json:"text"`
	Name string `json:"name"`
	Seat string `json:"seat"`
}

// SealChat seals what is written into the chat under a message's id.
func (s *Secret) SealChat(rand io.Reader, id string, w Words) (string, error) {
	plain, err := json.Marshal(w)
	if err != nil {
		return "", fmt.Errorf("keyring: %w", err)
	}
	sealed, err := seal(rand, s.chat, plain, s.context(id))
	return SealedChat + sealed, err
}

// OpenChat opens what somebody wrote; ok is false when it was not sealed with this secret, or for another message.
func (s *Secret) OpenChat(id, text string) (w Words, ok bool) {
	sealed, ok := strings.CutPrefix(text, SealedChat)
	if !ok {
		return w, false
	}
	plain, ok := open(s.chat, sealed, s.context(id))
	if !ok {
		return w, false
	}
	var read struct{ Text, Name, Seat *string }
	if json.Unmarshal(plain, &read) != nil || read.Text == nil || read.Name == nil || read.Seat == nil {
		return w, false
	}
	return Words{Text: *read.Text, Name: *read.Name, Seat: *read.Seat}, true
}

func (s *Secret) context(id string) []byte { return []byte(s.room + " " + id) }

// boxes seal and open words between us and one other.
type boxes struct{ out, in cipher.AEAD }

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return aead, nil
}

// seal makes base64url of a nonce and the ciphertext.
func seal(rand io.Reader, key cipher.AEAD, plain, context []byte) (string, error) {
	b := make([]byte, nonceSize, nonceSize+len(plain)+key.Overhead())
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("keyring: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key.Seal(b, b, plain, context)), nil
}

// open is the reverse: a text in UTF-8, or false.
func open(key cipher.AEAD, text string, context []byte) ([]byte, bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < nonceSize {
		return nil, false
	}
	plain, err := key.Open(nil, b[:nonceSize], b[nonceSize:], context)
	return plain, err == nil && utf8.Valid(plain)
}

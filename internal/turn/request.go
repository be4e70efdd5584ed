package turn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/stun/v4"
)

// Attributes that the library has no name for (RFC 8656 §18).
const (
	attrAdditionalAddressFamily stun.AttrType = 0x8000
	attrAddressErrorCode        stun.AttrType = 0x8001
)

// request is one STUN request on its way through the engine.
type request struct {
	now    time.Time
	client Client
	msg    *stun.Message
	// username, grant and key are set once the request is authenticated; answers are signed with the key.
	username string
	grant    Grant
	key      []byte
	sha256   bool // signed with MESSAGE-INTEGRITY-SHA256
	keep     bool // remember the answer for retransmissions
}

func (r *request) answerKey() answerKey { return answerKey{r.client, r.msg.TransactionID} }

// understood reports whether we know a comprehension-required attribute. DONT-FRAGMENT is not among them: the relay does not
// set the DF bit, and RFC 8656 §7.2 step 4 wants a server like that to say so.
func understood(t stun.AttrType) bool {
	switch t {
	case stun.AttrUsername, stun.AttrRealm, stun.AttrNonce, stun.AttrMessageIntegrity, stun.AttrMessageIntegritySHA256,
		stun.AttrChannelNumber, stun.AttrLifetime, stun.AttrXORPeerAddress, stun.AttrData, stun.AttrEvenPort,
		stun.AttrRequestedTransport, stun.AttrRequestedAddressFamily, stun.AttrReservationToken:
		return true
	}
	return t.Optional()
}

// strange reports whether the message has a comprehension-required attribute that we do not know (RFC 8489 §6.3).
func strange(m *stun.Message) bool {
	return slices.ContainsFunc(m.Attributes, func(a stun.RawAttribute) bool { return !understood(a.Type) })
}

// unknown returns the value of UNKNOWN-ATTRIBUTES, with eight at most: the answer must not outgrow the request.
func (r *request) unknown() (value []byte) {
	for _, a := range r.msg.Attributes {
		if !understood(a.Type) && len(value) < 16 {
			value = binary.BigEndian.AppendUint16(value, a.Type.Value())
		}
	}
	return value
}

// authenticate checks the long-term credential in the order of RFC 8489 §9.2.4 and answers when it does not hold.
func (s *Server) authenticate(r *request) bool {
	if code := s.checkCredential(r); code != 0 {
		s.stats.Unauthorized++
		s.refuse(r, code)
		return false
	}
	if strange(r.msg) {
		s.refuse(r, codeUnknownAttribute)
		return false
	}
	return true
}

// checkCredential sets username, grant and key of the request, or returns the code of the refusal.
func (s *Server) checkCredential(r *request) int {
	_, sha1Missing := r.msg.Get(stun.AttrMessageIntegrity)
	_, sha256Missing := r.msg.Get(stun.AttrMessageIntegritySHA256)
	if sha1Missing != nil && sha256Missing != nil {
		return codeUnauthorized
	}
	username, noUsername := r.msg.Get(stun.AttrUsername)
	_, noRealm := r.msg.Get(stun.AttrRealm)
	nonce, noNonce := r.msg.Get(stun.AttrNonce)
	if noUsername != nil || noRealm != nil || noNonce != nil || len(username) == 0 || len(username) > 508 {
		return codeBadRequest
	}
	if !s.nonces.valid(r.now, r.client, nonce) {
		return codeStaleNonce
	}
	grant, ok := s.grants.Grant(r.now, string(username))
	if !ok {
		return codeUnauthorized
	}
	key := stun.NewLongTermIntegrity(string(username), s.cfg.Realm, grant.Password)
	if sha256Missing == nil {
		ok = checkSHA256(key, r.msg)
	} else {
		ok = key.Check(r.msg) == nil
	}
	if !ok {
		return codeUnauthorized
	}
	r.username, r.grant, r.key, r.sha256 = string(username), grant, key, sha256Missing == nil
	return 0
}

// sign adds to an answer the integrity that its request had (RFC 8489 §9.2.4).
func (r *request) sign(m *stun.Message) {
	if r.sha256 {
		m.Add(stun.AttrMessageIntegritySHA256, sumSHA256(r.key, m.Raw, sha256.Size))
		return
	}
	// The only error is a FINGERPRINT before it, and that is added after.
	_ = stun.MessageIntegrity(r.key).AddTo(m)
}

// checkSHA256 verifies MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.6), which may be cut to no less than 16 bytes.
func checkSHA256(key []byte, m *stun.Message) bool {
	size := headerSize
	for _, a := range m.Attributes {
		if a.Type == stun.AttrMessageIntegritySHA256 {
			n := len(a.Value)
			return n >= 16 && n <= sha256.Size && n%4 == 0 &&
				size <= len(m.Raw) && hmac.Equal(a.Value, sumSHA256(key, m.Raw[:size], n))
		}
		size += 4 + (len(a.Value)+3)&^3
	}
	return false
}

// sumSHA256 returns the first n bytes of the integrity of what precedes the attribute; the length in the header counts as if
// the attribute were there already.
func sumSHA256(key, before []byte, n int) []byte {
	var header [headerSize]byte
	copy(header[:], before)
	binary.BigEndian.PutUint16(header[2:4], uint16(len(before)-headerSize+4+n))
	mac := hmac.New(sha256.New, key)
	mac.Write(header[:])
	mac.Write(before[headerSize:])
	return mac.Sum(nil)[:n]
}

// addFingerprint adds FINGERPRINT (RFC 8489 §14.7), the last attribute of a message.
func addFingerprint(m *stun.Message) {
	_ = stun.FingerprintAttr{}.AddTo(m) // never fails
}

// fingerprintHolds reports whether the message has no FINGERPRINT or a right one.
func fingerprintHolds(m *stun.Message) bool {
	return !m.Contains(stun.AttrFingerprint) || stun.FingerprintAttr{}.Check(m) == nil
}

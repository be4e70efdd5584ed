package signal

import "math"

// need lists who the message is for, or from, and its link, and then more.
func (p *Peer) need(from Side, more ...string) []string {
	if from == FromClient {
		return append([]string{"to", "link"}, more...)
	}
	return append([]string{"from", "link"}, more...)
}

func (p *Peer) field(r *reader, key string) bool {
	switch key {
	case "to":
		p.To = r.id()
	case "from":
		p.From = r.id()
	case "link":
		p.Link = r.id()
	default:
		return false
	}
	return true
}

// Route returns the part of a relayed message that says where it goes.
func (p *Peer) Route() *Peer { return p }

// Relayed is a message that one client sends to another through the server.
type Relayed interface {
	Message
	Route() *Peer
}

func readTracks(r *reader) []Track {
	tracks := []Track{}
	r.array(MaxTracks, func() {
		var t Track
		t.read(r)
		for _, other := range tracks {
			if other.Mid == t.Mid && r.err == nil {
				r.enterField("mid")
				r.malformed("appears twice; a media section carries one track")
			}
		}
		tracks = append(tracks, t)
	})
	if len(tracks) == 0 {
		return nil
	}
	return tracks
}

func (t *Track) read(r *reader) {
	r.object([]string{"mid", "source"}, func(key string) bool {
		switch key {
		case "mid":
			t.Mid = r.id()
		case "source":
			t.Source = r.source()
		default:
			return false
		}
		return true
	})
}

func (m *Offer) need(from Side) []string { return m.Peer.need(from, "sdp") }

func (m *Offer) field(r *reader, key string) bool {
	switch key {
	case "sdp":
		m.SDP = r.sdp()
	case "tracks":
		m.Tracks = readTracks(r)
	case "kind":
		m.Kind = enum(r, LinkSpare, LinkBulk)
	case "show":
		m.Show = readShow(r)
	case "early":
		m.Early = r.boolean()
	default:
		return m.Peer.field(r, key)
	}
	return true
}

func (m *Answer) need(from Side) []string { return m.Peer.need(from, "sdp") }

func (m *Answer) field(r *reader, key string) bool {
	switch key {
	case "sdp":
		m.SDP = r.sdp()
	case "tracks":
		m.Tracks = readTracks(r)
	case "places":
		m.Places = readPlaces(r)
	default:
		return m.Peer.field(r, key)
	}
	return true
}

func (m *Candidate) need(from Side) []string { return m.Peer.need(from, "candidate") }

func (m *Candidate) field(r *reader, key string) bool {
	if key != "candidate" {
		return m.Peer.field(r, key)
	}
	m.Candidate.read(r)
	return true
}

func (c *ICECandidate) read(r *reader) {
	r.object([]string{"candidate"}, func(key string) bool {
		switch key {
		case "candidate":
			c.Candidate = r.string(MaxCandidate)
		case "sdpMid":
			if !r.null() {
				mid := r.string(MaxID)
				c.SDPMid = &mid
			}
		case "sdpMLineIndex":
			if !r.null() {
				line := uint16(r.number(math.MaxUint16))
				c.SDPMLineIndex = &line
			}
		case "usernameFragment":
			if !r.null() {
				fragment := r.string(maxFragment)
				c.UsernameFragment = &fragment
			}
		default:
			return false
		}
		return true
	})
}

func (m *EndOfCandidates) need(from Side) []string { return m.Peer.need(from) }

func (m *EndOfCandidates) field(r *reader, key string) bool {
	if key != "usernameFragment" {
		return m.Peer.field(r, key)
	}
	m.UsernameFragment = r.string(maxFragment)
	return true
}

func (m *Renegotiate) need(from Side) []string { return m.Peer.need(from) }

func (m *Renegotiate) field(r *reader, key string) bool {
	switch key {
	case "restart":
		m.Restart = r.boolean()
	case "elsewhere":
		m.Elsewhere = r.boolean()
	default:
		return m.Peer.field(r, key)
	}
	return true
}

func (m *CloseLink) need(from Side) []string { return m.Peer.need(from) }

func (m *CloseLink) field(r *reader, key string) bool { return m.Peer.field(r, key) }

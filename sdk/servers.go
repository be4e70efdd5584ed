package parley

import "context"

// Server is a STUN or TURN server that the room's server hands out, in the form of a browser's RTCIceServer.
type Server struct {
	// URLs are stun:, turn: and turns: addresses (RFC 7064, RFC 7065).
	URLs []string
	// Username and Credential open allocations for as long as the session lives; empty for STUN.
	Username, Credential string
}

// Servers returns what the server gave this session to reach others by; none when it may not use the relay.
func (r *Room) Servers(ctx context.Context) (servers []Server, err error) {
	err = r.do(ctx, func(s *state) error {
		if s.session.ice == nil {
			return nil
		}
		for _, one := range s.session.ice.Servers {
			servers = append(servers, Server{URLs: one.URLs, Username: one.Username, Credential: one.Credential})
		}
		return nil
	})
	return servers, err
}

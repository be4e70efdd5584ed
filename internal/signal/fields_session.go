package signal

import "math"

// Limits of lists in what a server sends.
const (
	maxServers = 64
	maxURL     = 1024
	maxSeats   = 4096
	maxEvery   = 600_000 // ms
)

func (m *Hello) need(Side) []string { return []string{"client", "room"} }

func (m *Hello) field(r *reader, key string) bool {
	switch key {
	case "client":
		m.Client.read(r)
	case "room":
		m.Room = r.room()
	case "host":
		m.Host = r.token()
	case "resume":
		m.Resume = r.token()
	case "received":
		m.Received = r.number(maxNumber)
	default:
		return false
	}
	return true
}

func (c *Client) read(r *reader) {
	r.object([]string{"name"}, func(key string) bool {
		switch key {
		case "name":
			c.Name = r.name()
		case "version":
			c.Version = r.visible(MaxName)
		default:
			return false
		}
		return true
	})
}

func (m *Welcome) need(Side) []string {
	return []string{"session", "resume", "window", "heartbeat", "server"}
}

func (m *Welcome) field(r *reader, key string) bool {
	switch key {
	case "session":
		m.Session = r.id()
	case "resumed":
		m.Resumed = r.boolean()
	case "reset":
		m.Reset = r.boolean()
	case "resume":
		m.Resume = r.token()
	case "received":
		m.Received = r.number(maxNumber)
	case "window":
		m.Window = int(r.number(math.MaxInt32))
	case "heartbeat":
		m.Heartbeat = int(r.number(math.MaxInt32))
	case "server":
		m.Server.read(r)
	case "ice":
		m.ICE = new(ICEServers)
		m.ICE.read(r)
	case "room":
		m.Room = new(RoomState)
		m.Room.read(r)
	default:
		return false
	}
	return true
}

func (s *ICEServers) read(r *reader) {
	r.object([]string{"servers", "expires"}, func(key string) bool {
		switch key {
		case "servers":
			s.Servers = []ICEServer{}
			r.array(maxServers, func() {
				s.Servers = append(s.Servers, ICEServer{})
				s.Servers[len(s.Servers)-1].read(r)
			})
		case "expires":
			s.Expires = int64(r.number(maxNumber))
		default:
			return false
		}
		return true
	})
}

func (s *ICEServer) read(r *reader) {
	r.object([]string{"urls"}, func(key string) bool {
		switch key {
		case "urls":
			s.URLs = []string{}
			r.array(maxServers, func() { s.URLs = append(s.URLs, r.visible(maxURL)) })
		case "username":
			s.Username = r.token()
		case "credential":
			s.Credential = r.token()
		default:
			return false
		}
		return true
	})
}

func (m *Ping) need(Side) []string { return []string{"id"} }

func (m *Ping) field(r *reader, key string) bool {
	switch key {
	case "id":
		m.ID = r.number(maxNumber)
	case "every":
		m.Every = int(r.number(maxEvery))
	default:
		return false
	}
	return true
}

func (m *Pong) need(Side) []string { return []string{"id"} }

func (m *Pong) field(r *reader, key string) bool {
	if key != "id" {
		return false
	}
	m.ID = r.number(maxNumber)
	return true
}

func (m *Bye) field(r *reader, key string) bool {
	switch key {
	case "reason":
		m.Reason = enum(r, ByeDraining, ByeRemoved, ByeFlood, ByeReplaced, ByeProtocol, ByeExpired, ByeFault, ByeClosed)
	case "words":
		m.Words = r.string(MaxChat)
	case "retry":
		m.Retry = int(r.number(math.MaxInt32))
	default:
		return false
	}
	return true
}

func (m *Error) need(Side) []string { return []string{"code", "words"} }

func (m *Error) field(r *reader, key string) bool {
	switch key {
	case "re":
		m.Re = r.number(maxNumber)
	case "code":
		m.Code = enum[Code](r) // only servers send it
	case "field":
		m.Field = r.string(MaxChat)
	case "words":
		m.Words = r.string(MaxChat)
	default:
		return false
	}
	return true
}

func (m *ICEServersAnswer) need(Side) []string { return []string{"ice"} }

func (m *ICEServersAnswer) field(r *reader, key string) bool {
	switch key {
	case "re":
		m.Re = r.number(maxNumber)
	case "ice":
		m.ICE.read(r)
	default:
		return false
	}
	return true
}

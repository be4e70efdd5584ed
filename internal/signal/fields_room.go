package signal

// maxWatching is far more than can watch a room.
const maxWatching = 1 << 20

func (s *RoomState) read(r *reader) {
	r.object([]string{"name", "exists", "may", "role"}, func(key string) bool {
		switch key {
		case "name":
			s.Name = r.room()
		case "exists":
			s.Exists = r.boolean()
		case "may":
			s.May = enum(r, MayCreate, MayJoin, MayKnock, MayNot)
		case "why":
			s.Why = enum(r, CodeFull, CodeLocked, CodeRemoved, CodeNoRoom, CodeNoHub)
		case "role":
			s.Role = r.role()
		case "locked":
			s.Locked = r.boolean()
		case "waitingRoom":
			s.WaitingRoom = r.boolean()
		case "early":
			s.Early = r.boolean()
		case "encrypted":
			s.Encrypted = r.boolean()
		case "history":
			s.History = r.history()
		case "topology":
			s.Topology = new(Topology)
			s.Topology.read(r)
		case "watching":
			s.Watching = int(r.number(maxWatching))
		case "seats":
			r.array(maxSeats, func() {
				s.Seats = append(s.Seats, Seat{})
				s.Seats[len(s.Seats)-1].read(r)
			})
		case "host":
			s.Host = r.token()
		default:
			return false
		}
		return true
	})
}

func (s *Seat) read(r *reader) {
	r.object([]string{"id", "name", "role", "state", "order", "media"}, func(key string) bool {
		switch key {
		case "id":
			s.ID = r.id()
		case "name":
			s.Name = r.name()
		case "role":
			s.Role = r.role()
		case "state":
			s.State = enum(r, SeatWaiting, SeatPresent, SeatAway)
		case "session":
			s.Session = r.visible(MaxID)
		case "order":
			s.Order = r.number(maxNumber)
		case "media":
			s.Media.read(r)
		default:
			return s.conference(r, key)
		}
		return true
	})
}

// conference reads the fields that matter in rooms of more than two.
func (s *Seat) conference(r *reader, key string) bool {
	switch key {
	case "hand":
		s.Hand = r.number(maxNumber)
	case "invited":
		s.Invited = r.boolean()
	case "hub":
		s.Hub = enum(r, ReachYes, ReachNo)
	case "hubWhy":
		s.HubWhy = enum(r, ReachBlocked, ReachFailed, ReachSilent, ReachUnsupported)
	case "note":
		s.Note = r.prose(MaxWords)
	case "identity":
		s.Identity = r.identity()
	case "door":
		s.Door = enum(r, DoorWHIP)
	default:
		return false
	}
	return true
}

func (s *MediaState) read(r *reader) {
	r.object([]string{"microphone", "camera", "screen", "screenAudio"}, func(key string) bool {
		switch key {
		case "microphone":
			s.Microphone = r.boolean()
		case "camera":
			s.Camera = r.boolean()
		case "screen":
			s.Screen = r.boolean()
		case "screenAudio":
			s.ScreenAudio = r.boolean()
		default:
			return false
		}
		return true
	})
}

func (m *Join) need(Side) []string { return []string{"name", "media"} }

func (m *Join) field(r *reader, key string) bool {
	switch key {
	case "name":
		m.Name = r.name()
	case "media":
		m.Media.read(r)
	case "seat":
		m.Seat = r.token()
	case "listen":
		m.Listen = r.boolean()
	case "note":
		m.Note = r.prose(MaxWords)
	case "identity":
		m.Identity = r.identity()
	default:
		return false
	}
	return true
}

func (m *Waiting) need(Side) []string { return []string{"re", "token"} }

func (m *Waiting) field(r *reader, key string) bool {
	switch key {
	case "re":
		m.Re = r.number(maxNumber)
	case "token":
		m.Token = r.token()
	case "words":
		m.Words = r.prose(MaxWords)
	default:
		return false
	}
	return true
}

func (m *Joined) need(Side) []string { return []string{"re", "seat", "token", "room"} }

func (m *Joined) field(r *reader, key string) bool {
	switch key {
	case "re":
		m.Re = r.number(maxNumber)
	case "seat":
		m.Seat = r.id()
	case "token":
		m.Token = r.token()
	case "room":
		m.Room.read(r)
	case "call":
		m.Call = new(CallRef)
		m.Call.read(r)
	default:
		return false
	}
	return true
}

func (c *CallRef) read(r *reader) {
	r.object([]string{"id", "token"}, func(key string) bool {
		switch key {
		case "id":
			c.ID = r.id()
		case "token":
			c.Token = r.token()
		default:
			return false
		}
		return true
	})
}

func (m *Room) need(Side) []string { return []string{"room"} }

func (m *Room) field(r *reader, key string) bool {
	if key != "room" {
		return false
	}
	m.Room.read(r)
	return true
}

func (m *SeatChange) need(Side) []string { return []string{"seat"} }

func (m *SeatChange) field(r *reader, key string) bool {
	if key != "seat" {
		return false
	}
	m.Seat.read(r)
	return true
}

func (m *Left) need(Side) []string { return []string{"seat", "reason"} }

func (m *Left) field(r *reader, key string) bool {
	switch key {
	case "seat":
		m.Seat = r.id()
	case "reason":
		m.Reason = enum(r, LeftLeft, LeftRemoved, LeftExpired, LeftNoHub)
	default:
		return false
	}
	return true
}

func (m *Gone) need(Side) []string { return []string{"session"} }

func (m *Gone) field(r *reader, key string) bool {
	if key != "session" {
		return false
	}
	m.Session = r.id()
	return true
}

func (m *Media) need(Side) []string { return []string{"media"} }

func (m *Media) field(r *reader, key string) bool {
	if key != "media" {
		return false
	}
	m.Media.read(r)
	return true
}

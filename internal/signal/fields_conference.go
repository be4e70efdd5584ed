package signal

func (m *Hand) need(Side) []string { return []string{"up"} }

func (m *Hand) field(r *reader, key string) bool {
	switch key {
	case "up":
		m.Up = r.boolean()
	case "seat":
		m.Seat = r.id()
	default:
		return false
	}
	return true
}

func (m *Reaction) need(from Side) []string {
	if from == FromServer {
		return []string{"kind", "from"}
	}
	return []string{"kind"}
}

func (m *Reaction) field(r *reader, key string) bool {
	switch key {
	case "kind":
		m.Kind = enum(r, ReactionLike, ReactionLove, ReactionLaugh, ReactionSurprise, ReactionApplause, ReactionCelebrate)
	case "from":
		m.From = r.id()
	default:
		return false
	}
	return true
}

func (m *MuteAll) need(Side) []string { return []string{"source"} }

func (m *MuteAll) field(r *reader, key string) bool {
	if key != "source" {
		return false
	}
	m.Source = r.source()
	return true
}

func (m *SetRole) need(Side) []string { return []string{"seat", "role"} }

func (m *SetRole) field(r *reader, key string) bool {
	switch key {
	case "seat":
		m.Seat = r.id()
	case "role":
		m.Role = enum(r, RoleHost, RoleSpeaker, RoleListener)
	default:
		return false
	}
	return true
}

func (m *Invite) need(Side) []string { return []string{"seat", "on"} }

func (m *Invite) field(r *reader, key string) bool {
	switch key {
	case "seat":
		m.Seat = r.id()
	case "on":
		m.On = r.boolean()
	default:
		return false
	}
	return true
}

func (m *Speak) need(Side) []string { return []string{"on"} }

func (m *Speak) field(r *reader, key string) bool {
	if key != "on" {
		return false
	}
	m.On = r.boolean()
	return true
}

package signal

func (m *Lock) need(Side) []string { return []string{"on"} }

func (m *Lock) field(r *reader, key string) bool {
	if key != "on" {
		return false
	}
	m.On = r.boolean()
	return true
}

func (m *WaitingRoom) need(Side) []string { return []string{"on"} }

func (m *WaitingRoom) field(r *reader, key string) bool {
	switch key {
	case "on":
		m.On = r.boolean()
	case "words":
		m.Words = r.prose(MaxWords)
	default:
		return false
	}
	return true
}

func (m *Admit) need(Side) []string { return []string{"seat"} }

func (m *Admit) field(r *reader, key string) bool {
	if key != "seat" {
		return false
	}
	m.Seat = r.id()
	return true
}

func (m *Mute) need(Side) []string { return []string{"seat", "source"} }

func (m *Mute) field(r *reader, key string) bool {
	switch key {
	case "seat":
		m.Seat = r.id()
	case "source":
		m.Source = r.source()
	default:
		return false
	}
	return true
}

func (m *Muted) need(Side) []string { return []string{"by", "source"} }

func (m *Muted) field(r *reader, key string) bool {
	switch key {
	case "by":
		m.By = r.id()
	case "source":
		m.Source = r.source()
	default:
		return false
	}
	return true
}

func (m *Remove) need(Side) []string { return []string{"seat"} }

func (m *Remove) field(r *reader, key string) bool {
	switch key {
	case "seat":
		m.Seat = r.id()
	case "words":
		m.Words = r.prose(MaxWords)
	default:
		return false
	}
	return true
}

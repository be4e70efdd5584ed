package signal

func (m *Chat) need(from Side) []string {
	if from == FromServer {
		return []string{"id", "text", "from", "name", "at"}
	}
	return []string{"id", "text"}
}

func (m *Chat) field(r *reader, key string) bool {
	switch key {
	case "id":
		m.ID = r.id()
	case "text":
		m.Text = r.chat()
	case "from":
		m.From = r.id()
	case "name":
		m.Name = r.name()
	case "at":
		m.At = int64(r.number(maxNumber))
	case "seq":
		m.Seq = r.number(maxNumber)
	case "unsaved":
		m.Unsaved = r.boolean()
	default:
		return false
	}
	return true
}

func (k *Kept) read(r *reader) {
	r.object([]string{"id", "text", "from", "name", "at", "seq"}, func(key string) bool {
		switch key {
		case "id":
			k.ID = r.id()
		case "text":
			k.Text = r.chat()
		case "from":
			k.From = r.id()
		case "name":
			k.Name = r.name()
		case "at":
			k.At = int64(r.number(maxNumber))
		case "seq":
			k.Seq = r.number(maxNumber)
		default:
			return false
		}
		return true
	})
}

func (m *ChatSaved) need(Side) []string { return []string{"from", "id", "seq"} }

func (m *ChatSaved) field(r *reader, key string) bool {
	switch key {
	case "from":
		m.From = r.id()
	case "id":
		m.ID = r.id()
	case "seq":
		m.Seq = r.number(maxNumber)
	default:
		return false
	}
	return true
}

func (m *HistoryAsk) field(r *reader, key string) bool {
	switch key {
	case "before":
		m.Before = r.number(maxNumber)
	case "limit":
		m.Limit = int(r.number(MaxHistory))
	default:
		return false
	}
	return true
}

func (m *HistoryAnswer) need(Side) []string { return []string{"messages"} }

func (m *HistoryAnswer) field(r *reader, key string) bool {
	switch key {
	case "re":
		m.Re = r.number(maxNumber)
	case "messages":
		m.Messages = []Kept{}
		r.array(MaxHistory, func() {
			m.Messages = append(m.Messages, Kept{})
			m.Messages[len(m.Messages)-1].read(r)
		})
	case "more":
		m.More = r.boolean()
	default:
		return false
	}
	return true
}

func (m *KeepHistory) need(Side) []string { return []string{"policy"} }

func (m *KeepHistory) field(r *reader, key string) bool {
	if key != "policy" {
		return false
	}
	m.Policy = r.history()
	return true
}

func (r *reader) history() History { return enum(r, HistoryNone, HistorySession, HistoryForever) }

package signal

func (t *Topology) read(r *reader) {
	r.object([]string{"kind", "epoch", "policy"}, func(key string) bool {
		switch key {
		case "kind":
			t.Kind = r.topologyKind()
		case "epoch":
			t.Epoch = r.number(maxNumber)
		case "next":
			t.Next = r.topologyKind()
		case "policy":
			t.Policy = r.policy()
		default:
			return false
		}
		return true
	})
}

func (r *reader) topologyKind() TopologyKind { return enum(r, TopologyDirect, TopologyHub) }

func (r *reader) policy() TopologyPolicy { return enum(r, PolicyAuto, PolicyDirect, PolicyHub) }

func (m *Moved) need(Side) []string { return []string{"epoch"} }

func (m *Moved) field(r *reader, key string) bool {
	switch key {
	case "epoch":
		m.Epoch = r.number(maxNumber)
	case "missing":
		r.array(MaxMissing, func() {
			var x Missing
			x.read(r)
			m.Missing = append(m.Missing, x)
		})
	default:
		return false
	}
	return true
}

func (x *Missing) read(r *reader) {
	r.object([]string{"seat", "source"}, func(key string) bool {
		switch key {
		case "seat":
			x.Seat = r.id()
		case "source":
			x.Source = r.source()
		default:
			return false
		}
		return true
	})
}

func (m *HubReach) need(Side) []string { return []string{"ok"} }

func (m *HubReach) field(r *reader, key string) bool {
	switch key {
	case "ok":
		m.OK = r.boolean()
	case "why":
		m.Why = enum(r, ReachBlocked, ReachFailed)
	default:
		return false
	}
	return true
}

func (m *SetTopology) need(Side) []string { return []string{"policy"} }

func (m *SetTopology) field(r *reader, key string) bool {
	if key != "policy" {
		return false
	}
	m.Policy = r.policy()
	return true
}

// readShow reads the places that an offer to the hub wants filled; a media section has one.
func readShow(r *reader) (list []Want) {
	seen := map[string]bool{}
	r.array(MaxShow, func() {
		var w Want
		w.read(r)
		if seen[w.Mid] && r.err == nil {
			r.enterField("mid")
			r.malformed("appears twice; a place shows one track")
		}
		seen[w.Mid] = true
		list = append(list, w)
	})
	return list
}

func (w *Want) read(r *reader) {
	r.object([]string{"mid", "seat", "source"}, func(key string) bool {
		switch key {
		case "mid":
			w.Mid = r.id()
		case "seat":
			w.Seat = r.id()
		case "source":
			w.Source = r.source()
		case "width":
			w.Width = uint16(r.number(maxPixels))
		case "height":
			w.Height = uint16(r.number(maxPixels))
		case "paused":
			w.Paused = r.boolean()
		default:
			return false
		}
		return true
	})
}

func readPlaces(r *reader) (list []Place) {
	r.array(MaxShow, func() {
		var p Place
		p.read(r)
		list = append(list, p)
	})
	return list
}

func (p *Place) read(r *reader) {
	r.object([]string{"mid", "seat", "source"}, func(key string) bool {
		switch key {
		case "mid":
			p.Mid = r.id()
		case "seat":
			p.Seat = r.id()
		case "source":
			p.Source = r.source()
		default:
			return false
		}
		return true
	})
}

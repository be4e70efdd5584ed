package signalserver

import (
	"encoding/json"
	"hash/maphash"
	"math"
	"net/netip"
	"time"

	"github.com/parley-rtc/parley/internal/room"
	"github.com/parley-rtc/parley/internal/signal"
)

// Keeper keeps what survives a restart. It is safe for concurrent use. Only Rooms and Histories may wait; done is called
// later and from elsewhere, never before the method returns. What one method was told before another is done before it.
type Keeper interface {
	// Rooms returns the records of all rooms, and the names of those whose records were deleted within the last day.
	Rooms() (records map[string][]byte, deleted []string, err error)
	// Histories returns the names of the rooms that have messages.
	Histories() (rooms []string, err error)
	// PutRoom keeps a room's newest record, and DeleteRoom forgets it.
	PutRoom(room string, record []byte)
	DeleteRoom(room string)
	// Append adds a message at the end of a room's history. Its identifier is unique in the room: a message that is there
	// already is not added again, and its number is returned.
	Append(room, id string, message []byte, done func(seq uint64, err error))
	// Read returns the newest messages of a room, oldest first, before a number if it is not 0, and whether there are
	// older ones.
	Read(room string, before uint64, limit int, done func(list []Said, more bool, err error))
	// Purge forgets a room's messages.
	Purge(room string)
}

// Said is a message of a room's history.
type Said struct {
	// Seq is its number in the room's history.
	Seq uint64
	// Message is what Append was given.
	Message []byte
}

// record is what the keeper has of a room.
type record struct {
	Room  room.Snapshot `json:"room"`
	Maker netip.Prefix  `json:"maker,omitzero"`
	// Known are the generations of resume tokens that the seats' clients are known to have: older ones are copies.
	Known map[string]uint32 `json:"known,omitempty"`
}

// pastState says what is known of a room from before a restart.
type pastState uint8

const (
	pastLost pastState = iota // nothing
	pastKept                  // the keeper had it
)

func (s *Server) roomConfig(name string) room.Config {
	return room.Config{
		Name: name, Seats: s.cfg.Seats, Players: s.cfg.Players, Hub: s.cfg.Hub != nil, Topology: s.cfg.Topology, Grace: s.cfg.Grace,
		Saves: s.cfg.Keeper != nil, History: s.cfg.History,
	}
}

// load brings back the rooms of before a restart. It runs before the loops do.
func (s *Server) load() {
	if s.cfg.Keeper == nil {
		return
	}
	records, deleted, err := s.cfg.Keeper.Rooms()
	if err != nil {
		s.log.Error("the rooms of before the restart cannot be read; who was inside takes a new seat", "error", err)
		return
	}
	s.ended = make(map[string]struct{}, len(deleted))
	for _, name := range deleted {
		s.ended[name] = struct{}{}
	}
	for name, b := range records {
		var r record
		if err := json.Unmarshal(b, &r); err != nil || !signal.ValidRoom(name) {
			s.log.Warn("the record of a room cannot be read; it is dropped", "room", name, "error", err)
			s.cfg.Keeper.DeleteRoom(name)
			continue
		}
		s.shard(name).load(name, r)
	}
	said, err := s.cfg.Keeper.Histories()
	if err != nil {
		s.log.Error("the rooms' histories cannot be listed", "error", err)
	}
	for _, name := range said {
		// A room that ended while the purge of its history was on its way has none.
		// Nor has one whose host wants nothing kept.
		h := s.shard(name).halls[name]
		if h != nil && h.History() != signal.HistoryNone && (h.Exists() || h.History() == signal.HistoryForever) {
			h.said = true
			h.chronicle = &chronicle{cold: true}
		} else {
			s.cfg.Keeper.Purge(name)
		}
	}
}

// load brings back one room.
func (sh *shard) load(name string, r record) {
	now := time.Now()
	sh.now = now
	h := &hall{shard: sh, name: name, known: r.Known, stored: 1, past: pastKept, maker: r.Maker}
	h.Room = room.Revive(sh.server.roomConfig(name), tokens{sh.server.keys}, now, r.Room)
	sh.halls[name] = h
	if h.Exists() {
		h.made = true
		sh.server.limits.rooms.force(h.maker)
		sh.server.revived(h, now)
	}
	for _, x := range h.Seats() {
		if x.Session != "" {
			sh.server.alive.set(x.Session, true) // relayed links may be made again before their sessions return
		}
	}
	sh.settle(h)
}

// persist hands the room's record to the keeper when it changed.
func (h *hall) persist() {
	keeper := h.shard.server.cfg.Keeper
	if !h.Touched() && !h.renewed || keeper == nil || !h.Exists() && h.stored == 0 {
		return
	}
	h.renewed = false
	r := record{Room: h.Snapshot(), Maker: h.maker}
	for _, x := range r.Room.Seats {
		known := h.known[x.Session]
		if s := h.shard.sessions[x.Session]; s != nil {
			known = s.resume.known
			if s.resume.revoked {
				known = math.MaxUint32
			}
		}
		if known > 0 && x.Session != "" {
			if r.Known == nil {
				r.Known = map[string]uint32{}
			}
			r.Known[x.Session] = known
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic("signalserver: a room that is no JSON: " + err.Error())
	}
	if sum := maphash.Bytes(h.shard.server.hashSeed, b) | 1; sum != h.stored {
		h.stored = sum
		keeper.PutRoom(h.name, b)
	}
}

// expunge forgets what the keeper has of a room that is forgotten.
func (h *hall) expunge() {
	keeper := h.shard.server.cfg.Keeper
	if keeper == nil {
		return
	}
	if h.said {
		h.purge()
	}
	if h.stored != 0 {
		h.stored = 0
		keeper.DeleteRoom(h.name)
	}
}

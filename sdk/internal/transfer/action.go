package transfer

// Action is something that the owner of an engine is to do. Its dynamic type is one of those of this file.
type Action interface{ action() }

type (
	// Say sends a control message.
	Say struct{ Text []byte }
	// Send sends a binary frame that ends a chunk.
	Send struct{ Frame []byte }
	// Read reads Length bytes of a file at At and hands them to Sender.Take, before anything else is done.
	Read struct {
		File   int
		At     int64
		Length int
	}
	// Write puts data of a file at At. Data is part of the frame that was handed in.
	Write struct {
		File int
		At   int64
		Data []byte
	}
	// Store makes a chunk, all of which was written, part of what survives the process. Receiver.Stored follows.
	Store struct {
		File  int
		Chunk uint32
		Hash  Hash
	}
	// Finish gives a file, all of which is stored, its place. Receiver.Finished follows. Digest, the SHA-256 over the hashes
	// of all its chunks, is what Receiver.Settle wants to know on a later channel.
	Finish struct {
		File   int
		Root   Hash
		Digest Hash
	}

	// Offered says what the sender has. Receiver.Accept or Refuse follows.
	Offered struct{ Offer Offer }
	// Accepted says that the receiver wants the files. Held is how many bytes it has already, as far as is known by then,
	// and Bulk whether it would rather get the rest by a link for bulk.
	Accepted struct {
		Held int64
		Bulk bool
	}
	// Stored says that the receiver has so many bytes more.
	Stored struct{ Bytes int64 }
	// Paused says that the other side asks to pause, or to go on.
	Paused struct{ On bool }
	// Verified says that the receiver has all of a file, and that it is the same.
	Verified struct {
		File int
		Root Hash
	}
	// Done is the end of a transfer that carried everything.
	Done struct{}
	// Ended is any other end, after what is still to be said. Mine is true when it was this side that ended it.
	Ended struct {
		Reason Reason
		Mine   bool
		Err    error // says more, for a log; may be nil
	}
)

func (Say) action()      {}
func (Send) action()     {}
func (Read) action()     {}
func (Write) action()    {}
func (Store) action()    {}
func (Finish) action()   {}
func (Offered) action()  {}
func (Accepted) action() {}
func (Stored) action()   {}
func (Paused) action()   {}
func (Verified) action() {}
func (Done) action()     {}
func (Ended) action()    {}

// engine is what sender and receiver have in common.
type engine struct {
	actions []Action // to do, oldest first
	over    bool     // nothing is done any more after actions
	pauses  int      // that the other side said on this channel
}

func (e *engine) do(a Action) { e.actions = append(e.actions, a) }

func (e *engine) say(m *message) { e.do(Say{m.encode()}) }

// pop returns the oldest action, nil when there is none.
func (e *engine) pop() Action {
	if len(e.actions) == 0 {
		return nil
	}
	a := e.actions[0]
	e.actions = e.actions[1:]
	return a
}

// end ends the transfer.
func (e *engine) end(a Action) {
	if !e.over {
		e.do(a)
		e.over = true
	}
}

// cancel ends the transfer and says why to the other side.
func (e *engine) cancel(reason Reason, err error) {
	if !e.over {
		e.say(&message{Type: typeCancel, Reason: reason})
		e.end(Ended{Reason: reason, Mine: true, Err: err})
	}
}

// cancelled is the other side's cancel. A reason that this version does not know is kept short.
func (e *engine) cancelled(reason Reason) {
	if reason == "" || len(reason) > 32 {
		reason = Cancelled
	}
	e.end(Ended{Reason: reason})
}

// hears notes that the other side pauses or goes on.
func (e *engine) hears(on bool) error {
	if e.pauses++; e.pauses > maxPauses {
		return fault("it pauses and goes on without an end")
	}
	e.do(Paused{on})
	return nil
}

// Cancel ends the transfer, for a reason of this side.
func (e *engine) Cancel(reason Reason) { e.cancel(reason, nil) }

// Pause asks the other side to pause, or to go on.
func (e *engine) Pause(on bool) {
	switch {
	case e.over:
	case on:
		e.say(&message{Type: typePause})
	default:
		e.say(&message{Type: typeResume})
	}
}

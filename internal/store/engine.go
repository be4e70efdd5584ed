package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Bounds of the embedded server.
const (
	// ioTimeout is how long the disk may take for one thing.
	ioTimeout = 10 * time.Second
	// memoryBytes bounds streams in memory, of which there are none; JetStream wants a number.
	memoryBytes = 1 << 20
	// maxValue is the longest value in bytes.
	maxValue = 512 << 10
	// repliesAhead is how many replies may wait for us; more than any one question has.
	repliesAhead = 4 * scanBatch
)

// engine is one run of the embedded server, and our connection to it. The store's goroutine owns it.
type engine struct {
	server  *server.Server
	conn    *nats.Conn
	replies *nats.Subscription
	inbox   string // of replies, up to the last token
	serial  uint64 // of the newest question
}

// openEngine starts a server on dir and makes or updates the streams. It listens nowhere and takes no signals.
func openEngine(ctx context.Context, cfg Config) (*engine, error) {
	e := &engine{}
	var err error
	e.server, err = server.NewServer(&server.Options{
		ServerName: "parley", DontListen: true, NoSigs: true, StoreDir: cfg.Dir, SyncAlways: true,
		MaxPayload: maxValue + 64<<10, NoSublistCache: true, DisableJetStreamBanner: true, NoSystemAccount: true,
	})
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	e.server.SetLoggerV2(logger{cfg.Log}, false, false, false)
	e.server.Start()
	// Not by the options: there, a failure would be fatal.
	if err := e.server.EnableJetStream(&server.JetStreamConfig{
		StoreDir: cfg.Dir, MaxMemory: memoryBytes, MaxStore: cfg.MaxBytes * int64(1+len(cfg.Journals)), SyncAlways: true,
	}); err != nil {
		e.close()
		return nil, fmt.Errorf("store: open %s: %w", cfg.Dir, err)
	}
	if err := e.connect(); err != nil {
		e.close()
		return nil, fmt.Errorf("store: connect: %w", err)
	}
	for _, c := range streams(cfg) {
		if err := e.declare(ctx, c); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

func (e *engine) connect() (err error) {
	e.conn, err = nats.Connect("", nats.InProcessServer(e.server), nats.NoReconnect(), nats.SyncQueueLen(repliesAhead),
		nats.Timeout(ioTimeout), nats.PingInterval(time.Hour), nats.SkipSubjectValidation())
	if err != nil {
		return err
	}
	e.inbox = e.conn.NewInbox() + "."
	e.replies, err = e.conn.SubscribeSync(e.inbox + "*")
	return err
}

// close ends the run; what the disk has acknowledged is there at the next one.
func (e *engine) close() {
	if e.conn != nil {
		e.conn.Close()
	}
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

// Streams and the subjects in them.
const (
	stateStream   = "state"
	journalPrefix = "journal-"
)

// streams are the JetStream streams of a store: one for all buckets, one for each journal.
func streams(cfg Config) []server.StreamConfig {
	base := server.StreamConfig{
		Storage: server.FileStorage, Replicas: 1, MaxMsgs: -1, MaxConsumers: -1, MaxBytes: cfg.MaxBytes, MaxMsgsPer: -1,
		Discard: server.DiscardOld, AllowDirect: true,
	}
	state := base
	state.Name, state.Subjects = stateStream, []string{stateStream + ".>"}
	state.MaxMsgsPer, state.AllowMsgTTL = 1, true
	list := []server.StreamConfig{state}
	for _, j := range cfg.Journals {
		c := base
		c.Name, c.Subjects, c.MaxAge = journalPrefix+j.Name, []string{j.Name + ".>"}, j.Keep
		if j.Entries > 0 {
			c.MaxMsgsPer = int64(j.Entries)
		}
		list = append(list, c)
	}
	return list
}

// declare makes the stream, or makes it as configured.
func (e *engine) declare(ctx context.Context, c server.StreamConfig) error {
	err := e.ask(ctx, server.JSApiStreamCreateT, c.Name, c, nil)
	if err != nil {
		err = e.ask(ctx, server.JSApiStreamUpdateT, c.Name, c, nil)
	}
	if err != nil {
		return fmt.Errorf("store: declare %s: %w", c.Name, err)
	}
	return nil
}

// ask sends a question to JetStream about a stream and reads the answer into answer, which may be nil.
func (e *engine) ask(ctx context.Context, subject, stream string, question, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, ioTimeout)
	defer cancel()
	b, err := json.Marshal(question)
	if err != nil {
		return err
	}
	m, err := e.conn.RequestWithContext(ctx, fmt.Sprintf(subject, stream), b)
	if err != nil {
		return err
	}
	var failed struct{ Error *server.ApiError }
	if err := json.Unmarshal(m.Data, &failed); err != nil {
		return err
	}
	if failed.Error != nil {
		return failed.Error
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(m.Data, answer)
}

// question returns a fresh address for replies.
func (e *engine) question() string {
	e.serial++
	return e.inbox + strconv.FormatUint(e.serial, 10)
}

// reply returns the next reply to one of the questions that listen knows, and forgets older ones.
func (e *engine) reply(deadline time.Time, listen func(address string) bool) (*nats.Msg, error) {
	for {
		wait := time.Until(deadline)
		if wait <= 0 {
			return nil, nats.ErrTimeout
		}
		m, err := e.replies.NextMsg(wait)
		if err != nil {
			return nil, err
		}
		if listen(m.Subject) {
			return m, nil
		}
	}
}

var errNoStream = errors.New("store: the embedded server does not answer")

// published reads JetStream's answer to a write.
func published(m *nats.Msg) error {
	if m.Header.Get("Status") != "" {
		return errNoStream // 503: the stream is closed
	}
	var ack server.JSPubAckResponse
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return fmt.Errorf("store: acknowledgement: %w", err)
	}
	if ack.Error != nil {
		return ack.Error
	}
	if ack.PubAck == nil {
		return errNoStream
	}
	return nil
}

// logger hands what the embedded server says to slog. What is serious to it is not to us: our own line says so once.
type logger struct{ log *slog.Logger }

func (l logger) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }
func (l logger) Warnf(format string, v ...any)   { l.say(slog.LevelDebug, format, v) }
func (l logger) Errorf(format string, v ...any)  { l.say(slog.LevelInfo, format, v) }
func (l logger) Fatalf(format string, v ...any)  { l.say(slog.LevelError, format, v) }
func (l logger) Debugf(string, ...any)           {}
func (l logger) Tracef(string, ...any)           {}

func (l logger) say(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "store: "+fmt.Sprintf(format, v...))
	}
}

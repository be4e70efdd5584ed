package cli

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	parley "github.com/parley-rtc/parley/sdk"
	"github.com/parley-rtc/parley/sdk/media"
)

// leaveTime is how long leaving may take once the call is over.
const leaveTime = 3 * time.Second

// Call is `parley call`: a peer without a screen that joins a room, sends a tone and a test pattern or files, and says
// each second what arrives.
type Call struct {
	URL       string        `arg:"" name:"url" help:"Link of the room. With - it is read from standard input, so that a secret in it stays out of the list of processes."`
	Name      string        `default:"Parley bot" help:"Name that the others see."`
	Audio     string        `type:"existingfile" placeholder:"FILE" xor:"audio" help:"Send this Opus file (.ogg, .opus), over and over, instead of a 440 Hz tone."`
	Video     string        `type:"existingfile" placeholder:"FILE" xor:"video" help:"Send this VP8 file (.ivf), over and over, instead of a test pattern."`
	NoAudio   bool          `xor:"audio" help:"Send no sound."`
	NoVideo   bool          `xor:"video" help:"Send no picture."`
	Encrypt   bool          `help:"Make an end-to-end encrypted room, and print its link with the key that it has from then on. A link with #key=… in it needs no such word."`
	Listen    bool          `help:"Join as a listener, who sends nothing."`
	Show      int           `default:"-1" placeholder:"N" help:"Take the pictures of at most so many people when the call goes through the hub; 16 are taken if this is not given."`
	Record    string        `type:"path" placeholder:"DIR" help:"Write what is heard and seen into this folder, a file a track."`
	Duration  time.Duration `placeholder:"D" help:"Leave after this time, such as 30s or 5m."`
	JSON      bool          `name:"json" help:"Print one JSON object a line."`
	Relay     bool          `help:"Use the server's relay even when a direct path exists."`
	RelayOver string        `enum:",udp,tcp,tls" default:"" placeholder:"WAY" help:"Keep to one way to the relay: udp, tcp or tls."`
	CA        string        `name:"ca" type:"existingfile" placeholder:"FILE" help:"Trust the certificates in this PEM file instead of the system's, for a self-signed server."`
	Insecure  bool          `help:"Accept any certificate. Whoever is on the way can then listen: for tests only."`
}

// Run joins, stays until ctx ends or the duration is over, and leaves. in is read only for a link of -.
func (c *Call) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	link, err := c.link(in)
	if err != nil {
		return err
	}
	options, err := c.options()
	if err != nil {
		return err
	}
	if c.Record != "" {
		if err := os.MkdirAll(c.Record, 0o755); err != nil { // recordings are for the user to share
			return fmt.Errorf("call: cannot record: %w", err)
		}
	}
	room, err := parley.Dial(ctx, link, options)
	if err != nil {
		return advise(err)
	}
	defer room.Close()
	show := &callShow{link: link, print: newCallPrinter(out, c.JSON), record: newCallRecorder(c.Record), room: room, most: min(c.Show, 48)}
	err = show.run(ctx, c)
	if ctx.Err() != nil { // the user's wish is no failure
		err = nil
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	_ = room.Leave(leaving) // it may be over already
	room.Close()
	return errors.Join(advise(err), show.record.close())
}

// link returns the link of the room.
func (c *Call) link(in io.Reader) (string, error) {
	if c.URL != "-" {
		return c.URL, nil
	}
	line, err := bufio.NewReader(io.LimitReader(in, 64<<10)).ReadString('\n')
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = errors.New("it is empty")
	}
	return "", fmt.Errorf("call: no link on standard input: %w", err)
}

func (c *Call) options() (parley.Options, error) {
	o := parley.Options{
		Name: c.Name, Insecure: c.Insecure, Relay: c.Relay || c.RelayOver != "", RelayOver: c.RelayOver, Hear: true,
		Listen: c.Listen, Encrypt: c.Encrypt,
		Agent: "parley-call",
	}
	if c.CA == "" {
		return o, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return o, fmt.Errorf("call: %w", err)
	}
	o.Roots = x509.NewCertPool()
	if !o.Roots.AppendCertsFromPEM(pem) {
		return o, fmt.Errorf("call: %s holds no certificate in PEM form", c.CA)
	}
	return o, nil
}

// publish begins to send what was asked for.
func (c *Call) publish(ctx context.Context, room *parley.Room) error {
	for _, one := range []struct {
		off    bool
		file   string
		source parley.Source
		make   func() *media.Clip
	}{{c.NoAudio, c.Audio, parley.Microphone, media.Tone}, {c.NoVideo, c.Video, parley.Camera, media.Pattern}} {
		if one.off {
			continue
		}
		clip := one.make()
		if one.file != "" {
			var err error
			if clip, err = media.Open(one.file, true); err != nil {
				return fmt.Errorf("call: %w; make one with opusenc (sound) or ffmpeg -c:v libvpx -f ivf (picture)", err)
			}
		}
		if err := room.Publish(ctx, one.source, clip); err != nil {
			return err
		}
	}
	return nil
}

// advise adds what to do to errors that have a remedy.
func advise(err error) error {
	var refused *parley.Refused
	var dns *net.DNSError
	var op *net.OpError
	remedy := ""
	switch {
	case err == nil:
		return nil
	case untrusted(err):
		remedy = "give the server's certificate with --ca FILE, or --insecure on a test machine"
	case errors.As(err, &refused) && refused.Words == "":
		remedy = refusal(refused.Code)
	case errors.Is(err, http.ErrSchemeMismatch):
		remedy = "the port speaks plain HTTP: write http:// in the link"
	case errors.As(err, &dns):
		remedy = "check the server's name in the link"
	case errors.As(err, &op) && op.Op == "dial":
		remedy = "check that the server runs and that its port is open"
	}
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, remedy)
}

func untrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid)
}

func refusal(code parley.Code) string {
	switch code {
	case parley.CodeFull:
		return "every seat is taken: wait until somebody leaves"
	case parley.CodeLocked:
		return "ask a host to unlock the room"
	case parley.CodeNoRoom:
		return "somebody with the host link has to open the room first"
	case parley.CodeBadSecret:
		return "the link is old: ask for a new one"
	}
	return ""
}

package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// maxSkew is how far the server's clock may be off: credentials and certificates are good for times.
const maxSkew = time.Minute

// soon is when a certificate should have been renewed.
const soon = 10 * 24 * time.Hour

// reason strips an error of the addresses that the sentence around it has already.
func reason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case err == nil:
		return "no answer"
	case errors.As(err, &dns):
		return dns.Err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("no answer within %v", stepTimeout)
	case errors.As(err, &op) && op.Err != nil:
		return op.Err.Error()
	}
	return err.Error()
}

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// certificate shakes hands and judges what the server shows.
func (l *look) certificate(ctx context.Context) {
	if l.Base.Scheme == "http" {
		l.tell(Finding{
			Check: "certificate", State: Skipped, Words: "This address is without TLS, which browsers trust on this very machine only.",
		})
		return
	}
	if !l.reachable {
		l.tell(Finding{Check: "certificate", State: Skipped, Words: "The port cannot be reached."})
		return
	}
	chain, err := l.handshake(ctx)
	if err != nil {
		l.tell(Finding{
			Check: "certificate", State: Failed, Words: fmt.Sprintf("There is no TLS at %s: %v.", l.Base.Host, reason(err)),
			Fix: "If another program answers on this port, give Parley a port of its own.",
		})
		return
	}
	l.tell(l.judge(chain))
}

// handshake returns the certificates that the server shows for the name.
func (l *look) handshake(ctx context.Context) ([]*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	d := tls.Dialer{Config: &tls.Config{
		ServerName: l.host, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // what is shown is judged below, fault by fault
	}}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(l.host, fmt.Sprint(l.port)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates, nil
}

// judge says what a browser thinks of chain.
func (l *look) judge(chain []*x509.Certificate) Finding {
	leaf, rest := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		rest.AddCert(c)
	}
	now := l.Now()
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: l.host, Roots: l.Roots, Intermediates: rest, CurrentTime: now})
	left := leaf.NotAfter.Sub(now)
	var name x509.HostnameError
	f := Finding{Check: "certificate"}
	switch {
	case err == nil && left < soon:
		l.trusted = true
		f.State, f.Words = Warning, fmt.Sprintf("The certificate is good, but ends in %d days.", int(left.Hours()/24))
		f.Fix = "It should have been renewed by now. With --domain, port 443 must be reachable from the Internet; with --cert, renew the file."
	case err == nil:
		l.trusted = true
		f.State, f.Words = OK, fmt.Sprintf("The certificate is good for %s until %s.", l.host, leaf.NotAfter.UTC().Format("2 January 2006"))
	case left < 0:
		f.State, f.Words = Failed, fmt.Sprintf("The certificate ended on %s.", leaf.NotAfter.UTC().Format("2 January 2006"))
		f.Fix = "With --domain, port 443 must be reachable from the Internet for a new one; with --cert, renew the file. Parley takes it up by itself."
	case now.Before(leaf.NotBefore):
		f.State, f.Words = Failed, fmt.Sprintf("The certificate is good only from %s.", leaf.NotBefore.UTC().Format(time.RFC1123))
		f.Fix = "Check the clocks of both machines."
	case errors.As(err, &name) && chained(leaf, rest, l.Roots, now):
		f.State, f.Words = Failed, fmt.Sprintf("The certificate is for another name than %s.", l.host)
		f.Fix = "Use a name that it holds, or get one for this name (--domain, or --cert and --key)."
	case leaf.CheckSignatureFrom(leaf) == nil || len(chain) == 1 && leaf.Issuer.String() == leaf.Subject.String():
		l.Caller.Trust(leaf)
		f.State, f.Words = Warning, "The certificate is self-signed: browsers warn once, and networks that let only TLS out cannot use the relay."
		f.Fix = "Start with --domain NAME, or give --cert and --key."
	default:
		f.State, f.Words = Failed, fmt.Sprintf("Browsers do not trust the certificate: %v.", err)
		f.Fix = "The file of --cert must hold the whole chain: the server's certificate first, then the intermediate ones."
	}
	return f
}

// chained reports whether leaf is trusted but for its name.
func chained(leaf *x509.Certificate, rest, roots *x509.CertPool, now time.Time) bool {
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: rest, CurrentTime: now})
	return err == nil
}

// page gets the health of the server, and looks at its clock on the way.
func (l *look) page(ctx context.Context) {
	if !l.reachable {
		l.tell(Finding{Check: "page", State: Skipped, Words: "The port cannot be reached."})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	client := &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // the certificate has a finding of its own
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.Base.JoinPath("/healthz").String(), nil)
	if err != nil {
		l.tell(Finding{Check: "page", State: Failed, Words: err.Error()})
		return
	}
	began := l.Now()
	response, err := client.Do(request)
	if err != nil {
		l.tell(Finding{
			Check: "page", State: Failed, Words: fmt.Sprintf("The server does not answer a request for a page: %v.", reason(err)),
			Fix: "See its log. If a proxy stands in front, see that it passes everything on, WebSockets included.",
		})
		return
	}
	defer response.Body.Close()
	now := l.Now()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	took := milliseconds(now.Sub(began))
	if to, err := response.Location(); err == nil && to.Scheme == "https" && l.Base.Scheme == "http" {
		l.tell(Finding{
			Check: "page", State: Failed, MS: took, Words: "The server sends plain HTTP on to HTTPS, as it should from anywhere but its own machine.",
			Fix: "Look at the address that people use: parley doctor https://" + to.Host,
		})
		return
	}
	answer := fmt.Sprintf("%q", response.Status)
	if response.StatusCode == http.StatusOK {
		answer = "with another page"
	}
	// Some programs answer every request for a page with one of their own.
	if alive := strings.TrimSpace(string(said)) == "alive"; response.StatusCode != http.StatusOK || !alive {
		l.tell(Finding{
			Check: "page", State: Failed, MS: took, Words: fmt.Sprintf("The server answers %s when asked for its health.", answer),
			Fix: "Check that this is the address of a Parley server: another program may be listening there.",
		})
		return
	}
	l.tell(Finding{Check: "page", State: OK, MS: took, Words: "The server answers and says that it is well."})
	l.clock(response, began, now)
}

// clock compares the server's clock with this machine's.
func (l *look) clock(response *http.Response, began, now time.Time) {
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		l.tell(Finding{Check: "clock", State: Skipped, Words: "The server does not say what time it is."})
		return
	}
	// The header counts whole seconds, and was written between the two looks at our clock.
	skew := at.Add(500 * time.Millisecond).Sub(began.Add(now.Sub(began) / 2))
	apart := skew.Abs().Round(time.Second)
	if apart > time.Minute { // it is not known to the second
		apart = apart.Round(10 * time.Second)
	}
	switch {
	case l.Own:
		l.tell(Finding{Check: "clock", State: Skipped, Words: "The server's clock is this machine's; another machine can compare."})
	case skew.Abs() > maxSkew:
		l.tell(Finding{
			Check: "clock", State: Warning, Words: fmt.Sprintf("The server's clock and this one are %v apart.", apart),
			Fix: "Let both machines set their clocks by NTP. Credentials and certificates are good for times.",
		})
	default:
		l.tell(Finding{Check: "clock", State: OK, Words: "The server's clock agrees with this one."})
	}
}

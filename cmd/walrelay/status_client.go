package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/walrelay/walrelay/config"
)

const (
	// answerTimeout bounds a question to a relay.
	answerTimeout = 3 * time.Second
	// maxAnswer bounds its answer. A status with fifty payloads is a few hundred KiB.
	maxAnswer = 16 << 20
)

// client asks a running relay by its HTTP.
type client struct {
	base               string // scheme, host and port, without credentials and a slash at the end
	http               *http.Client
	username, password string
	token              string
}

// awayError says that nothing answers where the relay should.
type awayError struct {
	base string
	err  error
}

func (e *awayError) Error() string {
	return fmt.Sprintf("no answer from %s: %s", e.base, reasonOfNet(e.err))
}

func (e *awayError) Unwrap() error { return e.err }

// reasonOfNet is a network error without the address, which is said anyway.
func reasonOfNet(err error) string {
	var failed *url.Error
	if errors.As(err, &failed) {
		if failed.Timeout() {
			return fmt.Sprintf("nothing within %s", answerTimeout)
		}
		err = failed.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err.Error()
}

// errOff says that there is no HTTP server to ask.
var errOff = errors.New("http.listen is off, so the relay can't be asked: switch it on (the default is 127.0.0.1:9187)")

// newClient makes a client for the address given by --url, or else the
// configuration's: one that listens everywhere is asked on the loopback.
func newClient(h config.HTTP, given string) (*client, error) {
	// No proxy: a relay is asked on its own machine, or one nearby.
	c := &client{
		http: &http.Client{
			Timeout:       answerTimeout,
			Transport:     &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: answerTimeout}).DialContext},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		username: h.Username, password: h.Password, token: h.Token,
	}
	if given != "" {
		return c, c.parse(given)
	}
	if h.Listen == "" {
		return nil, errOff
	}
	host, port, err := net.SplitHostPort(h.Listen)
	if err != nil {
		return nil, fmt.Errorf("http.listen %q: %w", h.Listen, err)
	}
	if port == "0" || port == "" {
		return nil, fmt.Errorf("http.listen is %s, which is any free port: name the relay's address with --url (its log says it as \"http\")", h.Listen)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	c.base = "http://" + net.JoinHostPort(host, port)
	return c, nil
}

// parse takes the address of --url, with or without scheme, user and path.
func (c *client) parse(given string) error {
	text := given
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return &usageError{"--url: want http://host:port, as the relay's http.listen says it"} // the text may hold a password
	}
	if u.User != nil {
		c.username, c.token = u.User.Username(), ""
		c.password, _ = u.User.Password()
	}
	c.base = u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/")
	return nil
}

// bare asks without credentials, for what is open to everybody: wrong ones would
// be refused.
func (c *client) bare() *client {
	copied := *c
	copied.password, copied.token = "", ""
	return &copied
}

// get asks for a path. An answer is 200 or 503; *awayError when nobody answers.
func (c *client) get(ctx context.Context, path string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return 0, nil, err
	}
	switch {
	case c.token != "":
		request.Header.Set("Authorization", "Bearer "+c.token)
	case c.password != "":
		request.SetBasicAuth(c.username, c.password)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return 0, nil, &awayError{c.base, err}
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return 0, nil, &awayError{c.base, err}
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusServiceUnavailable:
		return answer.StatusCode, body, nil
	case http.StatusUnauthorized:
		return 0, nil, withCode(exitConfig, fmt.Errorf("%s wants %s: set http.password or http.token as the relay has it "+
			"(also WALRELAY_HTTP_PASSWORD, WALRELAY_HTTP_TOKEN, or each from a file)", c.base, c.wants()))
	}
	return 0, nil, c.stranger(fmt.Sprintf("%s %s: %s", path, answer.Status, firstLine(body)))
}

func (c *client) wants() string {
	if c.password == "" && c.token == "" {
		return "a password"
	}
	return "another password or token"
}

// stranger is the error of an address where something else than a relay answers.
func (c *client) stranger(what string) error {
	return withCode(exitConfig, fmt.Errorf("what answers at %s is not a relay, or is asked by the wrong name (%s): compare the address with the relay's http.listen", c.base, what))
}

// firstLine is the beginning of an answer, for people.
func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return cut(oneLine(strings.ToValidUTF8(line, "?")), 200)
}

// urlFlag adds --url to a command that asks a relay.
func urlFlag(flags *pflag.FlagSet) {
	flags.String("url", "", "address of the relay's HTTP, for instance http://10.0.0.7:9187 (default that of http.listen)")
}

// loadHTTP reads the http.* settings alone. Kafka and PostgreSQL may be missing
// from the configuration.
func (a *app) loadHTTP(flags *pflag.FlagSet) (config.HTTP, error) {
	options := config.Options{File: a.file, Env: a.env, Flags: given(flags), Only: "http."}
	c, err := config.Load(options)
	if err != nil {
		return config.HTTP{}, err
	}
	return c.HTTP, nil
}

// given are the flags of settings that were given.
func given(flags *pflag.FlagSet) map[string]string {
	given := map[string]string{}
	for _, f := range config.Flags() {
		if flag := flags.Lookup(f.Name); flag != nil && flag.Changed {
			given[f.Name] = flag.Value.String()
		}
	}
	return given
}

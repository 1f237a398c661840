package config

import (
	"net"
	"net/netip"
	"time"
)

// HTTP is the server of metrics, health, status and the status page.
type HTTP struct {
	Listen         string // host:port; "" is off
	Username       string // of basic authentication; needs Password
	Password       string
	PasswordFile   string
	Token          string // of bearer authentication
	TokenFile      string
	AllowAnonymous bool // listen beyond the loopback without either
	ShowPayloads   bool // the status page and /status show the beginning of payloads
}

// Protected says that a password or a token is asked for.
func (h HTTP) Protected() bool { return h.Password != "" || h.Token != "" }

// Canary is an event of the relay's own that measures the way while nothing else
// goes it. Every 0 is off.
type Canary struct {
	Every time.Duration
	Topic string
}

// httpSettings are the relay's own pages and how it watches itself.
var httpSettings = []*setting{
	{key: "http.listen", at: func(c *Config, _ int) any { return &c.HTTP.Listen }, def: "127.0.0.1:9187", flag: "listen", check: checkListen, empty: "off",
		doc: "Address of status page, metrics, health and status; `\"\"` switches them off. Beyond the loopback it takes a password or a token, or `http.allow_anonymous`."},
	{key: "http.username", at: func(c *Config, _ int) any { return &c.HTTP.Username }, def: "walrelay",
		doc: "The user name that goes with `http.password`."},
	{key: "http.password", at: func(c *Config, _ int) any { return &c.HTTP.Password }, secret: masked,
		doc: "Asked for by basic authentication, on everything but `/healthz` and the bare answer of `/readyz`."},
	{key: "http.password_file", at: func(c *Config, _ int) any { return &c.HTTP.PasswordFile },
		doc: "A file that holds `http.password`."},
	{key: "http.token", at: func(c *Config, _ int) any { return &c.HTTP.Token }, secret: masked,
		doc: "Taken as bearer token, for programs; in a browser as the password of basic authentication."},
	{key: "http.token_file", at: func(c *Config, _ int) any { return &c.HTTP.TokenFile },
		doc: "A file that holds `http.token`."},
	{key: "http.allow_anonymous", at: func(c *Config, _ int) any { return &c.HTTP.AllowAnonymous }, def: "false",
		doc: "Listen beyond the loopback without password or token: whoever gets to the port sees topics, event ids and configuration (no secrets)."},
	{key: "http.show_payloads", at: func(c *Config, _ int) any { return &c.HTTP.ShowPayloads }, def: "false",
		doc: "Show the beginning of the last events' payloads on the status page. Without it there are ids and sizes only."},
	{key: "canary.every", at: func(c *Config, _ int) any { return &c.Canary.Every }, def: "0s", min: 0, max: int64(time.Hour), defDoc: "off",
		doc: "While no event was delivered for this long, send one of our own the whole way, by `pg_logical_emit_message`, and measure commit to acknowledgement; `0s` is off. The topic must exist or be made by `kafka.topics.create`."},
	{key: "canary.topic", at: func(c *Config, _ int) any { return &c.Canary.Topic }, def: "walrelay.canary", check: checkTopic,
		doc: "The topic of the canary's records, apart from all events."},
}

// checkHTTP refuses an open door: pages that anybody gets to without a password.
func (l *loader) checkHTTP() {
	const listen, password, username = "http.listen", "http.password", "http.username"
	c, h := l.c, &l.c.HTTP
	if c.Given(username) && h.Password == "" && !l.bad[password] && !l.bad["http.password_file"] {
		l.problem(c.origins[username], password, "required with username: set it, or password_file")
	}
	if h.Listen == "" || l.bad[listen] || loopback(h.Listen) || h.Protected() || h.AllowAnonymous || l.bad[password] || l.bad["http.token"] || l.bad["http.password_file"] || l.bad["http.token_file"] {
		return
	}
	l.problem(c.origins[listen], listen, "%s is more than the loopback, and everybody who gets there would see the relay: set http.password or http.token (each also from a file), or http.allow_anonymous: true where the network keeps strangers out", h.Listen)
}

// loopback says that an address is reached from this machine alone.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

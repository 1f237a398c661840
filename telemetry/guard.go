package telemetry

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/rs/zerolog"
)

// guard decides who sees what. With a password or a token everything asks for it,
// but /healthz, and /readyz in its bare form. Without either the server is meant
// for this machine, and then only names of this machine are answered: otherwise a
// page from elsewhere could have its own name resolve to 127.0.0.1 and read the
// relay through the visitor's browser (DNS rebinding).
type guard struct {
	username, password, token [sha256.Size]byte
	byPassword, byToken       bool

	local bool   // answer to names of this machine only
	host  string // the configured one, answered too

	refusals *Repeated
}

// newGuard makes the guard of a server that listens on addr.
func newGuard(c ServerConfig, addr net.Addr, log zerolog.Logger) *guard {
	g := &guard{
		username: sha256.Sum256([]byte(c.Username)), password: sha256.Sum256([]byte(c.Password)), token: sha256.Sum256([]byte(c.Token)),
		byPassword: c.Password != "", byToken: c.Token != "", refusals: NewRepeated(log),
	}
	g.host, _, _ = net.SplitHostPort(c.Listen) // what is listened on has been split before
	tcp, ok := addr.(*net.TCPAddr)
	g.local = ok && tcp.IP.IsLoopback() && !g.protected()
	return g
}

// protected says that a password or a token is asked for.
func (g *guard) protected() bool { return g.byPassword || g.byToken }

// access is what a request may see.
type access int

const (
	refused access = iota // nothing: its credentials are wrong
	bare                  // what is open to strangers
	full
)

// access judges a request's credentials. The comparisons take the same time
// whatever is right or wrong.
func (g *guard) access(r *http.Request) access {
	if !g.protected() {
		return full
	}
	if r.Header.Get("Authorization") == "" {
		return bare
	}
	ok := 0
	if scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") && g.byToken {
		ok = same(strings.TrimSpace(token), g.token)
	}
	if user, password, found := r.BasicAuth(); found {
		if g.byPassword {
			ok |= same(user, g.username) & same(password, g.password)
		}
		if g.byToken {
			ok |= same(password, g.token)
		}
	}
	if ok == 1 {
		return full
	}
	return refused
}

// same is 1 when text has the digest. Digests are of one length, so that the
// time does not tell the secret's.
func same(text string, digest [sha256.Size]byte) int {
	got := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(got[:], digest[:])
}

// accessKey is where the judgement goes along with a request.
type accessKey struct{}

// accessOf is what the guard said of a request.
func accessOf(r *http.Request) access {
	a, _ := r.Context().Value(accessKey{}).(access)
	return a
}

// openPaths are the paths that answer strangers: orchestrators probe without credentials.
var openPaths = map[string]bool{"/healthz": true, "/readyz": true}

// wrap guards next.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are answered: there is nothing to change here", http.StatusMethodNotAllowed)
			return
		}
		if g.local && r.URL.Path != "/healthz" && !g.knows(r.Host) {
			http.Error(w, fmt.Sprintf("walrelay listens on this machine alone and does not answer to the name %q: "+
				"use http://127.0.0.1 or http://localhost with its port, or set http.password for other names", r.Host), http.StatusMisdirectedRequest)
			return
		}
		a := g.access(r)
		if a == refused {
			g.refusals.Failed("http access", "http request with a wrong password or token refused", errAccess,
				func(e *zerolog.Event) { e.Str("client", r.RemoteAddr).Str("path", r.URL.Path) })
		}
		if a == refused || a == bare && !openPaths[r.URL.Path] {
			g.demand(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), accessKey{}, a)))
	})
}

var errAccess = errors.New("not the configured http.password or http.token")

// demand asks for credentials. A browser takes a token as password of any user.
func (g *guard) demand(w http.ResponseWriter) {
	const realm = ` realm="walrelay", charset="UTF-8"`
	w.Header().Add("WWW-Authenticate", "Basic"+realm)
	if g.byToken {
		w.Header().Add("WWW-Authenticate", "Bearer"+` realm="walrelay"`)
	}
	http.Error(w, "not allowed: give the user name and password (http.username, http.password), or the token (http.token) as bearer token or as password of any user", http.StatusUnauthorized)
}

// knows says that a Host header means this machine. HTTP/1.0 has none; browsers
// always send one.
func (g *guard) knows(host string) bool {
	if host == "" {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"), ".")
	if strings.EqualFold(name, "localhost") || strings.EqualFold(name, g.host) {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

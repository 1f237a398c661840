// Package postgres runs a real PostgreSQL server on this machine for as long as
// a demo or a test needs it, with nothing to install or configure:
//
//	a local installation ─┐
//	                      ├─▶ initdb ─▶ postgres ─▶ ConnString … Stop, Restart, Pause … ─▶ Remove
//	a fetched build ──────┘
//
// The newest local installation from version 14 on is used; without one (or
// without the version asked for) the build of io.zonky.test.postgres for this
// machine is fetched from Maven Central once, checked against a pinned SHA-256
// and cached. As root the server runs as user postgres or nobody, because
// PostgreSQL refuses root.
//
// The server listens on 127.0.0.1 and trusts everyone on this machine: it is
// for data that may be seen and lost. It ends with this program, however that
// ends, and Remove leaves nothing of it behind but the cache.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/walrelay/walrelay/demo/watchdog"
)

// Options say which server to start. The zero value is right for most.
type Options struct {
	// Version is the major version: "14" to "18", or what is installed here.
	// Default: the newest local installation, else a fetched 17.
	Version string

	// DataDir is the folder that will hold the cluster, the server's log and
	// its socket. It is made when missing and must be empty or hold a cluster
	// of an earlier Start, which then goes on. Default: a new temporary folder.
	DataDir string

	// Port on 127.0.0.1. Default: a free one.
	Port int

	// Settings go into the server's configuration over the defaults of
	// defaultSettings: "wal_level": "replica". "" as a value is an empty string.
	Settings map[string]string

	// Log also gets what the server logs. Default: only the log file does.
	Log io.Writer
}

// Server is a PostgreSQL server of this program, running or stopped. Its
// methods may be called from any goroutine.
type Server struct {
	options Options
	install installation
	run     account
	dir     string
	temp    bool // dir was made by Start
	fresh   bool // the cluster was made by Start

	mu      sync.Mutex // held while the server starts, stops or is removed
	port    int
	process *process // nil when stopped
	dog     *watchdog.Watchdog
	removed bool
}

// Start makes a cluster and starts a server on it; it returns when the server
// takes connections. The superuser is postgres, without a password. The caller
// must Remove the server. Ending ctx later does not stop it.
func Start(ctx context.Context, options Options) (*Server, error) {
	s := &Server{options: options, port: options.Port}
	if err := s.start(ctx); err != nil {
		return nil, fmt.Errorf("start a PostgreSQL on this machine: %w", errors.Join(err, s.Remove()))
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	var err error
	if s.run, err = serverAccount(); err != nil {
		return err
	}
	major, err := s.wantedMajor()
	if err != nil {
		return err
	}
	var local bool
	if s.install, local = findLocal(ctx, major, s.run); !local {
		if s.install, err = fetch(ctx, major, s.run); err != nil {
			return fmt.Errorf("find none installed, fetch one: %w", err)
		}
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	if err := s.makeCluster(ctx); err != nil {
		return err
	}
	disposable := ""
	if s.temp {
		disposable = s.dir
	}
	// QUIT is PostgreSQL's immediate shutdown: its backends end too.
	if s.dog, err = watchdog.Start("QUIT", disposable); err != nil {
		return err
	}
	return s.Start(ctx)
}

// wantedMajor is the version asked for or that of an existing cluster; 0: any.
func (s *Server) wantedMajor() (int, error) {
	major := 0
	if s.options.Version != "" {
		var err error
		if major, err = majorOf(s.options.Version); err != nil {
			return 0, err
		}
		if major < oldest {
			return 0, fmt.Errorf("version %s: %d is the oldest that walrelay works with", s.options.Version, oldest)
		}
	}
	if s.options.DataDir == "" {
		return major, nil
	}
	content, err := os.ReadFile(filepath.Join(s.options.DataDir, "data", "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return major, nil
	}
	if err != nil {
		return 0, err
	}
	existing, err := majorOf(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("%s/data/PG_VERSION: %w", s.options.DataDir, err)
	}
	if major != 0 && major != existing {
		return 0, fmt.Errorf("%s holds a cluster of PostgreSQL %d: ask for that version, or name another folder", s.options.DataDir, existing)
	}
	return existing, nil
}

// makeDir makes the folder that holds all of this server, where its user can
// reach it.
func (s *Server) makeDir() (err error) {
	if s.dir = s.options.DataDir; s.dir != "" {
		if s.dir, err = filepath.Abs(s.dir); err != nil {
			return err
		}
		if err := os.Mkdir(s.dir, 0o700); err == nil {
			s.temp = true
		} else if !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("make the data folder: %w", err)
		}
	} else {
		base := os.TempDir()
		if !s.run.canEnter(base) {
			base = "/tmp" // TMPDIR may be root's own
		}
		if s.dir, err = os.MkdirTemp(base, "walrelay-postgres-"); err != nil {
			return fmt.Errorf("make the data folder: %w: set TMPDIR to a folder that can be written", err)
		}
		s.temp = true
	}
	if err := s.run.own(s.dir); err != nil {
		return fmt.Errorf("give the data folder to user %s: %w", s.run.name, err)
	}
	if !s.run.canEnter(s.dir) {
		return fmt.Errorf("user %s, who is to run PostgreSQL, cannot enter %s: give its parents mode 755, or name another folder", s.run.name, s.dir)
	}
	return nil
}

// makeCluster runs initdb, unless the folder holds a cluster.
func (s *Server) makeCluster(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(s.data(), "PG_VERSION")); err == nil {
		return nil
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is neither empty nor the folder of an earlier server: name another one", s.dir)
	}
	s.fresh = true
	command := exec.CommandContext(ctx, filepath.Join(s.install.bin, "initdb"),
		"-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	command.Dir, command.Env, command.SysProcAttr = s.dir, environment(), s.run.attributes()
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb as user %s: %w: %s", s.run.name, err, lastLines(out))
	}
	return nil
}

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "server.log") }

// ConnString is a connection URL for the superuser in the named database;
// "postgres" always exists.
func (s *Server) ConnString(database string) string {
	address := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port())),
	}
	return address.String()
}

// Port is the server's port on 127.0.0.1, the same for all its life.
func (s *Server) Port() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.port
}

// SocketDir is the folder of the server's Unix socket, usable as a host in a
// connection string.
func (s *Server) SocketDir() string { return s.dir }

// Version is the server's version, "15.18".
func (s *Server) Version() string { return s.install.version }

// Major is the server's major version, 15.
func (s *Server) Major() int { return s.install.major }

// Origin says where the programs come from: "/usr/lib/postgresql/15 (local)"
// or "embedded 17.11 (fetched)".
func (s *Server) Origin() string { return s.install.origin() }

// Remove stops the server and deletes what Start made, at most the whole data
// folder. A cluster that was there before Start is stopped and kept. Remove may
// be called again and on a server that could not start.
func (s *Server) Remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return nil
	}
	s.removed = true
	mode := Immediate
	if !s.fresh && !s.temp {
		mode = Fast // somebody wants to keep this cluster
	}
	err := s.stop(mode)
	if s.temp {
		err = errors.Join(err, os.RemoveAll(s.dir))
	} else if s.fresh {
		err = errors.Join(err, os.RemoveAll(s.data()), os.RemoveAll(s.logFile()))
	}
	if s.dog != nil {
		err = errors.Join(err, s.dog.Close())
	}
	if err != nil {
		return fmt.Errorf("remove the PostgreSQL in %s: %w", s.dir, err)
	}
	return nil
}

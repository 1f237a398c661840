package postgres

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// oldest is the first major version that walrelay supports.
const oldest = 14

// installation is a PostgreSQL whose programs lie in one folder.
type installation struct {
	bin     string // folder with initdb and postgres
	version string // as the server names itself: "15.18", "18beta1"
	major   int
	fetched bool
}

func (i installation) origin() string {
	if i.fetched {
		return fmt.Sprintf("embedded %s (fetched)", i.version)
	}
	return fmt.Sprintf("%s (local)", filepath.Dir(i.bin))
}

// folders are where packages of PostgreSQL put their programs.
var folders = []string{
	"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
	"/usr/pgsql-*/bin",                  // PostgreSQL's own packages for Red Hat
	"/usr/libexec/postgresql*",          // Alpine
	"/opt/homebrew/opt/postgresql*/bin", // Homebrew, Apple silicon
	"/usr/local/opt/postgresql*/bin",    // Homebrew, Intel
	"/usr/local/pgsql/bin",              // built from source
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findLocal returns the newest installation on this machine of the major
// version; 0 means any that is not too old.
func findLocal(ctx context.Context, major int, run account) (best installation, found bool) {
	var bins []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			bins = append(bins, filepath.Dir(path))
		}
	}
	for _, pattern := range folders {
		matches, _ := filepath.Glob(pattern) // the patterns are well formed
		bins = append(bins, matches...)
	}
	for _, bin := range bins {
		candidate, err := inspect(ctx, bin)
		if err != nil || candidate.major < oldest || major != 0 && candidate.major != major || !run.canEnter(bin) {
			continue // a client-only package, too old, or not for the server's user
		}
		if !found || candidate.major > best.major {
			best, found = candidate, true
		}
	}
	return best, found
}

// inspect asks the programs in bin for their version.
func inspect(ctx context.Context, bin string) (installation, error) {
	if _, err := exec.LookPath(filepath.Join(bin, "initdb")); err != nil {
		return installation{}, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return installation{}, err
	}
	// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
	fields := strings.Fields(string(out))
	if len(fields) < 3 {
		return installation{}, fmt.Errorf("%s/postgres --version: unknown answer %q", bin, out)
	}
	major, err := majorOf(fields[2])
	if err != nil {
		return installation{}, err
	}
	return installation{bin: bin, version: fields[2], major: major}, nil
}

// majorOf is 15 for "15", "15.18" and 18 for "18beta1".
func majorOf(version string) (int, error) {
	digits := version
	if end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = version[:end]
	}
	major, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("PostgreSQL version %q does not begin with a number", version)
	}
	return major, nil
}

// Package maven fetches files from a Maven repository into a cache on this
// machine. A file is kept only when its SHA-256 is the one that the caller has
// pinned, so neither a broken download nor another repository host can slip in
// other bytes:
//
//	Artifact (coordinates + SHA-256) ──GET──▶ temporary file ──hash──▶ rename into place
//
// A file under its final name is therefore always whole and always the pinned
// one. Processes may fetch the same file at the same time.
package maven

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// RepositoryVariable names the environment variable with the URL of another
// repository, for machines that reach Maven Central only through a mirror.
const RepositoryVariable = "WALRELAY_MAVEN_REPOSITORY"

const central = "https://repo1.maven.org/maven2"

// attempts is how often a download is tried when the network or the server
// fails; a 404 or a wrong checksum is final at once.
const attempts = 4

// Artifact is one file of a repository and the hash its bytes must have.
type Artifact struct {
	Group   string // with dots: "org.apache.kafka"
	Name    string
	Version string
	SHA256  string // hex, lower case
}

// File is the artifact's file name, as in a repository and in a lib folder.
func (a Artifact) File() string { return a.Name + "-" + a.Version + ".jar" }

func (a Artifact) String() string { return a.Group + ":" + a.Name + ":" + a.Version }

// URL is where the artifact lies: in Maven Central, or in the repository that
// the environment variable RepositoryVariable names.
func (a Artifact) URL() string {
	repository := os.Getenv(RepositoryVariable)
	if repository == "" {
		repository = central
	}
	return strings.Join([]string{
		strings.TrimRight(repository, "/"), strings.ReplaceAll(a.Group, ".", "/"), a.Name, a.Version, a.File(),
	}, "/")
}

// Fetch makes path hold the artifact's bytes and readable for everyone. A path
// that exists is taken to be right and is not read again. Errors name the
// address and what to do.
func Fetch(ctx context.Context, a Artifact, path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	var err error
	for n := range attempts {
		if n > 0 {
			select {
			case <-ctx.Done():
				return fmt.Errorf("fetch %s: %w (last failure: %w)", a, context.Cause(ctx), err)
			case <-time.After(time.Duration(n) * 500 * time.Millisecond):
			}
		}
		var final bool
		if final, err = download(ctx, a, path); err == nil || final {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("fetch %s from %s: %w: check the network, or name a mirror in %s", a, a.URL(), err, RepositoryVariable)
	}
	return nil
}

// download tries once; final says that another try would end the same.
func download(ctx context.Context, a Artifact, path string) (final bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL(), nil)
	if err != nil {
		return true, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ctx.Err() != nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		again := response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests
		return !again, fmt.Errorf("the server answers %s", response.Status)
	}

	temporary, err := os.CreateTemp(filepath.Dir(path), ".fetch-*")
	if err != nil {
		return true, err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary.Name())
		}
	}()
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(temporary, hash), response.Body)
	if err := errors.Join(err, temporary.Chmod(0o644), temporary.Close()); err != nil {
		return ctx.Err() != nil, err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != a.SHA256 {
		return true, fmt.Errorf("SHA-256 is %s, pinned is %s: the repository serves another file", got, a.SHA256)
	}
	return true, os.Rename(temporary.Name(), path)
}

// Cache is a directory below the user's cache directory where fetched files
// may stay; it is made when missing. Deleting it costs a download.
func Cache(elements ...string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a cache directory: %w: set HOME or XDG_CACHE_HOME", err)
	}
	dir := filepath.Join(append([]string{base, "walrelay"}, elements...)...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w: set XDG_CACHE_HOME to a directory that can be written", err)
	}
	return dir, nil
}

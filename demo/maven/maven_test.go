package maven_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/walrelay/walrelay/demo/maven"
)

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// serve stands in for Maven Central and counts its requests.
func serve(t *testing.T, h http.HandlerFunc) *atomic.Int32 {
	t.Helper()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h(w, r)
	}))
	t.Cleanup(server.Close)
	t.Setenv(maven.RepositoryVariable, server.URL+"/m2/")
	return &requests
}

func artifact(sum string) maven.Artifact {
	return maven.Artifact{Group: "org.example.shop", Name: "till", Version: "1.2", SHA256: sum}
}

func TestFetchKeepsPinnedBytes(t *testing.T) {
	requests := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/m2/org/example/shop/till/1.2/till-1.2.jar" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte("jar"))
	})
	path := filepath.Join(t.TempDir(), "till.jar")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := maven.Fetch(context.Background(), artifact(hash("jar")), path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := os.ReadFile(path); err != nil || string(got) != "jar" {
		t.Fatalf("the file holds %q, %v", got, err)
	}
	before := requests.Load()
	if err := maven.Fetch(context.Background(), artifact(hash("jar")), path); err != nil {
		t.Fatal(err)
	}
	if requests.Load() != before {
		t.Error("a file that is there was fetched again")
	}
}

func TestFetchRefusesOtherBytes(t *testing.T) {
	requests := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("other")) })
	dir := t.TempDir()
	err := maven.Fetch(context.Background(), artifact(hash("jar")), filepath.Join(dir, "till.jar"))
	if err == nil || !strings.Contains(err.Error(), "pinned is "+hash("jar")) {
		t.Fatalf("error %v does not name the pinned hash", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests for a file that can only be wrong", requests.Load())
	}
}

func TestFetchTriesAgain(t *testing.T) {
	var n atomic.Int32
	serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte("jar"))
	})
	if err := maven.Fetch(context.Background(), artifact(hash("jar")), filepath.Join(t.TempDir(), "till.jar")); err != nil {
		t.Fatal(err)
	}
}

func TestFetchMissing(t *testing.T) {
	serve(t, http.NotFound)
	err := maven.Fetch(context.Background(), artifact(hash("jar")), filepath.Join(t.TempDir(), "till.jar"))
	if err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), maven.RepositoryVariable) {
		t.Fatalf("error %v names neither the answer nor the way out", err)
	}
}

func TestFetchEnds(t *testing.T) {
	serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := maven.Fetch(ctx, artifact(hash("jar")), filepath.Join(t.TempDir(), "till.jar")); err == nil {
		t.Fatal("no error from an ended context")
	}
}

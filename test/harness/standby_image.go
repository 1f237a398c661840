package harness

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/walrelay/walrelay/demo/postgres"
)

// Image is what a server had on its disk at a moment: all databases, the WAL up to
// then, and its replication slots as they were saved last.
type Image struct {
	dir   string // holds data/, as a folder of demo/postgres does
	major int
}

// TakeImage copies a server's disk, running or stopped. A running one is frozen
// meanwhile, so the image is that of a crash: what a snapshot of a disk is.
func TakeImage(t testing.TB, server *postgres.Server) *Image {
	t.Helper()
	i := &Image{dir: imageDir(t), major: server.Major()}
	// A server that does not run can't be frozen, and need not be.
	if err := server.Pause(); err == nil {
		defer func() {
			if err := server.Resume(); err != nil {
				t.Error(err)
			}
		}()
	}
	if err := copyTree(dataOf(server), filepath.Join(i.dir, "data")); err != nil {
		t.Fatalf("take an image of the server: %v", err)
	}
	return i
}

// imageDir is a folder that PostgreSQL's user can enter, which t.TempDir is not for
// root.
func imageDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "walrelay-image-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// dataOf is the data directory of a server.
func dataOf(server *postgres.Server) string { return filepath.Join(server.SocketDir(), "data") }

// Restore puts the server's disk back to the image, in place of what it has, and
// starts the server again on the same port: it goes on with the same timeline from
// there. The slots are in the image.
func (i *Image) Restore(t testing.TB, server *postgres.Server) {
	t.Helper()
	i.replace(t, server)
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// RestoreUntil restores the image and lets the server recover from the WAL that it
// has written since, up to target, which is one or more lines of PostgreSQL's
// configuration: "recovery_target_lsn = '0/3000148'". It goes on with a new timeline.
func (i *Image) RestoreUntil(t testing.TB, server *postgres.Server, target string) {
	t.Helper()
	stopServer(t, server)
	archive := filepath.Join(imageDir(t), "wal")
	if err := copyTree(filepath.Join(dataOf(server), "pg_wal"), archive); err != nil {
		t.Fatalf("keep the WAL: %v", err)
	}
	i.replace(t, server)
	settings := fmt.Sprintf("restore_command = 'cp \"%s/%%f\" \"%%p\"'\nrecovery_target_action = promote\n%s\n", archive, target)
	auto := filepath.Join(dataOf(server), "postgresql.auto.conf")
	content, err := os.ReadFile(auto)
	if err == nil {
		err = os.WriteFile(auto, append(content, settings...), 0o600) // keeps its owner
	}
	if err == nil {
		err = signalFile(dataOf(server), "recovery.signal")
	}
	if err != nil {
		t.Fatalf("prepare the recovery: %v", err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitPrimary(t, server)
}

// replace stops the server and gives it the image's disk.
func (i *Image) replace(t testing.TB, server *postgres.Server) {
	t.Helper()
	stopServer(t, server)
	err := os.RemoveAll(dataOf(server))
	if err == nil {
		err = copyTree(filepath.Join(i.dir, "data"), dataOf(server))
	}
	if err != nil {
		t.Fatalf("restore the image: %v", err)
	}
}

func stopServer(t testing.TB, server *postgres.Server) {
	t.Helper()
	if err := server.Stop(postgres.Immediate); err != nil {
		t.Fatal(err)
	}
}

// signalFile makes the empty file that tells a server to recover; it belongs to
// whom the folder belongs.
func signalFile(data, name string) error {
	path := filepath.Join(data, name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	info, err := os.Stat(data)
	if err != nil {
		return err
	}
	return ownAs(path, info)
}

// copyTree copies folders, files and links with owner and mode, but for what
// belongs to a running postmaster.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		switch {
		case entry.Name() == "postmaster.pid" || entry.Name() == "postmaster.opts":
			return nil
		case entry.IsDir():
			err = os.Mkdir(target, info.Mode().Perm())
		case entry.Type()&fs.ModeSymlink != 0:
			var link string
			if link, err = os.Readlink(path); err == nil {
				err = os.Symlink(link, target)
			}
		case entry.Type().IsRegular():
			err = copyFile(path, target, info.Mode().Perm())
		default:
			return nil // a socket
		}
		if err != nil {
			return err
		}
		return ownAs(target, info)
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// ownAs gives path to the owner of another file, which only root can.
func ownAs(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(path, int(owner.Uid), int(owner.Gid))
}

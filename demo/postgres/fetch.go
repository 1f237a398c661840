package postgres

import (
	"archive/tar"
	"archive/zip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/walrelay/walrelay/demo/maven"
	"github.com/xi2/xz"
)

// preferred is the major version fetched when none is asked for.
const preferred = 17

// systemCache is for root, whose home is closed to the server's user.
const systemCache = "/var/cache/walrelay"

//go:embed checksums.txt
var checksums string

// archive is one published build of the PostgreSQL programs.
type archive struct {
	artifact maven.Artifact
	platform string // "linux-arm64v8-alpine"
	version  string // "17.11"
	major    int
}

// archives lists the pinned builds for a platform, in the order of the file.
func archives(platform string) ([]archive, error) {
	var found []archive
	for line := range strings.Lines(checksums) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] == "#" || fields[2] != platform {
			continue
		}
		major, err := majorOf(fields[1])
		if err != nil {
			return nil, fmt.Errorf("checksums.txt: %w", err)
		}
		found = append(found, archive{
			artifact: maven.Artifact{
				Group: "io.zonky.test.postgres", Name: "embedded-postgres-binaries-" + platform,
				Version: fields[1], SHA256: fields[0],
			},
			platform: platform, version: strings.TrimSuffix(fields[1], ".0"), major: major,
		})
	}
	return found, nil
}

// platformName is this machine in the words of the published builds.
func platformName(goos, goarch string, alpine bool) string {
	if goarch == "arm64" {
		goarch = "arm64v8"
	}
	if goos == "linux" && alpine {
		goarch += "-alpine"
	}
	return goos + "-" + goarch
}

// choose picks the build of the major version; 0 means the preferred one, or
// the newest there is when this platform lacks that.
func choose(platform string, major int) (archive, error) {
	all, err := archives(platform)
	if err != nil {
		return archive{}, err
	}
	var newest archive
	for _, candidate := range all {
		if candidate.major == major || major == 0 && candidate.major == preferred {
			return candidate, nil
		}
		if candidate.major > newest.major {
			newest = candidate
		}
	}
	if major == 0 && newest.major != 0 {
		return newest, nil
	}
	wanted := "PostgreSQL"
	if major != 0 {
		wanted = fmt.Sprintf("PostgreSQL %d", major)
	}
	return archive{}, fmt.Errorf("no build of %s for %s can be fetched: install it with this system's packages", wanted, platform)
}

// fetch returns a PostgreSQL that is not installed here, from the cache or
// from a Maven repository.
func fetch(ctx context.Context, major int, run account) (installation, error) {
	_, err := os.Stat("/etc/alpine-release")
	build, err := choose(platformName(runtime.GOOS, runtime.GOARCH, err == nil), major)
	if err != nil {
		return installation{}, err
	}
	cache, err := cacheFor(run)
	if err != nil {
		return installation{}, err
	}
	home := filepath.Join(cache, build.version+"-"+build.platform)
	if err := unpackOnce(ctx, build, cache, home); err != nil {
		return installation{}, err
	}
	found := installation{bin: filepath.Join(home, "bin"), version: build.version, major: build.major, fetched: true}
	if !run.canEnter(found.bin) {
		return installation{}, fmt.Errorf("user %s, who is to run PostgreSQL, cannot enter %s: give the folder and its parents mode 755", run.name, found.bin)
	}
	return found, nil
}

// cacheFor is the user's cache directory, or the system's when root runs the
// server as somebody who cannot enter the former.
func cacheFor(run account) (string, error) {
	cache, err := maven.Cache("postgres")
	if err == nil && run.canEnter(cache) {
		return cache, nil
	}
	if !run.switched {
		return "", err
	}
	cache = filepath.Join(systemCache, "postgres")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w: set XDG_CACHE_HOME to a directory that user %s can enter", err, run.name)
	}
	// A strict umask of root would shut the server's user out.
	return cache, errors.Join(os.Chmod(systemCache, 0o755), os.Chmod(cache, 0o755))
}

func unpackOnce(ctx context.Context, build archive, cache, home string) error {
	if _, err := os.Stat(home); err == nil {
		return nil
	}
	unlock, err := maven.Lock(ctx, cache)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(home); err == nil {
		return nil
	}
	jar := filepath.Join(cache, build.artifact.File())
	if err := maven.Fetch(ctx, build.artifact, jar); err != nil {
		return err
	}
	defer os.Remove(jar)
	unpacked, err := os.MkdirTemp(cache, ".unpack-*")
	if err != nil {
		return fmt.Errorf("unpack PostgreSQL: %w", err)
	}
	defer os.RemoveAll(unpacked)
	if err := unpackJar(jar, unpacked); err != nil {
		return fmt.Errorf("unpack %s: %w", jar, err)
	}
	return os.Rename(unpacked, home)
}

// unpackJar unpacks the one .txz that lies in the jar.
func unpackJar(jar, dir string) error {
	files, err := zip.OpenReader(jar)
	if err != nil {
		return err
	}
	defer files.Close()
	for _, file := range files.File {
		if !strings.HasSuffix(file.Name, ".txz") {
			continue
		}
		packed, err := file.Open()
		if err != nil {
			return err
		}
		defer packed.Close()
		plain, err := xz.NewReader(packed, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
		return unpackTar(tar.NewReader(plain), dir)
	}
	return errors.New("no .txz in it")
}

// unpackTar writes files, folders and links below dir, and nothing outside of
// it, readable for everyone.
func unpackTar(files *tar.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Chmod(".", 0o755); err != nil {
		return err
	}
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := unpackEntry(root, header, files); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

func unpackEntry(root *os.Root, header *tar.Header, content io.Reader) error {
	name := filepath.Clean(header.Name)
	if err := makeFolders(root, filepath.Dir(name)); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return makeFolders(root, name)
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		file, err := root.Create(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		mode := fs.FileMode(0o644) | header.FileInfo().Mode()&0o111
		return errors.Join(err, file.Chmod(mode), file.Close())
	}
	return nil // nothing else is needed to run a server
}

func makeFolders(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	if info, err := root.Stat(name); err == nil && info.IsDir() {
		return nil
	}
	if err := makeFolders(root, filepath.Dir(name)); err != nil {
		return err
	}
	if err := root.Mkdir(name, 0o755); err != nil {
		return err
	}
	return root.Chmod(name, 0o755)
}

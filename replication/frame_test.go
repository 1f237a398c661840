package replication

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden reads testdata/frames/name: hex digits as captured from a PostgreSQL 15,
// lines that start with # say what it is.
func golden(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.TrimSpace(line))
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

func TestParseFrame(t *testing.T) {
	for name, want := range map[string]Frame{
		"begin":     {Kind: FrameXLogData, WALStart: 0x102E8348, ServerWALEnd: 0x102E8348},
		"relation":  {Kind: FrameXLogData},
		"insert":    {Kind: FrameXLogData, WALStart: 0x102E8348, ServerWALEnd: 0x102E8348},
		"commit":    {Kind: FrameXLogData, WALStart: 0x102E8498, ServerWALEnd: 0x102E8498},
		"keepalive": {Kind: FrameKeepalive, ServerWALEnd: 0x102E8498},
		"requested": {Kind: FrameKeepalive, ServerWALEnd: 0x102E8498, ReplyRequested: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := golden(t, filepath.Join("testdata", "frames", name+".hex"))
			got, err := parseFrame(b)
			if err != nil {
				t.Fatal(err)
			}
			if want.Kind == FrameXLogData {
				want.Data = b[25:]
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseFrame_refused(t *testing.T) {
	keepalive := append([]byte{'k'}, make([]byte, 17)...)
	for name, frame := range map[string][]byte{
		"empty":                nil,
		"unknown byte":         []byte("x123456789012345678901234567890"),
		"XLogData cut":         append([]byte{'w'}, make([]byte, 23)...),
		"XLogData only byte":   {'w'},
		"keepalive cut":        keepalive[:17],
		"keepalive with extra": append(keepalive, 0),
	} {
		if got, err := parseFrame(frame); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}

// FuzzParseFrame looks for panics and for bytes that are accepted without being
// accounted for.
func FuzzParseFrame(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "frames", "*.hex"))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no golden frames: %v", err)
	}
	for _, path := range paths {
		b := golden(f, path)
		for n := range len(b) + 1 {
			f.Add(b[:n])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := parseFrame(b)
		if err != nil {
			if frame.Kind != FrameNone {
				t.Fatalf("error %v with a frame of kind %d", err, frame.Kind)
			}
			return
		}
		header := map[FrameKind]int{FrameXLogData: 25, FrameKeepalive: 18}[frame.Kind]
		if header == 0 || header+len(frame.Data) != len(b) {
			t.Fatalf("kind %d: header %d and data %d make not %d bytes", frame.Kind, header, len(frame.Data), len(b))
		}
	})
}

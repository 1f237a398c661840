package decoding_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
)

var updateGoldens = flag.Bool("update", false, "rewrite the goldens from the captured frames")

// A .frames file holds the messages of one slot as a real server sent them, each
// after its length in four bytes. capture_test.go makes them.
func readFrames(t testing.TB, path string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for len(b) > 0 {
		n := binary.BigEndian.Uint32(b)
		frames = append(frames, b[4:4+n:4+n])
		b = b[4+n:]
	}
	return frames
}

// goldens returns all captured files; there have to be some.
func goldens(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/pg*/*.frames")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captured frames (%v)", err)
	}
	return files
}

// capturedTables is the configuration that the captured tables are read with.
// "renamed" and "moved" are what an operator who has not heard of an ALTER has.
func capturedTables() []decoding.Table {
	return []decoding.Table{
		{Schema: "public", Name: "outbox", Index: 0, Extra: extras("created_at")},
		{Schema: "shop", Name: "Events", Index: 1, Columns: decoding.Columns{ID: "event_id"}, Extra: extras("mood", "flag", "n")},
		{Schema: "public", Name: "parted", Index: 2},
		{Schema: "public", Name: "renamed", Index: 3},
		{Schema: "public", Name: "moved", Index: 4},
	}
}

func show(v decoding.Value) string {
	switch {
	case v.Null:
		return "NULL"
	case len(v.Data) > 200:
		return fmt.Sprintf("%d bytes, sha256 %x", len(v.Data), sha256.Sum256(v.Data))
	}
	return fmt.Sprintf("%q", v.Data)
}

// describe prints what a message says, one line and for events one per value.
// Errors are lines too: the decoder keeps its place after a MappingError.
func describe(w *bytes.Buffer, m *decoding.Message, err error) {
	var mapping *decoding.MappingError
	if errors.As(err, &mapping) {
		fmt.Fprintf(w, "  mapping error: %v\n", err)
		return
	}
	if err != nil {
		fmt.Fprintf(w, "  PROTOCOL ERROR: %v\n", err)
		return
	}
	switch m.Kind {
	case decoding.KindBegin:
		fmt.Fprintf(w, "begin %s xid %d %s\n", m.Begin.FinalLSN, m.Begin.XID, m.Begin.CommitTime.Format(time.RFC3339Nano))
	case decoding.KindCommit:
		fmt.Fprintf(w, "commit %s end %s\n", m.Commit.CommitLSN, m.Commit.EndLSN)
	case decoding.KindRelation:
		fmt.Fprintf(w, "  relation %s.%s ignored=%t", m.Relation.Namespace, m.Relation.Name, m.Relation.Table == nil)
		for _, c := range m.Relation.Columns {
			oid := fmt.Sprint(c.OID)
			if c.OID >= 16384 {
				oid = "user" // OIDs above differ from server to server
			}
			fmt.Fprintf(w, " %s:%s", c.Name, oid)
		}
		w.WriteByte('\n')
	case decoding.KindInsert:
		e := &m.Event
		fmt.Fprintf(w, "  insert %s index %d\n", e.Table, e.Index)
		for i, v := range append([]decoding.Value{e.ID, e.AggregateType, e.AggregateID, e.EventType, e.Payload}, e.Extra...) {
			name := "extra"
			if i < 5 {
				name = [...]string{"id", "aggregate type", "aggregate id", "event type", "payload"}[i]
			}
			fmt.Fprintf(w, "    %-14s %s\n", name, show(v))
		}
	case decoding.KindLogicalMessage:
		fmt.Fprintf(w, "  logical message transactional=%t %q %q\n", m.Logical.Transactional, m.Logical.Prefix, m.Logical.Content)
	case decoding.KindUpdate, decoding.KindDelete:
		fmt.Fprintf(w, "  %s %v\n", m.Kind, m.Table)
	default:
		fmt.Fprintf(w, "  %s\n", m.Kind)
	}
}

func decodeAll(frames [][]byte) string {
	var w bytes.Buffer
	d := decoding.New(capturedTables())
	var m decoding.Message
	for _, f := range frames {
		err := d.Decode(f, &m)
		describe(&w, &m, err)
	}
	return w.String()
}

func TestGolden(t *testing.T) {
	for _, path := range goldens(t) {
		t.Run(strings.TrimPrefix(path, "testdata/"), func(t *testing.T) {
			got := decodeAll(readFrames(t, path))
			if strings.Contains(got, "PROTOCOL ERROR") {
				t.Error(got)
			}
			golden := strings.TrimSuffix(path, ".frames") + ".golden"
			if *updateGoldens {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var anyLSN = regexp.MustCompile(`[0-9A-F]+/[0-9A-F]+`)

// All server versions say the same about the same SQL, LSNs and times aside.
func TestGolden_versionsAgree(t *testing.T) {
	var first, firstPath string
	for _, path := range goldens(t) {
		var lines []string
		for line := range strings.Lines(decodeAll(readFrames(t, path))) {
			if strings.HasPrefix(line, "begin") || strings.HasPrefix(line, "commit") {
				continue // 14 sends empty transactions as well
			}
			lines = append(lines, anyLSN.ReplaceAllString(line, "LSN"))
		}
		got := strings.Join(lines, "")
		if first == "" {
			first, firstPath = got, path
			continue
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("%s and %s differ:\n%s", firstPath, path, diff)
		}
	}
}

// A frame that ends too early or goes on too long is an error, whatever it is.
func TestGolden_truncated(t *testing.T) {
	for _, path := range goldens(t) {
		d := decoding.New(capturedTables())
		var m decoding.Message
		for i, f := range readFrames(t, path) {
			step := 1
			for n := 0; n < len(f); n += step {
				if n > 4096 {
					step = 257 // the middle of a large value is everywhere the same
				}
				var e *decoding.ProtocolError
				if err := d.Decode(f[:n:n], &m); !errors.As(err, &e) {
					t.Fatalf("%s, frame %d (%c) cut to %d of %d bytes: %v", path, i, f[0], n, len(f), err)
				}
			}
			longer := append(f[:len(f):len(f)], 0)
			var e *decoding.ProtocolError
			if err := d.Decode(longer, &m); !errors.As(err, &e) {
				t.Fatalf("%s, frame %d (%c) with a byte too many: %v", path, i, f[0], err)
			}
			_ = d.Decode(f, &m)
		}
	}
}

// FuzzDecode takes whole streams, in the format of the .frames files, so that
// the fuzzer can also break what must follow what.
func FuzzDecode(f *testing.F) {
	for _, path := range goldens(f) {
		for _, frame := range readFrames(f, path) {
			if len(frame) < 4096 {
				f.Add(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame)
			}
		}
	}
	row := insert(1, "1", "a", "b", "c", "d")
	f.Add(relation(1, "public", "outbox", names("id", "aggregatetype", "aggregateid", "payload", "created_at")...), row)
	f.Fuzz(func(t *testing.T, one, two []byte) {
		d := decoding.New(capturedTables())
		var m decoding.Message
		frames := [][]byte{one, begin(1, commitTime, 1), one, two, two, one, commit(1, 2), two}
		for _, frame := range frames {
			err := d.Decode(frame, &m)
			var protocol *decoding.ProtocolError
			var mapping *decoding.MappingError
			switch {
			case err == nil && m.Kind == decoding.KindNone:
				t.Fatal("neither an error nor a message")
			case err == nil && m.Kind == decoding.KindInsert:
				total := 0
				for _, v := range append([]decoding.Value{m.Event.Payload}, m.Event.Extra...) {
					total += len(v.Data)
					if v.Null != (v.Data == nil) {
						t.Fatalf("NULL %t, data %v", v.Null, v.Data)
					}
				}
				if total > len(frame) {
					t.Fatalf("%d bytes out of a frame of %d", total, len(frame))
				}
			case err != nil && !errors.As(err, &protocol) && !errors.As(err, &mapping):
				t.Fatalf("%T: %v", err, err)
			case err != nil && err.Error() == "":
				t.Fatal("an error without words")
			}
		}
	})
}

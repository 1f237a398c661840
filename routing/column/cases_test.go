package column_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/walrelay/walrelay/routing/column"
	"github.com/walrelay/walrelay/routing/connect"
)

// recordedPart is one line of testdata/cases.jsonl: a column of a row, and the
// bytes that it became in Kafka, as a header, a key, a value, or as a field of a
// value, which then stands as a value of its own.
type recordedPart struct {
	Case      string
	Column    recorded
	Modes     map[string]string
	Text      *string // nil: NULL
	Converter string
	Header    bool
	Want      []byte
}

// TestRecordedParts goes from PostgreSQL's text to a record's bytes.
func TestRecordedParts(t *testing.T) {
	f, err := os.Open("testdata/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	parts := 0
	for lines := bufio.NewScanner(f); lines.Scan(); parts++ {
		var r recordedPart
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		r.Column.Modes = r.Modes
		codec, err := column.New(r.Column.column(), r.Column.modes(t))
		if err != nil {
			t.Errorf("%s: %v", r.Case, err)
			continue
		}
		converter, err := connect.NewConverter(connect.Options{Converter: r.Converter, NullDefault: true, Java18: true})
		if err != nil {
			t.Fatal(err)
		}
		var a connect.Arena
		v := connect.Value{Null: true}
		if r.Text != nil {
			if v, err = codec.Read([]byte(*r.Text), &a); err != nil {
				t.Errorf("%s: %s: %v", r.Case, r.Column.Type, err)
				continue
			}
		}
		got, null, err := converter.Append(nil, codec.Schema(), &v)
		if err != nil || null != (r.Want == nil) || !bytes.Equal(got, r.Want) {
			t.Errorf("%s: %s: %s\n got %s %v\nwant %s", r.Case, r.Column.Type, err, got, null, r.Want)
		}
	}
	if parts < 400 {
		t.Errorf("only %d parts", parts)
	}
}

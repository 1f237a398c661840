package docs

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/walrelay/walrelay/relay"
)

const errorsHead = `# Errors

<!-- Generated from relay/trouble_table_*.go: go test ./docs -update -->

Every error that walrelay meets has a code. It stands in the log (` + "`code`" + `), in the reasons of ` + "`/readyz`" + ` and
` + "`/status`" + ` (` + "`error`" + `, with the advice from here), on the status page, and in the metric
` + "`walrelay_errors_total{code,side}`" + `. A code keeps its meaning for ever. The error's own message names slots, tables,
topics and positions, and often says more exactly what to do.

**Waits** means that the relay tries again without end and says so: it is not ready meanwhile, and goes on by itself.
**Exit 1, 3, 4 or 5** is what the process ends with ([exit codes](operations.md#exit-codes)), or holds with
` + "`on_fatal: hold`" + `. Commands that do not wait, such as ` + "`walrelay init`" + `, end with 1 where the relay waits. In every
case nothing is confirmed to PostgreSQL that Kafka has not acknowledged.

`

// blocks are the headings of the table's parts.
var blocks = []struct{ prefix, title string }{
	{"WR01", "PostgreSQL: connection and server"},
	{"WR02", "PostgreSQL: set-up"},
	{"WR03", "Slot and gaps"},
	{"WR04", "Decoding and mapping"},
	{"WR05", "Events that Kafka can't take"},
	{"WR06", "Kafka: connection"},
	{"WR07", "Kafka: topics and rights"},
	{"WR08", "Kafka: producing"},
	{"WR09", "The relay itself"},
}

var sideNames = map[string]string{"postgres": "PostgreSQL", "kafka": "Kafka", "relay": "walrelay"}

// TestErrorReference compares errors.md with the table that the program decides by.
func TestErrorReference(t *testing.T) {
	const file = "errors.md"
	want := errorReference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, file); got != want {
		t.Errorf("docs/%s is out of date: run go test ./docs -update", file)
	}
	anchors := headings(want)
	for _, trouble := range relay.Troubles {
		if !anchors[strings.ToLower(trouble.Code)] {
			t.Errorf("%s has no anchor of its own", trouble.Code)
		}
	}
}

func errorReference() string {
	var b strings.Builder
	signs := errorSigns()
	b.WriteString(errorsHead)
	for _, block := range blocks {
		fmt.Fprintf(&b, "**%s %s**\n\n| code | error | walrelay |\n|---|---|---|\n", block.prefix, block.title)
		for _, t := range relay.Troubles {
			if strings.HasPrefix(t.Code, block.prefix) {
				fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", t.Code, strings.ToLower(t.Code), t.Title, outcome(t))
			}
		}
		b.WriteString("\n")
	}
	for _, block := range blocks {
		fmt.Fprintf(&b, "## %s\n\n", block.title)
		for _, t := range relay.Troubles {
			if strings.HasPrefix(t.Code, block.prefix) {
				fmt.Fprintf(&b, "### %s\n\n**%s** (%s)\n\n%s\n\n*What to do.* %s\n\n",
					t.Code, capital(t.Title), sideNames[t.Side]+", "+outcome(t)+signs[t.Code], t.Cause, t.Remedy)
			}
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// states are the SQLSTATEs that people look for.
var states = []string{
	"08006", "08P01", "22021", "22P05", "25006", "28000", "28P01", "3D000", "40001", "40P01", "42501", "42704", "53000", "53100", "53200",
	"53300", "53400", "54000", "55000", "55006", "55P03", "57014", "57P01", "57P02", "57P03", "57P04", "58030", "58P01", "XX001",
}

// errorSigns are what PostgreSQL and Kafka call an error, by code.
func errorSigns() map[string]string {
	signs := map[string]string{}
	add := func(err error, kind, sign string) {
		t := relay.Diagnose(err)
		if !strings.Contains(signs[t.Code], kind) {
			signs[t.Code] += "; " + kind
		} else {
			sign = "," + sign
		}
		signs[t.Code] += sign
	}
	for _, state := range states {
		add(&pgconn.PgError{Code: state}, "SQLSTATE", " "+state)
	}
	for code := int16(1); code <= 106; code++ {
		if name := new(kerr.Error); errors.As(kerr.ErrorForCode(code), &name) {
			add(kafka.Error(code), "Kafka's", " "+name.Message)
		}
	}
	delete(signs, relay.Diagnose(kafka.Unknown).Code) // all the others
	return signs
}

func outcome(t relay.Trouble) string {
	if t.Retry {
		return "waits"
	}
	return fmt.Sprintf("exit %d", t.Exit)
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// TestErrorBlocks: every code stands in a block, or the page would lack it.
func TestErrorBlocks(t *testing.T) {
	page := errorReference()
	for _, trouble := range relay.Troubles {
		if !strings.Contains(page, "### "+trouble.Code+"\n") {
			t.Errorf("%s belongs to no block", trouble.Code)
		}
		if sideNames[trouble.Side] == "" {
			t.Errorf("%s: side %q", trouble.Code, trouble.Side)
		}
	}
}

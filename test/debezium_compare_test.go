package test_test

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// contextHeader begins the names of the four headers that walrelay leaves out.
const contextHeader = "__debezium.context."

// pair is a record of Debezium's and the one that walrelay wrote for the same row.
type pair struct {
	want *recorded
	got  *kgo.Record
}

// differences compares what was written with what Debezium wrote, by the rules
// of debezium/README.md, and says what differs, a line each and readable. since
// and until bound the commit times, in milliseconds.
func differences(want []recorded, got []*kgo.Record, since, until int64) []string {
	pairs, missing, surplus := pairUp(want, got)
	var lines []string
	for _, w := range missing {
		lines = append(lines, "missing:    "+describeRecorded(w))
	}
	for _, r := range surplus {
		lines = append(lines, "unexpected: "+describeRecord(r))
	}
	for _, p := range pairs {
		found := p.differences(since, until)
		if len(found) > 0 {
			lines = append(lines, "record "+identity(p.want)+":")
			lines = append(lines, found...)
		}
	}
	if len(lines) == 0 {
		lines = disorder(pairs)
	}
	return lines
}

// pairUp finds the record for each of Debezium's by its event id; those of one
// id, and those whose id is found nowhere, go by their order.
func pairUp(want []recorded, got []*kgo.Record) (pairs []pair, missing []*recorded, surplus []*kgo.Record) {
	left := make(map[string][]*kgo.Record)
	for _, r := range got {
		left[eventID(r)] = append(left[eventID(r)], r)
	}
	for i := range want {
		w := &want[i]
		if same := left[identity(w)]; len(same) > 0 {
			at := max(0, slices.IndexFunc(same, func(r *kgo.Record) bool { return r.Topic == w.Topic && r.Partition == w.Partition }))
			pairs = append(pairs, pair{w, same[at]})
			left[identity(w)] = slices.Delete(same, at, at+1)
		} else {
			missing = append(missing, w)
		}
	}
	for _, r := range got {
		if slices.Contains(left[eventID(r)], r) {
			surplus = append(surplus, r)
		}
	}
	for len(missing) > 0 && len(surplus) > 0 {
		pairs = append(pairs, pair{missing[0], surplus[0]})
		missing, surplus = missing[1:], surplus[1:]
	}
	return pairs, missing, surplus
}

// identity is the event id that a recorded record has in its headers.
func identity(w *recorded) string {
	for _, h := range w.Headers {
		if h.Name == "id" {
			return show(h.Value.bytes)
		}
	}
	return "without id"
}

// eventID is the same of a record read from Kafka.
func eventID(r *kgo.Record) string {
	for _, h := range r.Headers {
		if h.Key == "id" {
			return show(h.Value)
		}
	}
	return "without id"
}

func (p pair) differences(since, until int64) []string {
	var lines []string
	differ := func(field, want, got string) {
		lines = append(lines, fmt.Sprintf("    %s\n        Debezium %s\n        walrelay %s", field, want, got))
	}
	if p.want.Topic != p.got.Topic {
		differ("topic", p.want.Topic, p.got.Topic)
	}
	if p.want.Partition != p.got.Partition && !p.want.varies("partition") {
		differ("partition", strconv.Itoa(int(p.want.Partition)), strconv.Itoa(int(p.got.Partition)))
	}
	for _, f := range []struct {
		name string
		want content
		got  []byte
	}{{"key", p.want.Key, p.got.Key}, {"value", p.want.Value, p.got.Value}} {
		if !p.want.varies(f.name) && !f.want.equal(f.got) && !f.want.equalButAddresses(f.got) {
			want, got := contrast(f.want, f.got)
			differ(f.name, want, got)
		}
	}
	lines = append(lines, headerDifferences(p.want.Headers, p.got.Headers)...)
	if p.got.Attrs.TimestampType() != 0 {
		differ("timestamp type", "CreateTime", "LogAppendTime")
	}
	switch at := p.got.Timestamp.UnixMilli(); {
	case !p.want.varies("timestamp") && at != p.want.Timestamp:
		differ("timestamp", strconv.FormatInt(p.want.Timestamp, 10), strconv.FormatInt(at, 10))
	case p.want.varies("timestamp") && (at < since || at > until):
		differ("timestamp", "its own clock", fmt.Sprintf("%d, which is not the commit time: that was in [%d, %d]", at, since, until))
	}
	return lines
}

// headerDifferences compares names, order and bytes, without the context.
func headerDifferences(want []recordedHeader, got []kgo.RecordHeader) []string {
	want = slices.DeleteFunc(slices.Clone(want), func(h recordedHeader) bool { return strings.HasPrefix(h.Name, contextHeader) })
	wantNames, gotNames := make([]string, len(want)), make([]string, len(got))
	for i, h := range want {
		wantNames[i] = strconv.Quote(h.Name)
	}
	for i, h := range got {
		gotNames[i] = strconv.Quote(h.Key)
	}
	var lines []string
	if !slices.Equal(wantNames, gotNames) {
		lines = append(lines, fmt.Sprintf("    headers\n        Debezium %s\n        walrelay %s", strings.Join(wantNames, " "), strings.Join(gotNames, " ")))
	}
	// Also under other names or in another order: what is there is compared.
	rest := slices.Clone(got)
	for _, h := range want {
		at := slices.IndexFunc(rest, func(r kgo.RecordHeader) bool { return r.Key == h.Name })
		if at < 0 {
			continue
		}
		if !h.Varies && !h.Value.equal(rest[at].Value) && !h.Value.equalButAddresses(rest[at].Value) {
			a, b := contrast(h.Value, rest[at].Value)
			lines = append(lines, fmt.Sprintf("    header %s\n        Debezium %s\n        walrelay %s", h.Name, a, b))
		}
		rest = slices.Delete(rest, at, at+1)
	}
	return lines
}

// disorder says where records that are all there follow each other in another
// order within a partition. Records whose partition is chance are left out.
func disorder(pairs []pair) []string {
	fixed := slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return p.want.varies("partition") })
	slices.SortStableFunc(fixed, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.want.Topic, b.want.Topic), cmp.Compare(a.want.Partition, b.want.Partition), cmp.Compare(a.want.Offset, b.want.Offset))
	})
	var lines []string
	for i := 1; i < len(fixed); i++ {
		a, b := fixed[i-1], fixed[i]
		if a.want.Topic == b.want.Topic && a.want.Partition == b.want.Partition && a.got.Offset > b.got.Offset {
			lines = append(lines, fmt.Sprintf("order in %s, partition %d: Debezium has %s before %s, walrelay behind it",
				a.want.Topic, a.want.Partition, identity(a.want), identity(b.want)))
		}
	}
	return lines
}

// javaAddress is how Java prints an array of bytes, or of objects: its class and a
// number that is another one in every run.
var javaAddress = regexp.MustCompile(`\[(?:B|L[\w.$]+;)@[0-9a-f]{1,8}`)

// equalButAddresses says whether got has, where Debezium wrote such a thing,
// base64 or PostgreSQL's text of an array, and else the same.
func (c content) equalButAddresses(got []byte) bool {
	rest := c.bytes
	if got == nil || !javaAddress.Match(rest) {
		return false
	}
	pattern := "(?s)^"
	for {
		found := javaAddress.FindIndex(rest)
		if found == nil {
			break
		}
		pattern += regexp.QuoteMeta(string(rest[:found[0]]))
		if rest[found[0]+1] == 'B' {
			pattern += "[A-Za-z0-9+/]*={0,2}"
		} else {
			pattern += `\{.*?\}`
		}
		rest = rest[found[1]:]
	}
	matched, err := regexp.Match(pattern+regexp.QuoteMeta(string(rest))+"$", got)
	return err == nil && matched
}

// addresses says whether Debezium wrote such a thing anywhere in the case.
func (c *debeziumCase) addresses() bool {
	return slices.ContainsFunc(c.wrote, func(w recorded) bool {
		return javaAddress.Match(w.Key.bytes) || javaAddress.Match(w.Value.bytes) ||
			slices.ContainsFunc(w.Headers, func(h recordedHeader) bool { return javaAddress.Match(h.Value.bytes) })
	})
}

func describeRecorded(w *recorded) string {
	text := fmt.Sprintf("%s partition %d key %s value %s", w.Topic, w.Partition, w.Key, w.Value)
	for _, h := range w.Headers {
		if !strings.HasPrefix(h.Name, contextHeader) {
			text += fmt.Sprintf(" %s=%s", h.Name, h.Value)
		}
	}
	return text
}

func describeRecord(r *kgo.Record) string {
	text := fmt.Sprintf("%s partition %d key %s value %s", r.Topic, r.Partition, show(r.Key), show(r.Value))
	for _, h := range r.Headers {
		text += fmt.Sprintf(" %s=%s", h.Key, show(h.Value))
	}
	return text
}

func (c content) String() string {
	if c.sha256 != "" {
		return fmt.Sprintf("%d bytes with SHA-256 %s", c.length, c.sha256)
	}
	return show(c.bytes)
}

// shownBytes is how much of a long key, value or header stands in a difference.
const shownBytes = 400

// show prints bytes: null, text in quotes, or hexadecimal.
func show(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case len(b) > shownBytes:
		return fmt.Sprintf("%s… (%d bytes)", show(b[:shownBytes]), len(b))
	case readable(b):
		return "«" + string(b) + "»"
	}
	return fmt.Sprintf("%q", b)
}

func readable(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return !unicode.IsPrint(r) || r == '«' || r == '»' }) < 0
}

// contrast prints two different contents, of long ones where they begin to differ.
func contrast(want content, got []byte) (string, string) {
	if want.sha256 != "" {
		sum := ""
		if got != nil {
			sum = fmt.Sprintf(" (%d bytes)", len(got))
		}
		return want.String(), show(got) + sum
	}
	a, b := want.bytes, got
	if len(a) <= shownBytes && len(b) <= shownBytes || a == nil || b == nil {
		return show(a), show(b)
	}
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(0, at-shownBytes/4)
	return fmt.Sprintf("%d bytes, from byte %d %s", len(a), from, show(excerpt(a, from))),
		fmt.Sprintf("%d bytes, from byte %d %s", len(b), from, show(excerpt(b, from)))
}

func excerpt(b []byte, from int) []byte { return b[min(from, len(b)):min(from+shownBytes, len(b))] }

package shadow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/segmentio/kafka-go"
)

// The fields of a record, as Result counts them.
const (
	fieldTopic     = "topic"
	fieldPartition = "partition"
	fieldKey       = "key"
	fieldValue     = "value"
	fieldHeaders   = "headers"
	fieldTimestamp = "timestamp"
)

// Fields lists the fields of a record in the order of a report.
var Fields = [...]string{fieldTopic, fieldPartition, fieldKey, fieldValue, fieldHeaders, fieldTimestamp}

// FieldDifference is one field that is not the same on both sides.
type FieldDifference struct {
	Field string `json:"field"`          // one of Fields
	Name  string `json:"name,omitempty"` // of a header
	// Kafka is what is there, Walrelay what walrelay would write.
	Kafka    Side `json:"kafka"`
	Walrelay Side `json:"walrelay"`
	// At is the offset of the first byte that differs; nil when only the
	// beginnings are known, which are the same, and where there are no bytes.
	At *int `json:"first_different_byte,omitempty"`
}

// Side is a field on one side, fit to be shown.
type Side struct {
	Null  bool   `json:"null,omitempty"`
	Bytes *int   `json:"bytes,omitempty"`  // nil for what is no bytes, and for null
	Hash  string `json:"sha256,omitempty"` // its first eight digits
	Text  string `json:"text,omitempty"`   // short and printable; "" of what is not to be shown
}

// comparer knows what may be shown.
type comparer struct {
	payloads bool            // values, too
	hidden   map[string]bool // headers that carry the payload
}

// compare returns the fields in which what walrelay would write differs from what
// is in Kafka.
func (c *comparer) compare(w, k *record) []FieldDifference {
	var found []FieldDifference
	differ := func(field, kafka, walrelay string) {
		found = append(found, FieldDifference{Field: field, Kafka: Side{Text: kafka}, Walrelay: Side{Text: walrelay}})
	}
	if w.topic != k.topic {
		differ(fieldTopic, k.topic, w.topic)
	}
	if want, decided := w.decided(k); decided && want != k.partition {
		differ(fieldPartition, strconv.Itoa(int(k.partition)), strconv.Itoa(int(want)))
	}
	if !w.key.equal(&k.key) {
		found = append(found, c.bytes(fieldKey, "", &w.key, &k.key, true))
	}
	if !w.value.equal(&k.value) {
		found = append(found, c.bytes(fieldValue, "", &w.value, &k.value, c.payloads))
	}
	found = c.compareHeaders(found, w.headers, k.headers)
	if w.timed && w.timestamp != k.timestamp {
		differ(fieldTimestamp, timeText(k.timestamp), timeText(w.timestamp))
	}
	return found
}

// decided is the partition that a column or the key decides, in k's topic. Where the
// keys differ it is that of the key in Kafka: the key is the difference then.
func (r *record) decided(k *record) (int32, bool) {
	if r.partition >= 0 {
		return r.partition, true
	}
	return k.byKey, !r.key.null && k.byKey >= 0
}

// javaPartition is the partition that Java's producer gives the key in a topic.
func javaPartition(key []byte, partitions []int) int32 {
	if key == nil || len(partitions) == 0 {
		return -1
	}
	return int32(kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: key}, partitions...))
}

// compareHeaders compares names and order first, and the values only where those are
// the same.
func (c *comparer) compareHeaders(found []FieldDifference, w, k []header) []FieldDifference {
	if !hasContext(w) {
		k = withoutContext(k)
	}
	if !slices.EqualFunc(w, k, func(a, b header) bool { return a.name == b.name }) {
		return append(found, FieldDifference{Field: fieldHeaders, Kafka: Side{Text: headerNames(k)}, Walrelay: Side{Text: headerNames(w)}})
	}
	for i := range w {
		if w[i].name != contextRun && !w[i].value.equal(&k[i].value) {
			found = append(found, c.bytes(fieldHeaders, w[i].name, &w[i].value, &k[i].value, c.payloads || !c.hidden[w[i].name]))
		}
	}
	return found
}

func hasContext(headers []header) bool {
	for i := range headers {
		if strings.HasPrefix(headers[i].name, contextPrefix) {
			return true
		}
	}
	return false
}

func withoutContext(headers []header) []header {
	if !hasContext(headers) {
		return headers
	}
	rest := make([]header, 0, len(headers))
	for _, h := range headers {
		if !strings.HasPrefix(h.name, contextPrefix) {
			rest = append(rest, h)
		}
	}
	return rest
}

func headerNames(headers []header) string {
	names := make([]string, len(headers))
	for i := range headers {
		names[i] = strconv.Quote(headers[i].name)
	}
	return strings.Join(names, ", ")
}

func (c *comparer) bytes(field, name string, w, k *part, show bool) FieldDifference {
	d := FieldDifference{Field: field, Name: name, Kafka: side(k, show), Walrelay: side(w, show)}
	if at := w.differsAt(k); at >= 0 && !w.null && !k.null {
		d.At = &at
	}
	return d
}

// side makes a part fit to be shown, with its text only where it may be.
func side(p *part, show bool) Side {
	if p.null {
		return Side{Null: true}
	}
	size := p.size
	s := Side{Bytes: &size, Hash: p.hash()}
	if show {
		s.Text = shortText(p.head, p.size)
	}
	return s
}

// maxText is how many bytes of a field are shown.
const maxText = 60

// shortText is the beginning of b in quotes, size the length of the whole.
func shortText(b []byte, size int) string {
	cut := b[:min(len(b), maxText)]
	for i := 1; i < utf8.UTFMax && len(cut) < size; i++ { // not in the middle of a character
		if c, n := utf8.DecodeLastRune(cut); c != utf8.RuneError || n != 1 {
			break
		}
		cut = cut[:len(cut)-1]
	}
	text := strconv.Quote(string(cut))
	if len(cut) < size {
		text += "…"
	}
	return text
}

func timeText(ms int64) string {
	return fmt.Sprintf("%d (%s)", ms, time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z"))
}

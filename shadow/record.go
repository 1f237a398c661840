package shadow

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"

	"github.com/walrelay/walrelay/replication"
)

// part is what is known of a key, a value or a header's value.
type part struct {
	null bool
	size int
	sum  [16]byte // of SHA-256
	head []byte   // the first bytes: all of them unless they were cut
}

func newPart(b []byte) part {
	if b == nil {
		return part{null: true}
	}
	sum := sha256.Sum256(b)
	return part{size: len(b), sum: [16]byte(sum[:16]), head: b}
}

func (p *part) equal(q *part) bool { return p.null == q.null && p.size == q.size && p.sum == q.sum }

// hash is short and for people, who can compute it themselves.
func (p *part) hash() string { return hex.EncodeToString(p.sum[:4]) }

// cut copies the beginning, all of what is not longer than whole.
func (p *part) cut(whole, beginning int) int {
	if p.size > whole {
		p.head = p.head[:min(len(p.head), beginning)]
	}
	p.head = bytes.Clone(p.head)
	return len(p.head)
}

// differsAt is the offset of the first byte that differs, -1 when the bytes that
// are kept don't tell.
func (p *part) differsAt(q *part) int {
	n := min(len(p.head), len(q.head))
	for i := range n {
		if p.head[i] != q.head[i] {
			return i
		}
	}
	if n == p.size || n == q.size {
		return n // one ends where the other goes on
	}
	return -1
}

type header struct {
	name  string
	value part
}

// contextPrefix begins the headers by which Debezium says who wrote a record.
const contextPrefix = "__debezium.context."

// contextRun differs from one start of a connector to the next.
const contextRun = contextPrefix + "runId"

// record is one record, of either side.
type record struct {
	id         string
	topic      string
	partition  int32 // of walrelay's: -1 unless a column gives it
	key, value part
	headers    []header
	timestamp  int64 // milliseconds since 1970
	content    uint64

	// Of walrelay's.
	lsn     replication.LSN
	table   string
	timed   bool   // a column gives the timestamp
	refused string // why walrelay makes no record of the event, "" when it does

	// Of Kafka's.
	kafka  bool
	offset int64
	byKey  int32 // the partition that Java's producer gives the key; -1: none

	// The matcher's.
	seen  time.Time
	state state
	kept  int // bytes of the parts' beginnings
}

// partition of a topic.
type topicPartition struct {
	topic     string
	partition int32
}

func (r *record) place() topicPartition { return topicPartition{r.topic, r.partition} }

// event is the id of the event that a record carries: its first header "id".
func event(headers []header) (id string, ok bool) {
	for i := range headers {
		if headers[i].name == "id" {
			if headers[i].value.null {
				return "", false
			}
			return plainID(headers[i].value.head), true
		}
	}
	return "", false
}

// plainID takes an id out of what Kafka Connect's JsonConverter makes of it, so that
// a record is found also when the two sides convert headers differently.
func plainID(b []byte) string {
	if len(b) < 2 || b[0] != '"' && b[0] != '{' {
		return string(b)
	}
	var text string
	if json.Unmarshal(b, &text) == nil {
		return text
	}
	var enveloped struct {
		Schema  json.RawMessage `json:"schema"`
		Payload json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(b, &enveloped) != nil || len(enveloped.Schema) == 0 || len(enveloped.Payload) == 0 {
		return string(b)
	}
	if json.Unmarshal(enveloped.Payload, &text) == nil {
		return text
	}
	return string(enveloped.Payload)
}

var seed = maphash.MakeSeed()

func hashID(id string) uint64 { return maphash.String(seed, id) }

// fingerprint sets content, by which repeats are recognised: all but what a second
// writing changes.
func (r *record) fingerprint() {
	var h maphash.Hash
	h.SetSeed(seed)
	add := func(name string, p *part) {
		var fixed [10]byte
		binary.LittleEndian.PutUint64(fixed[:], uint64(p.size))
		if p.null {
			fixed[8] = 1
		}
		fixed[9] = byte(len(name)) // keeps name and sum apart
		_, _ = h.Write(fixed[:])   // never fails, nor do the others
		_, _ = h.WriteString(name)
		_, _ = h.Write(p.sum[:])
	}
	add(r.topic, &r.key)
	add("", &r.value)
	for i := range r.headers {
		if !strings.HasPrefix(r.headers[i].name, contextPrefix) {
			add(r.headers[i].name, &r.headers[i].value)
		}
	}
	r.content = h.Sum64()
}

// How much of a part is kept while its record waits: all of a small one, the
// beginning of a large one, and little when much is kept already.
const (
	keepWhole     = 4 << 10
	keepBeginning = 512
	keepLittle    = 48
	keepBudget    = 32 << 20
)

// keep makes the record independent of the buffers it was read from.
func (r *record) keep(budget int) {
	whole, beginning := keepWhole, keepBeginning
	if budget <= 0 {
		whole, beginning = keepLittle, keepLittle
	}
	r.kept = r.key.cut(whole, beginning) + r.value.cut(whole, beginning)
	for i := range r.headers {
		r.kept += r.headers[i].value.cut(whole, beginning)
	}
}

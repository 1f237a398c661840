package shadow

import (
	"time"
)

// Result is what a comparison has found.
type Result struct {
	Postgres    string    `json:"postgres"`
	Slot        string    `json:"slot"`
	Publication string    `json:"publication"`
	Began       time.Time `json:"began"`
	Ended       time.Time `json:"ended"`
	Topics      []string  `json:"topics"` // that were read
	Counts

	Differences []Difference `json:"differences"` // the first of each kind
	Notes       []string     `json:"notes"`       // what limits the result
	// Broken says why the comparison ended before it was asked to; "" when it did not.
	Broken string `json:"broken,omitempty"`
}

// Counts are the numbers of a Result.
type Counts struct {
	Events  int `json:"events"`  // in the WAL
	Records int `json:"records"` // in Kafka, with an event id

	Compared  int `json:"compared"` // found on both sides
	Agreed    int `json:"agreed"`
	Differing int `json:"differing"`
	// ByField counts the compared records that differ in a field, by its name.
	ByField map[string]int `json:"differing_by_field"`
	// Missing events would have been written by walrelay and are not in Kafka.
	Missing int `json:"missing_in_kafka"`
	// Only are records in Kafka without an event in the WAL.
	Only int `json:"only_in_kafka"`
	// Refused events are such that walrelay makes no record of: it would stop there,
	// or do what on_poison says.
	Refused int `json:"walrelay_would_stop"`

	// None of these is a difference.
	Duplicates int `json:"duplicates"`       // records that are in Kafka already, with the same bytes
	Early      int `json:"before_the_start"` // records without event, of transactions before the slot
	Nameless   int `json:"without_id"`       // events and records without an id
	Waiting    int `json:"waiting"`          // seen on one side only, not long enough to count
	Dropped    int `json:"not_compared"`     // because too many waited at a time
}

// Agrees says that something was compared, everything that was agrees, and nothing
// was found on one side only.
func (r *Result) Agrees() bool {
	return r.Broken == "" && r.Compared > 0 && r.Different() == 0
}

// Different is the number of events and records that are not the same on both sides.
func (c *Counts) Different() int { return c.Differing + c.Missing + c.Only + c.Refused }

// Kind says what a Difference is.
type Kind string

// The kinds of differences, in the order of a report.
const (
	Differs Kind = "differs"             // on both sides, and not the same
	Refused Kind = "walrelay would stop" // at an event
	Missing Kind = "missing in Kafka"
	Only    Kind = "only in Kafka"
)

var kinds = [...]Kind{Differs, Refused, Missing, Only}

// Difference is one event or record that is not the same on both sides.
type Difference struct {
	Kind      Kind   `json:"kind"`
	ID        string `json:"id"`
	Topic     string `json:"topic,omitempty"`     // of the record in Kafka; of a missing one, walrelay's
	Partition *int32 `json:"partition,omitempty"` // in Kafka
	Offset    *int64 `json:"offset,omitempty"`
	Table     string `json:"table,omitempty"` // of the event
	LSN       string `json:"lsn,omitempty"`   // of its transaction's commit

	Reason string            `json:"reason,omitempty"` // Refused: why
	Fields []FieldDifference `json:"fields,omitempty"` // Differs: which

	of *record // the one that is missing elsewhere
}

func newDifference(kind Kind, w, k *record) *Difference {
	d := &Difference{Kind: kind}
	if w != nil {
		d.ID, d.Topic, d.Table, d.LSN, d.Reason = w.id, w.topic, w.table, w.lsn.String(), w.refused
	}
	if k != nil {
		partition, offset := k.partition, k.offset
		d.ID, d.Topic, d.Partition, d.Offset = k.id, k.topic, &partition, &offset
	}
	return d
}

// report keeps the first differences of each kind.
type report struct {
	limit int
	kept  map[Kind][]*Difference
}

func (r *report) add(d *Difference) {
	if len(r.kept[d.Kind]) < r.limit {
		r.kept[d.Kind] = append(r.kept[d.Kind], d)
	}
}

// withdraw takes the difference of a record back, whose other side has come.
func (r *report) withdraw(kind Kind, of *record) {
	for i, d := range r.kept[kind] {
		if d.of == of {
			r.kept[kind] = append(r.kept[kind][:i], r.kept[kind][i+1:]...)
			return
		}
	}
}

// differences returns the kept ones.
func (r *report) differences() []Difference {
	list := []Difference{}
	for _, kind := range kinds {
		for _, d := range r.kept[kind] {
			list = append(list, *d)
		}
	}
	return list
}

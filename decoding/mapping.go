package decoding

import (
	"fmt"
	"slices"
	"strings"
)

// Table is one outbox table and where its events' parts stand.
type Table struct {
	// Schema and Name as PostgreSQL stores them: lower case unless they were
	// quoted when the table was made. They are compared exactly. For a partitioned
	// table it is the root (publish_via_partition_root).
	Schema, Name string
	// Columns are the configured columns; empty ones are found by their names.
	Columns Columns
	// Index is the caller's number for the table; decoding does not read it.
	Index int
	// Extra are further columns that every Event of the table shall carry.
	Extra []Extra
	// Updates: an UPDATE fills Message.Event, too.
	Updates bool
}

// Extra is a column that is wanted beside the parts of an event.
type Extra struct {
	// Column is its name, or several as in Columns.
	Column string
	// Optional: the table may do without it (Value.Missing).
	Optional bool
}

// String is schema.name.
func (t *Table) String() string { return t.Schema + "." + t.Name }

// Columns names the columns of an outbox table. An empty name means the usual
// one, of Debezium's shape or of the other common one:
//
//	ID             id
//	AggregateType  aggregatetype or aggregate_type
//	AggregateID    aggregateid or aggregate_id
//	EventType      type or event_type, else none: the event type is NULL then
//	Payload        payload
//
// A name that is given wins. It may be several separated by commas, of which the
// first that exists is taken: rows that were written before a column was renamed
// still come with its old name, because PostgreSQL decodes them by the catalog of
// their time.
type Columns struct{ ID, AggregateType, AggregateID, EventType, Payload string }

// role is one part of an event and the names its column usually has.
type role struct {
	key      string // in the configuration under "columns"
	usual    []string
	required bool
}

// roles in the order of the fields of mapping.at.
var roles = [...]role{
	{"id", []string{"id"}, true},
	{"aggregate_type", []string{"aggregatetype", "aggregate_type"}, true},
	{"aggregate_id", []string{"aggregateid", "aggregate_id"}, true},
	{"event_type", []string{"type", "event_type"}, false},
	{"payload", []string{"payload"}, true},
}

const (
	roleID = iota
	roleAggregateType
	roleAggregateID
	roleEventType
	rolePayload
)

// mapping says which column of a relation is which part of an event.
type mapping struct {
	at    [len(roles)]int // column of a role; -1: none
	extra []int           // -1: the table has no such column
}

func (m *mapping) places() Places {
	return Places{m.at[roleID], m.at[roleAggregateType], m.at[roleAggregateID], m.at[roleEventType], m.at[rolePayload], m.extra}
}

func (c *Columns) configured() [len(roles)]string {
	return [...]string{c.ID, c.AggregateType, c.AggregateID, c.EventType, c.Payload}
}

// newMapping finds the columns of t among names. The error has no LSN yet: it
// belongs to the first INSERT that meets it.
func newMapping(t *Table, names []string) (mapping, *MappingError) {
	var m mapping
	configured := t.Columns.configured()
	snake := !slices.Contains(names, "aggregatetype") && slices.Contains(names, "aggregate_type")
	for i, r := range roles {
		at, err := findRole(t, r, configured[i], names, snake)
		if err != nil {
			return m, err
		}
		m.at[i] = at
	}
	for _, x := range t.Extra {
		at := find(x.Column, names)
		if at < 0 && !x.Optional {
			return m, &MappingError{
				Table: t.String(), Column: x.Column, Columns: names,
				Problem: fmt.Sprintf("there is no column %q, which the route asks for", x.Column),
				Advice: "name a column that exists in route.key, route.headers and the other keys of route (names are compared exactly, " +
					"rows written before a rename carry the old one); in headers and envelope, route.missing_columns: ignore does without it",
			}
		}
		m.extra = append(m.extra, at)
	}
	return m, nil
}

// findRole returns the column of one role, -1 when an optional one has none.
func findRole(t *Table, r role, configured string, names []string, snake bool) (int, *MappingError) {
	if configured != "" {
		at := find(configured, names)
		if at < 0 {
			return -1, missing(t, r, configured, names)
		}
		return at, nil
	}
	var found []int
	for _, name := range r.usual {
		if at := slices.Index(names, name); at >= 0 {
			found = append(found, at)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && !r.required:
		return -1, nil
	case len(found) == 0:
		return -1, missing(t, r, strings.Join(r.usual, " or "), names)
	case r.key == "event_type" && snake:
		// A table of the second shape may well have a column "type" of its own.
		return found[1], nil
	case r.key == "event_type":
		return found[0], nil
	}
	return -1, &MappingError{
		Table: t.String(), Role: r.key, Column: strings.Join(r.usual, " or "), Columns: names,
		Problem: fmt.Sprintf("both %s could be the %s", strings.Join(r.usual, " and "), words(r.key)),
		Advice:  fmt.Sprintf("set columns.%s of this table to the one that is meant", r.key),
	}
}

func missing(t *Table, r role, column string, names []string) *MappingError {
	return &MappingError{
		Table: t.String(), Role: r.key, Column: column, Columns: names,
		Problem: fmt.Sprintf("there is no column %s for the %s", column, words(r.key)),
		Advice: fmt.Sprintf("set columns.%s of this table to the column that holds it and start again; nothing is lost, "+
			"it goes on with this row. Renaming the column back does not help rows already written; "+
			"a list such as \"new_name,old_name\" reads rows from before and after a rename", r.key),
	}
}

// find returns where the first existing name of a configured one stands. The
// whole text is tried first, since a column name may contain a comma.
func find(configured string, names []string) int {
	if at := slices.Index(names, configured); at >= 0 {
		return at
	}
	if !strings.Contains(configured, ",") {
		return -1
	}
	for name := range strings.SplitSeq(configured, ",") {
		if at := slices.Index(names, strings.TrimSpace(name)); at >= 0 {
			return at
		}
	}
	return -1
}

func words(key string) string {
	if key == "id" {
		return "event id"
	}
	return strings.ReplaceAll(key, "_", " ")
}

// Place finds the parts of an event among the columns of the table, as its first
// row would. The error is a *MappingError.
func (t *Table) Place(columns []Column) (Places, error) {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	m, err := newMapping(t, names)
	if err != nil {
		return Places{}, err
	}
	return m.places(), nil
}

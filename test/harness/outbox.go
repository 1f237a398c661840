package harness

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Shape is one of the two usual sets of column names of an outbox table.
type Shape int

// Debezium is id, aggregatetype, aggregateid, type, payload; Snake is id,
// aggregate_type, aggregate_id, event_type, payload, created_at.
const (
	Debezium Shape = iota
	Snake
)

// Table is an outbox table, and the names of its columns in SQL.
type Table struct {
	Name                             string // with schema: "public.outbox"
	AggregateType, AggregateID, Type string
}

// Outbox makes the table public.outbox with a jsonb payload.
func (db *DB) Outbox(t testing.TB, shape Shape) Table {
	t.Helper()
	return db.OutboxNamed(t, "public.outbox", shape)
}

// OutboxNamed makes an outbox table of another name, given as SQL wants it.
func (db *DB) OutboxNamed(t testing.TB, name string, shape Shape) Table {
	t.Helper()
	table := Table{Name: name, AggregateType: "aggregatetype", AggregateID: "aggregateid", Type: "type"}
	more := ""
	if shape == Snake {
		table.AggregateType, table.AggregateID, table.Type = "aggregate_type", "aggregate_id", "event_type"
		more = ", created_at timestamptz NOT NULL DEFAULT now()"
	}
	db.Exec(t, fmt.Sprintf("CREATE TABLE %s (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), %s text NOT NULL, %s text NOT NULL, %s text NOT NULL, payload jsonb%s)",
		table.Name, table.AggregateType, table.AggregateID, table.Type, more))
	return table
}

// Insert adds one event and returns its id. The payload is JSON text.
func (db *DB) Insert(t testing.TB, table Table, aggregateType, aggregateID, eventType, payload string) (id string) {
	t.Helper()
	if err := db.run(t.Context(), func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), fmt.Sprintf("INSERT INTO %s (%s, %s, %s, payload) VALUES ($1, $2, $3, $4::text::jsonb) RETURNING id::text",
			table.Name, table.AggregateType, table.AggregateID, table.Type), aggregateType, aggregateID, eventType, payload).Scan(&id)
	}); err != nil {
		t.Fatalf("insert an event: %v", err)
	}
	return id
}

// Committed reads what the shop has committed: all rows of outbox tables whose
// payload has a number "seq" that grows by commit within an aggregate, as
// Workload and Backlog write them. An event's topic is the prefix and its
// aggregate type; TopicPrefix gives one.
func (db *DB) Committed(t testing.TB, prefix string, tables ...Table) []Event {
	t.Helper()
	var events []Event
	for _, table := range tables {
		events = append(events, db.Expected(t, fmt.Sprintf(
			"SELECT id::text, $1 || %s, %s, (payload->>'seq')::bigint, payload::text FROM %s", table.AggregateType, table.AggregateID, table.Name), prefix)...)
	}
	return events
}

// Expected reads the truth by a query of its own: event id, topic, key, running
// number within the aggregate, value (NULL: a null value). The rows' order does
// not matter.
func (db *DB) Expected(t testing.TB, sql string, args ...any) []Event {
	t.Helper()
	conn := db.Conn(t)
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", abbreviate(sql), err)
	}
	var events []Event
	for rows.Next() {
		var e Event
		var key, value *string
		if err := rows.Scan(&e.ID, &e.Topic, &key, &e.Sequence, &value); err != nil {
			t.Fatalf("%s: %v", abbreviate(sql), err)
		}
		if key != nil {
			e.Key = []byte(*key)
		}
		if value != nil {
			e.Value = []byte(*value)
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", abbreviate(sql), err)
	}
	return events
}

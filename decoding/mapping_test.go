package decoding_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/walrelay/walrelay/decoding"
)

func TestMapping(t *testing.T) {
	tests := []struct {
		name    string
		table   decoding.Table
		columns string
		want    string // id, aggregate type, aggregate id, event type, payload, extra by column name
	}{
		{"Debezium", decoding.Table{}, "id aggregatetype aggregateid type payload", "id aggregatetype aggregateid type payload"},
		{"Debezium, other order and more columns", decoding.Table{}, "x payload type aggregateid created_at aggregatetype id status",
			"id aggregatetype aggregateid type payload"},
		{"snake", decoding.Table{}, "id aggregate_type aggregate_id event_type payload created_at",
			"id aggregate_type aggregate_id event_type payload"},
		{"snake with a type of its own", decoding.Table{}, "id aggregate_type aggregate_id type event_type payload",
			"id aggregate_type aggregate_id event_type payload"},
		{"Debezium with an event_type of its own", decoding.Table{}, "id aggregatetype aggregateid event_type type payload",
			"id aggregatetype aggregateid type payload"},
		{"mixed", decoding.Table{}, "id aggregatetype aggregate_id event_type payload", "id aggregatetype aggregate_id event_type payload"},
		{"no event type", decoding.Table{}, "id aggregatetype aggregateid payload", "id aggregatetype aggregateid NULL payload"},
		{"configured wins", decoding.Table{Columns: decoding.Columns{ID: "event_id", EventType: "kind"}},
			"id event_id aggregate_type aggregate_id event_type kind payload", "event_id aggregate_type aggregate_id kind payload"},
		{"configured settles what is ambiguous", decoding.Table{Columns: decoding.Columns{AggregateType: "aggregate_type"}},
			"id aggregatetype aggregate_type aggregateid payload", "id aggregate_type aggregateid NULL payload"},
		{"one column twice", decoding.Table{Columns: decoding.Columns{AggregateID: "id"}, Extra: extras("id", "payload")},
			"id aggregatetype payload", "id aggregatetype id NULL payload id payload"},
		{"list, before a rename", decoding.Table{Columns: decoding.Columns{Payload: "body, payload"}},
			"id aggregatetype aggregateid payload", "id aggregatetype aggregateid NULL payload"},
		{"list, after a rename", decoding.Table{Columns: decoding.Columns{Payload: "body,payload"}, Extra: extras("tenant,org")},
			"id aggregatetype aggregateid body org", "id aggregatetype aggregateid NULL body org"},
		{"name with a comma", decoding.Table{Columns: decoding.Columns{Payload: "a,b"}},
			"id aggregatetype aggregateid a b a,b", "id aggregatetype aggregateid NULL a,b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.table.Schema, tt.table.Name = "public", "outbox"
			d := decoding.New([]decoding.Table{tt.table})
			columns := strings.Split(tt.columns, " ")
			var m decoding.Message
			decode(t, d, &m, begin(1, commitTime, 1), relation(1, "public", "outbox", names(columns...)...), insert(1, columns...))
			if diff := cmp.Diff(strings.Split(tt.want, " "), parts(&m.Event)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMapping_errors(t *testing.T) {
	tests := []struct {
		name    string
		table   decoding.Table
		columns string
		want    decoding.MappingError // Role, Column; Problem as a part
	}{
		{"no id", decoding.Table{}, "event_id aggregatetype aggregateid payload", decoding.MappingError{Role: "id", Column: "id", Problem: "for the event id"}},
		{"no payload", decoding.Table{}, "id aggregatetype aggregateid body", decoding.MappingError{Role: "payload", Column: "payload", Problem: "no column payload"}},
		{"no aggregate type", decoding.Table{}, "id aggregateid payload", decoding.MappingError{
			Role: "aggregate_type", Column: "aggregatetype or aggregate_type", Problem: "for the aggregate type"}},
		{"case matters", decoding.Table{}, "ID aggregatetype aggregateid payload", decoding.MappingError{Role: "id", Column: "id", Problem: "no column id"}},
		{"configured is missing", decoding.Table{Columns: decoding.Columns{Payload: "body,data"}}, "id aggregatetype aggregateid payload",
			decoding.MappingError{Role: "payload", Column: "body,data", Problem: "no column body,data"}},
		{"configured event type is missing", decoding.Table{Columns: decoding.Columns{EventType: "kind"}}, "id aggregatetype aggregateid type payload",
			decoding.MappingError{Role: "event_type", Column: "kind", Problem: "no column kind"}},
		{"ambiguous", decoding.Table{}, "id aggregatetype aggregate_type aggregateid payload", decoding.MappingError{
			Role: "aggregate_type", Column: "aggregatetype or aggregate_type", Problem: "both aggregatetype and aggregate_type"}},
		{"extra", decoding.Table{Extra: extras("id", "tenant")}, "id aggregatetype aggregateid payload",
			decoding.MappingError{Column: "tenant", Problem: `no column "tenant", which the route`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.table.Schema, tt.table.Name = "public", "outbox"
			d := decoding.New([]decoding.Table{tt.table})
			columns := strings.Split(tt.columns, " ")
			var m decoding.Message
			decode(t, d, &m, begin(commitLSN, commitTime, 1), relation(1, "public", "outbox", names(columns...)...))
			got := wantMappingError(t, d.Decode(insert(1, columns...), &m))
			if got.Role != tt.want.Role || got.Column != tt.want.Column || !strings.Contains(got.Problem, tt.want.Problem) {
				t.Errorf("got %+v", got)
			}
			for _, part := range append([]string{"public.outbox", "1/ABC", got.Advice}, columns...) {
				if part == "" || !strings.Contains(got.Error(), part) {
					t.Errorf("%q is not in %v", part, got)
				}
			}
		})
	}
}

func wantMappingError(t *testing.T, err error) *decoding.MappingError {
	t.Helper()
	var e *decoding.MappingError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a MappingError", err)
	}
	return e
}

// A change that is undone before anybody inserts stops nothing; one that is not
// stops at the first row and, with the configuration corrected, goes on with it.
func TestMapping_changesMidStream(t *testing.T) {
	renamed := names("id", "aggregatetype", "aggregateid", "type", "body")
	d := decoding.New(outbox())
	var m decoding.Message
	row := []string{"1", "a", "b", "c", "d"}
	decode(t, d, &m, begin(1, commitTime, 1), relation(1, "public", "outbox", debezium...), insert(1, row...),
		relation(1, "public", "outbox", renamed...), update(1, 0, nil, row), remove(1, row...),
		relation(1, "public", "outbox", debezium...), insert(1, row...), commit(1, 2),
		begin(3, commitTime, 2), relation(1, "public", "outbox", renamed...))
	for range 2 {
		if e := wantMappingError(t, d.Decode(insert(1, row...), &m)); e.LSN != 3 || e.Role != "payload" {
			t.Errorf("%+v", e)
		}
	}
	tables := outbox()
	tables[0].Columns.Payload = "body"
	d = decoding.New(tables)
	decode(t, d, &m, begin(3, commitTime, 2), relation(1, "public", "outbox", renamed...), insert(1, row...))
	if string(m.Event.Payload.Data) != "d" {
		t.Errorf("payload %q", m.Event.Payload.Data)
	}
}

// Rows of an outbox table that was renamed must not vanish among those of the
// tables that are ignored.
func TestMapping_renamedTable(t *testing.T) {
	row := []string{"1", "a", "b", "c", "d"}
	for _, to := range [][2]string{{"public", "outbox_old"}, {"archive", "outbox"}} {
		d := decoding.New(outbox())
		var m decoding.Message
		decode(t, d, &m, begin(3, commitTime, 1), relation(1, "public", "outbox", debezium...), insert(1, row...),
			relation(1, to[0], to[1], debezium...),
			relation(2, "public", "outbox", debezium...), insert(2, row...))
		e := wantMappingError(t, d.Decode(insert(1, row...), &m))
		if !strings.Contains(e.Error(), "now called "+to[0]+"."+to[1]) {
			t.Error(e)
		}
		decode(t, d, &m, relation(1, "public", "outbox", debezium...), insert(1, row...))
	}
}

// extras are required columns.
func extras(columns ...string) []decoding.Extra {
	var list []decoding.Extra
	for _, c := range columns {
		list = append(list, decoding.Extra{Column: c})
	}
	return list
}

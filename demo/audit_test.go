package demo

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kgo"
)

// orderRecord is the event of the given version of order 1.
func orderRecord(version int) *kgo.Record {
	return &kgo.Record{
		Topic: "outbox.event.order", Key: []byte("1"),
		Value:   fmt.Appendf(nil, `{"event": "OrderPaid", "version": %d, "order": 1, "customer": 1, "status": "paid"}`, version),
		Headers: []kgo.RecordHeader{{Key: "id", Value: fmt.Appendf(nil, "00000000-0000-4000-8000-%012d", version)}},
	}
}

// TestVerdict_findsWhatIsWrong commits five events and lets the consumer have
// what a broken relay would make of them.
func TestVerdict_findsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func([]*kgo.Record) []*kgo.Record
		want  Verdict
		ok    bool
	}{
		{"nothing", func(r []*kgo.Record) []*kgo.Record { return r },
			Verdict{Written: 5, Delivered: 5}, true},
		{"lost in the middle", func(r []*kgo.Record) []*kgo.Record { return slices.Delete(r, 2, 3) },
			Verdict{Written: 5, Delivered: 4, Lost: 1}, false},
		{"lost at the end", func(r []*kgo.Record) []*kgo.Record { return r[:3] },
			Verdict{Written: 5, Delivered: 3, Lost: 2}, false},
		{"duplicated at once", func(r []*kgo.Record) []*kgo.Record { return slices.Insert(r, 2, r[1]) },
			Verdict{Written: 5, Delivered: 5, Duplicates: 1}, true},
		{"repeated from the beginning", func(r []*kgo.Record) []*kgo.Record { return slices.Concat(r, r) },
			Verdict{Written: 5, Delivered: 5, Duplicates: 5}, true},
		{"swapped", func(r []*kgo.Record) []*kgo.Record { r[1], r[2] = r[2], r[1]; return r },
			Verdict{Written: 5, Delivered: 5, OutOfOrder: 1}, false},
		{"a rolled back event", func(r []*kgo.Record) []*kgo.Record { return append(r, orderRecord(6)) },
			Verdict{Written: 5, Delivered: 6, Invented: 1}, false},
		{"one lost, one invented", func(r []*kgo.Record) []*kgo.Record { return append(r[:4], orderRecord(6)) },
			Verdict{Written: 5, Delivered: 5, Lost: 1, Invented: 1}, false},
		{"without an event id", func(r []*kgo.Record) []*kgo.Record { r[4].Headers = nil; return r },
			Verdict{Written: 5, Delivered: 4, Lost: 1, Invented: 1}, false},
		{"with a broken payload", func(r []*kgo.Record) []*kgo.Record { r[0].Value = r[0].Value[:9]; return r },
			Verdict{Written: 5, Delivered: 4, Lost: 1, Invented: 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := verdictOn(t, c.spoil)
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(Verdict{}, "PostgreSQL", "Kafka")); diff != "" {
				t.Error(diff)
			}
			if got.OK() != c.ok {
				t.Errorf("OK() = %v", got.OK())
			}
		})
	}
}

// verdictOn commits versions 1 to 5 of an order, lets the consumer apply what
// broken makes of their records, one by one, and judges.
func verdictOn(t *testing.T, broken func([]*kgo.Record) []*kgo.Record) Verdict {
	t.Helper()
	conn := mustConnect(t, newDatabase(t))
	if err := makeTables(t.Context(), conn, shopTables, consumerTables); err != nil {
		t.Fatal(err)
	}
	var records []*kgo.Record
	for version := 1; version <= 5; version++ {
		r := orderRecord(version)
		mustExec(t, conn, `INSERT INTO outbox VALUES ($1, 'order', '1', 'OrderPaid', $2)`, string(r.Headers[0].Value), r.Value)
		records = append(records, r)
	}
	c := &consumer{conn: conn, tell: func(kind, string) {}, positions: make(map[partition]int64)}
	for _, r := range broken(records) {
		if err := c.apply(t.Context(), []*kgo.Record{r}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	f, err := (&auditor{conn: conn}).compare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var v Verdict
	v.fill(f, newShop(ShopOptions{Rate: 1}, nil, nil), c)
	return v
}

// TestAuditor_settle takes old events out of both tables and goes on counting
// them; what has not arrived stays.
func TestAuditor_settle(t *testing.T) {
	conn := mustConnect(t, newDatabase(t))
	if err := makeTables(t.Context(), conn, shopTables, consumerTables); err != nil {
		t.Fatal(err)
	}
	for version, arrived := range map[int]string{1: "10 minutes", 2: "1 second", 3: ""} {
		r := orderRecord(version)
		id := string(r.Headers[0].Value)
		mustExec(t, conn, `INSERT INTO outbox VALUES ($1, 'order', '1', 'OrderPaid', $2)`, id, r.Value)
		if arrived != "" {
			mustExec(t, conn, `INSERT INTO inbox VALUES ($1, now() - $2::text::interval)`, id, arrived)
		}
	}
	a := &auditor{conn: conn}
	if err := a.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := mustCount(t, conn, `SELECT count(*) FROM outbox`); n != 2 {
		t.Errorf("%d rows in the outbox, want 2", n)
	}
	f, err := a.compare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := (findings{written: 3, delivered: 2, lost: 1}); f != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
}

// TestConsumer_transactionFails proves that counts change only with the tables.
func TestConsumer_transactionFails(t *testing.T) {
	conn := mustConnect(t, newDatabase(t))
	if err := makeTables(t.Context(), conn, consumerTables); err != nil {
		t.Fatal(err)
	}
	mustExec(t, conn, `ALTER TABLE aggregate_view ADD CHECK (version < 2)`)
	c := &consumer{conn: conn, tell: func(kind, string) {}, positions: make(map[partition]int64)}
	if err := c.apply(t.Context(), []*kgo.Record{orderRecord(1), orderRecord(2)}, time.Now()); err == nil {
		t.Fatal("no error")
	}
	if n := c.consumed.Load(); n != 0 {
		t.Errorf("%d records counted", n)
	}
	if n := mustCount(t, conn, `SELECT count(*) FROM inbox`); n != 0 {
		t.Errorf("%d events in the inbox", n)
	}
}

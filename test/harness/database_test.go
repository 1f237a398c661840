package harness

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/demo/postgres"
)

func TestDatabaseIsTheTestsOwn(t *testing.T) {
	var first *DB
	t.Run("uses", func(t *testing.T) {
		first = Database(t)
		if second := Database(t); second.Name == first.Name || second.Slot == first.Slot {
			t.Errorf("two databases share a name: %+v, %+v", first, second)
		}
		table := first.Outbox(t, Snake)
		id := first.Insert(t, table, "order", "7", "Placed", `{"seq": 1}`)
		if got := first.QueryText(t, "SELECT id FROM public.outbox"); got != id {
			t.Errorf("id %s, the table has %s", id, got)
		}
		if got := first.QueryInt(t, "SELECT count(*) FROM public.outbox WHERE aggregate_id = $1", "7"); got != 1 {
			t.Errorf("%d rows", got)
		}
		if got := first.QueryText(t, "SELECT id FROM public.outbox WHERE false"); got != "" {
			t.Errorf("no row is %q", got)
		}
		first.Exec(t, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", first.Slot)
	})
	after := Database(t)
	if n := after.QueryInt(t, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", first.Slot); n != 0 {
		t.Error("the slot is still there")
	}
	if n := after.QueryInt(t, "SELECT count(*) FROM pg_database WHERE datname = $1", first.Name); n != 0 {
		t.Error("the database is still there")
	}
}

func sorted(events []Event) []Event {
	return slices.SortedFunc(slices.Values(events), func(a, b Event) int { return cmp.Compare(a.Sequence, b.Sequence) })
}

// carry stands in for a relay: it sends what was committed, in order.
func carry(t *testing.T, b *Broker, events []Event) {
	t.Helper()
	client := b.Client(t)
	for _, e := range sorted(events) {
		client.Produce(t.Context(), &kgo.Record{
			Topic: e.Topic, Key: e.Key, Value: e.Value, Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(e.ID)}},
		}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWorkloadAndBacklogVerify(t *testing.T) {
	t.Parallel()
	db, broker, prefix := Database(t), Kafka(t), TopicPrefix(t)
	table := db.Outbox(t, Debezium)
	written := db.Run(t.Context(), t, Workload{
		Table: table, Transactions: 200, RollbackShare: 0.2, SavepointUndo: 0.1, Padding: 20, Seed: 7,
	})
	t.Log(written)
	if written.RolledBack.Load() == 0 || written.Undone.Load() == 0 {
		t.Errorf("no rollback or no savepoint among: %s", written)
	}
	db.WriteBacklog(t, Backlog{Table: table, Events: 1050, PerTransaction: 100, Aggregates: 10})
	db.WriteBacklog(t, Backlog{Table: table, Events: 500, Aggregates: 10, First: 1050})
	events := db.Committed(t, prefix, table)
	if want := int(written.Committed.Load()) + 1550; len(events) != want {
		t.Fatalf("%d events in the table, the writers count %d", len(events), want)
	}
	if n := db.QueryInt(t, "SELECT count(DISTINCT xmin::text) FROM public.outbox WHERE aggregatetype = 'backlog'"); n != 12 {
		t.Errorf("the backlog was written in %d transactions", n)
	}
	if n := db.QueryInt(t, "SELECT count(*) FROM (SELECT 1 FROM public.outbox GROUP BY aggregatetype, aggregateid, payload->>'seq' HAVING count(*) > 1) x"); n != 0 {
		t.Errorf("%d numbers were given twice", n)
	}
	broker.CreateTopic(t, prefix+"order", 3)
	broker.CreateTopic(t, prefix+"backlog", 3)
	carry(t, broker, events)
	if result := Verify(t, broker, time.Minute, events); result.Duplicates != 0 {
		t.Error(result)
	}
}

func TestWorkloadSurvivesRestarts(t *testing.T) {
	t.Parallel()
	server := PrivatePostgres(t, map[string]string{"log_min_messages": "fatal"})
	db := DatabaseOn(t, server)
	table := db.Outbox(t, Debezium)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *Written)
	go func() { done <- db.Run(ctx, t, Workload{Table: table, Writers: 3}) }()
	rows := func(more int64) {
		before := db.QueryInt(t, "SELECT count(*) FROM public.outbox")
		Eventually(t, 30*time.Second, "the shop writes", func() bool {
			return db.QueryInt(t, "SELECT count(*) FROM public.outbox") >= before+more
		})
	}
	for _, mode := range []postgres.Mode{postgres.Fast, postgres.Immediate} {
		rows(20)
		if err := server.Restart(t.Context(), mode); err != nil {
			t.Fatal(err)
		}
	}
	rows(20)
	cancel()
	written := <-done
	if n := db.QueryInt(t, "SELECT count(*) FROM public.outbox"); n < written.Committed.Load() {
		t.Errorf("%d rows, the writers saw %d committed", n, written.Committed.Load())
	}
	if written.Reconnects.Load() == 0 {
		t.Log("no writer had to ask twice")
	}
}

func TestDatabaseThroughProxy(t *testing.T) {
	db := Database(t)
	p := NewProxy(t, db.Target(t))
	conn, err := pgx.Connect(t.Context(), db.ConnStringVia(t, p))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var name string
	if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil || name != db.Name {
		t.Errorf("%s, %v", name, err)
	}
	p.Cut()
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the session survives a cut")
	}
}

func TestExternalPostgresIsChecked(t *testing.T) {
	server := PrivatePostgres(t, map[string]string{"wal_level": "replica", "max_wal_senders": "0"})
	t.Setenv("WALRELAY_TEST_POSTGRES", server.ConnString("postgres"))
	if _, err := openPostgres(t.Context()); err == nil || !strings.Contains(err.Error(), "wal_level is replica") {
		t.Errorf("%v", err)
	}
	t.Setenv("WALRELAY_TEST_POSTGRES", "host=127.0.0.1")
	if _, err := withDatabase("host=127.0.0.1", "x"); err == nil {
		t.Error("a keyword string is taken for a URL")
	}
	if got, err := withDatabase("postgres://me:secret@db:5433/postgres?sslmode=disable", "shop"); err != nil ||
		got != "postgres://me:secret@db:5433/shop?sslmode=disable" {
		t.Errorf("%s, %v", got, err)
	}
}

package test_test

import (
	"testing"
	"time"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/test/harness"
)

// TestPostgresRestart: PostgreSQL restarts under load, in order, at once, and
// after a kill -9. The relay remembers what it has delivered, so nothing is repeated.
func TestPostgresRestart(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, nil)
	for _, mode := range []postgres.Mode{postgres.Fast, postgres.Immediate, postgres.Crash} {
		t.Run(string(mode), func(t *testing.T) {
			s := openOn(t, harness.DatabaseOn(t, server), harness.Kafka(t), "order")
			p := s.ready(t)
			quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 2 * time.Millisecond, RollbackShare: 0.1})
			const restarts = 3
			for i := range restarts {
				s.more(t, 500)
				if err := server.Restart(t.Context(), mode); err != nil {
					t.Fatal(err)
				}
				harness.Eventually(t, soon, "the relay has noticed", func() bool {
					return scrape(t, p).value("walrelay_reconnects_total", `side="postgres"`) > float64(i)
				})
			}
			p.WaitReady(t, soon)
			s.more(t, 500)
			written := quiet()
			none(t, s.verify(t))
			t.Log(written)
			p.WaitLog(t, soon, "stream lost")
			p.WaitLog(t, soon, "stream is back")
			s.drained(t)
			stop(t, p)
		})
	}
}

// TestPostgresUnreachable: the network to PostgreSQL is cut, and then freezes
// for longer than wal_sender_timeout.
func TestPostgresUnreachable(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	proxy := harness.NewProxy(t, s.Target(t))
	s.Addr = s.ConnStringVia(t, proxy)
	p := s.ready(t, "WALRELAY_POSTGRES_WAL_SENDER_TIMEOUT=2s")
	quiet := s.background(t, harness.Workload{Writers: 4, Aggregates: 100, Pause: 2 * time.Millisecond})
	for i := range 5 {
		s.more(t, 200)
		proxy.Reset()
		harness.Eventually(t, soon, "the relay has lost its connection and has another one", func() bool {
			m := scrape(t, p)
			return m.value("walrelay_reconnects_total", `side="postgres"`) > float64(i) && m.value("walrelay_state", `state="streaming"`) == 1
		})
	}
	proxy.Freeze(harness.Both)
	p.WaitLog(t, soon, "has sent nothing")
	t.Logf("while frozen: %s", waitReason(t, p, "postgres"))
	harness.Eventually(t, soon, "the server has given the slot free", func() bool {
		return s.QueryInt(t, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1 AND active", s.Slot) == 0
	})
	proxy.Heal()
	p.WaitReady(t, soon)
	s.more(t, 200)
	quiet()
	none(t, s.verify(t))
	stop(t, p)
}

// TestPostgresStopsWithoutKafka: a server that shuts down waits until the relay
// has confirmed everything or is gone. With Kafka away it has to go.
func TestPostgresStopsWithoutKafka(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, nil)
	kafka := harness.PrivateKafka(t, harness.KafkaOptions{})
	s := openOn(t, harness.DatabaseOn(t, server), kafka, "order")
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	if err := kafka.Pause(); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		s.one(t, 2+i)
	}
	began := time.Now()
	if err := server.Stop(postgres.Fast); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
	t.Logf("PostgreSQL stopped after %s", time.Since(began).Round(time.Millisecond))
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := kafka.Resume(); err != nil {
		t.Fatal(err)
	}
	p.WaitReady(t, patience)
	s.one(t, 102)
	none(t, s.verify(t))
	stop(t, p)
}

// TestIdleOutbox: an outbox without events in a busy cluster holds back no WAL.
func TestIdleOutbox(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, nil)
	s := openOn(t, harness.DatabaseOn(t, server), harness.Kafka(t), "order")
	other := harness.DatabaseOn(t, server)
	p := s.ready(t)
	const writes = 64 << 20
	for _, db := range []*harness.DB{s.DB, other} {
		db.Exec(t, "CREATE TABLE busy (text text)")
	}
	began := s.written(t)
	for s.written(t) < began+writes {
		for _, db := range []*harness.DB{s.DB, other} {
			db.Exec(t, "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
		}
	}
	s.drained(t)
	retained := func() int64 {
		return s.QueryInt(t, "SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
	}
	// The server moves restart_lsn at the next running-transactions record, every
	// 15 s or so.
	harness.Eventually(t, patience, "the slot holds back little WAL", func() bool { return retained() < writes/16 })
	harness.Eventually(t, soon, "the metrics say so", func() bool {
		m := scrape(t, p)
		return m.value("walrelay_slot_retained_bytes") < writes/16 && m.value("walrelay_replication_lag_bytes") < writes/16
	})
	t.Logf("%d bytes of WAL written, %d held back", s.written(t)-began, retained())
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 1}`)
	none(t, s.verify(t))
	stop(t, p)
}

// TestLargeTransaction: one transaction of many rows needs no more memory than one
// of ten. `go run ./test/bench --only rss` does it with a million.
func TestLargeTransaction(t *testing.T) {
	t.Parallel()
	s := open(t, "backlog")
	options := s.options()
	options.Program = plainProgram(t)
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 300_000, Aggregates: 10_000})
	none(t, s.verify(t))
	s.drained(t)
	boundedMemory(t, p)
	stop(t, p)
}

// TestRenamedColumn: a column of the outbox is renamed between and inside
// transactions. The relay stops and says where, and goes on there once told.
func TestRenamedColumn(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	insert := func(payload string, from, to int) string {
		return "INSERT INTO public.outbox (aggregatetype, aggregateid, type, " + payload + `)
			SELECT 'order', '1', 'Placed', jsonb_build_object('seq', n) FROM generate_series(` + itoa(from) + ", " + itoa(to) + ") n;"
	}
	s.Exec(t, insert("payload", 1, 100))
	s.drained(t)
	s.Exec(t, "BEGIN; ALTER TABLE public.outbox RENAME payload TO body; COMMIT;")
	s.Exec(t, insert("body", 101, 200))
	ended(t, p, 4)
	mustSay(t, p.Output(), "public.outbox", "payload", "body", "columns.payload", "commits at 0/")
	if n := len(s.Kafka.ReadAll(t, s.Topics...)); n != 100 {
		t.Errorf("%d records are there, not the 100 before the change", n)
	}
	p = s.start(t) // the same again, not a record more
	ended(t, p, 4)
	mustSay(t, p.Output(), "public.outbox", "payload")

	p = s.ready(t, "WALRELAY_OUTBOX_COLUMNS_PAYLOAD=body")
	s.drained(t)
	// And back again in the middle of a transaction, which is begun anew.
	s.Exec(t, "BEGIN; "+insert("body", 201, 210)+" ALTER TABLE public.outbox RENAME body TO payload; "+insert("payload", 211, 220)+" COMMIT;")
	ended(t, p, 4)
	mustSay(t, p.Output(), "public.outbox", "body")
	p = s.ready(t, "WALRELAY_OUTBOX_COLUMNS_PAYLOAD=payload,body")
	s.Exec(t, insert("payload", 221, 230))
	result := s.verify(t)
	if result.Duplicates > 10 {
		t.Errorf("more is repeated than the transaction that could not be finished: %s", result)
	}
	stop(t, p)
}

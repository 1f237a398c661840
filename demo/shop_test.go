package demo

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/walrelay/walrelay/demo/postgres"
)

// oneServer is the PostgreSQL of the tests of this package that need only a
// database; TestMain removes it.
var oneServer struct {
	once   sync.Once
	server *postgres.Server
	err    error
	count  int
}

// newDatabase is the connection string of a new database.
func newDatabase(t *testing.T) string {
	t.Helper()
	s := &oneServer
	s.once.Do(func() { s.server, s.err = postgres.Start(context.Background(), postgres.Options{}) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	s.count++
	name := fmt.Sprintf("demo_test_%d", s.count)
	mustExec(t, mustConnect(t, s.server.ConnString("postgres")), "CREATE DATABASE "+name)
	return s.server.ConnString(name)
}

func mustConnect(t *testing.T, connString string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), connString)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeSoon(conn) })
	return conn
}

func mustExec(t *testing.T, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func mustCount(t *testing.T, conn *pgx.Conn, query string) int64 {
	t.Helper()
	var n int64
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// TestShop_commitsWhatItSays runs the shop and compares what it counts with what
// PostgreSQL has.
func TestShop_commitsWhatItSays(t *testing.T) {
	database := newDatabase(t)
	conn := mustConnect(t, database)
	if err := makeTables(t.Context(), conn, shopTables, seedCustomers); err != nil {
		t.Fatal(err)
	}
	o := ShopOptions{Postgres: database, Rate: 150, For: 2 * time.Second}
	o.setDefaults()
	s := newShop(o, newLedger(), nil)
	s.trouble = func(err error) { t.Error(err) }
	s.run(t.Context())

	if got, want := mustCount(t, conn, `SELECT count(*) FROM outbox`), s.events.Load(); got != want || want == 0 {
		t.Errorf("%d rows in the outbox, the shop says %d", got, want)
	}
	if got, want := mustCount(t, conn, `SELECT count(*) FROM orders`), s.orders.Load(); got != want {
		t.Errorf("%d orders, the shop says %d", got, want)
	}
	if s.rolledBack.Load() == 0 || s.savepoints.Load() == 0 {
		t.Errorf("%d rolled back, %d savepoints: want some of both", s.rolledBack.Load(), s.savepoints.Load())
	}
	if got, want := s.ledger.waiting(), int(s.events.Load()); got != want {
		t.Errorf("the ledger has %d events on their way, the shop has committed %d", got, want)
	}
	broken := `SELECT count(*) FROM (
		SELECT aggregatetype, aggregateid FROM outbox GROUP BY 1, 2
		HAVING min((payload->>'version')::int) <> 1 OR max((payload->>'version')::int) <> count(*)
		    OR count(DISTINCT payload->>'version') <> count(*)) x`
	if n := mustCount(t, conn, broken); n != 0 {
		t.Errorf("%d aggregates whose versions are not 1, 2, 3 …", n)
	}
	behind := `SELECT count(*) FROM orders o WHERE version <> (SELECT count(*) FROM outbox WHERE aggregatetype = 'order' AND aggregateid = o.id::text)`
	if n := mustCount(t, conn, behind); n != 0 {
		t.Errorf("%d orders whose version is not the number of their events", n)
	}
	for _, kind := range []string{string(stepPlace), string(stepPay), string(stepShip), string(stepCancel), giftWrapped, pointsEarned} {
		if n := mustCount(t, conn, `SELECT count(*) FROM outbox WHERE type = '`+kind+`'`); n == 0 {
			t.Errorf("no %s in two seconds", kind)
		}
	}
}

func TestRunShop(t *testing.T) {
	database := newDatabase(t)
	var out bytes.Buffer
	if err := RunShop(t.Context(), ShopOptions{Postgres: database, Rate: 50, For: 300 * time.Millisecond, Out: &out}); err != nil {
		t.Fatal(err)
	}
	if n := mustCount(t, mustConnect(t, database), `SELECT count(*) FROM outbox`); n == 0 {
		t.Error("nothing written")
	}
	if !strings.Contains(out.String(), "shop: closed; ") {
		t.Errorf("output:\n%s", &out)
	}
}

func TestRunShop_impossibleConnectionString(t *testing.T) {
	if err := RunShop(t.Context(), ShopOptions{Postgres: "postgres://localhost:notaport/"}); err == nil {
		t.Error("no error")
	}
}

// TestRunConsumer_twice reads a topic with a group, and again without one: the
// inbox lets each event have its effect once.
func TestRunConsumer_twice(t *testing.T) {
	database := newDatabase(t)
	conn := mustConnect(t, database)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "outbox.event.order"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for version := range 3 {
		if err := client.ProduceSync(t.Context(), orderRecord(version+1)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, group := range []string{"warehouse", ""} {
		ctx, stop := context.WithCancel(t.Context())
		out := &signalWriter{want: "3 ", seen: make(chan struct{})}
		done := make(chan error, 1)
		go func() {
			done <- RunConsumer(ctx, ConsumerOptions{Postgres: database, Kafka: cluster.ListenAddrs(),
				Topics: []string{"outbox.event.order"}, Group: group, Every: 20 * time.Millisecond, Out: out})
		}()
		select {
		case <-out.seen:
		case err := <-done:
			t.Fatalf("group %q: ended: %v", group, err)
		case <-time.After(20 * time.Second):
			t.Errorf("group %q: not read after 20 s", group)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("group %q: %v", group, err)
		}
	}
	if n := mustCount(t, conn, `SELECT count(*) FROM inbox`); n != 3 {
		t.Errorf("%d events in the inbox, want 3", n)
	}
	if n := mustCount(t, conn, `SELECT version FROM aggregate_view`); n != 3 {
		t.Errorf("the view is at version %d, want 3", n)
	}
}

// signalWriter closes seen when a line with want comes after "consumer: ".
type signalWriter struct {
	want string
	seen chan struct{}
	once sync.Once
}

func (w *signalWriter) Write(p []byte) (int, error) {
	line := string(p)
	if strings.Contains(line, w.want+"events had") || strings.Contains(line, w.want+"duplicates") {
		w.once.Do(func() { close(w.seen) })
	}
	return len(p), nil
}

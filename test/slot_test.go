package test_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// slots is how many slots of the shop's name there are.
func (s *shop) slots(t *testing.T) int64 {
	t.Helper()
	return s.QueryInt(t, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
}

// one inserts one event with a number.
func (s *shop) one(t *testing.T, number int) {
	t.Helper()
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": `+itoa(number)+`}`)
}

// expect verifies that exactly the events with these numbers are in Kafka.
func (s *shop) expect(t *testing.T, numbers ...int) {
	t.Helper()
	events := s.Expected(t, "SELECT id::text, $1 || aggregatetype, aggregateid, (payload->>'seq')::bigint, payload::text FROM "+s.Table.Name+
		" WHERE (payload->>'seq')::int = ANY($2)", s.Prefix, numbers)
	none(t, harness.Verify(t, s.Kafka, patience, events, s.Topics...))
}

// TestSlotVanished: a slot that is gone is a gap, which a person has to accept;
// it is never made anew in silence.
func TestSlotVanished(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	stop(t, p)
	at := s.QueryText(t, "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
	s.Exec(t, "SELECT pg_drop_replication_slot($1)", s.Slot)
	s.one(t, 2) // in the gap
	for range 2 {
		p = s.start(t)
		ended(t, p, 4)
		mustSay(t, p.Output(), s.Slot, "vanished", at, "walrelay init --accept-gap")
		if s.slots(t) != 0 {
			t.Fatal("the slot was made again in silence")
		}
	}
	if code, output := s.run(t, []string{"init"}); code != 4 || !strings.Contains(output, "vanished") || s.slots(t) != 0 {
		t.Errorf("init: exit code %d, slots %d: %s", code, s.slots(t), output)
	}
	if code, output := s.run(t, []string{"check", "--output", "json"}); code != 3 || !strings.Contains(output, "vanished") {
		t.Errorf("check: exit code %d: %s", code, output)
	}
	if code, output := s.run(t, []string{"init", "--accept-gap"}); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
	s.one(t, 3)
	p = s.ready(t)
	s.expect(t, 1, 3)

	// Also while it runs: the connection is lost, and the slot with it.
	s.Exec(t, "SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
	harness.Eventually(t, soon, "the slot can be dropped", func() bool {
		return s.QueryInt(t, `WITH gone AS (SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE slot_name = $1 AND active)
			SELECT count(*) FROM gone`, s.Slot) == 0 && s.dropped(t)
	})
	ended(t, p, 4)
	mustSay(t, p.Output(), "vanished")
	if s.slots(t) != 0 {
		t.Error("the slot was made again in silence")
	}
}

// dropped tries to drop the slot, which the relay may have taken again.
func (s *shop) dropped(t *testing.T) bool {
	t.Helper()
	conn := s.Conn(t)
	_, err := conn.Exec(t.Context(), "SELECT pg_drop_replication_slot($1)", s.Slot)
	return err == nil
}

// TestSlotReplaced: somebody drops the slot of a relay that has stopped and
// makes another of the same name.
func TestSlotReplaced(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	stop(t, p)
	s.one(t, 2) // in the gap
	s.Exec(t, "SELECT pg_drop_replication_slot($1)", s.Slot)
	s.Exec(t, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", s.Slot)
	p = s.start(t)
	ended(t, p, 4)
	mustSay(t, p.Output(), s.Slot, "does not continue", "walrelay init --accept-gap")
	if code, output := s.run(t, []string{"init", "--accept-gap"}); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
	s.one(t, 3)
	p = s.ready(t)
	s.expect(t, 1, 3)
	stop(t, p)
}

// TestSlotAdopted: an existing slot, such as Debezium's, is gone on with.
func TestSlotAdopted(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR ALL TABLES")
	s.one(t, 1) // before the slot
	s.Exec(t, "SELECT pg_create_logical_replication_slot($1, 'pgoutput')", s.Slot)
	s.one(t, 2)
	p := s.ready(t)
	p.WaitLog(t, soon, "adopted")
	s.one(t, 3)
	s.expect(t, 2, 3)
	s.drained(t)
	stop(t, p)
	// From now on it is known.
	s.Exec(t, "SELECT pg_drop_replication_slot($1)", s.Slot)
	p = s.start(t)
	ended(t, p, 4)
}

// TestSlotLost: the server has removed the WAL that a stopped relay needs.
func TestSlotLost(t *testing.T) {
	t.Parallel()
	server := harness.PrivatePostgres(t, map[string]string{"max_slot_wal_keep_size": "16MB", "max_wal_size": "64MB"})
	s := openOn(t, harness.DatabaseOn(t, server), harness.Kafka(t), "order")
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	stop(t, p)
	s.one(t, 2) // in the gap
	s.Exec(t, "CREATE TABLE busy (text text)")
	harness.Eventually(t, patience, "the slot is lost", func() bool {
		s.Exec(t, "INSERT INTO busy SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
		s.Exec(t, "CHECKPOINT")
		return s.QueryText(t, "SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1", s.Slot) == "lost"
	})
	p = s.start(t)
	ended(t, p, 4)
	mustSay(t, p.Output(), s.Slot, "lost", "walrelay init --accept-gap")
	if code, output := s.run(t, []string{"init", "--accept-gap"}); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
	s.one(t, 3)
	p = s.ready(t)
	s.expect(t, 1, 3)
	stop(t, p)
}

// TestPublicationDropped: without its publication the slot cannot be decoded,
// also not by one that is made again.
func TestPublicationDropped(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	s.Exec(t, "DROP PUBLICATION "+s.Publication)
	s.one(t, 2) // in the gap
	ended(t, p, 4)
	mustSay(t, p.Output(), s.Publication, "walrelay init --accept-gap")
	s.Exec(t, "CREATE PUBLICATION "+s.Publication+" FOR TABLE public.outbox")
	p = s.start(t)
	ended(t, p, 4)
	mustSay(t, p.Output(), s.Publication, "walrelay init --accept-gap")
	if code, output := s.run(t, []string{"init", "--accept-gap"}); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
	p = s.ready(t)
	s.one(t, 3)
	s.expect(t, 1, 3)
	stop(t, p)
}

// TestTableMadeAgain: a table that is dropped and made again is not in the
// publication any more. What was written to it meanwhile is a gap.
func TestTableMadeAgain(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	s.Exec(t, "ALTER TABLE public.outbox RENAME TO outbox_old; CREATE TABLE public.outbox (LIKE outbox_old INCLUDING ALL); INSERT INTO public.outbox SELECT * FROM outbox_old; DROP TABLE outbox_old")
	s.one(t, 2) // in the gap
	ended(t, p, 4)
	mustSay(t, p.Output(), "lacks table public.outbox", "may be missing", "ALTER PUBLICATION", "publish again")
	s.Exec(t, "ALTER PUBLICATION "+s.Publication+" ADD TABLE public.outbox")
	s.refused(t, "table public.outbox was taken out of publication")
	p = s.ready(t)
	s.one(t, 3)
	s.expect(t, 1, 3)
	stop(t, p)
}

// TestTableOutAndBack: a table that was out of the publication for a moment is found
// out afterwards, by a relay that runs and by one that starts.
func TestTableOutAndBack(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	out := func(lost int) {
		s.Exec(t, "ALTER PUBLICATION "+s.Publication+" DROP TABLE public.outbox")
		s.one(t, lost)
		s.Exec(t, "ALTER PUBLICATION "+s.Publication+" ADD TABLE public.outbox")
	}
	p := s.ready(t)
	s.one(t, 1)
	s.drained(t)
	out(2)
	ended(t, p, 4)
	mustSay(t, p.Output(), "table public.outbox was taken out of publication", "WR0311", "may be missing")
	s.refused(t, "table public.outbox was taken out of publication")
	p = s.ready(t)
	s.one(t, 3)
	s.drained(t)
	stop(t, p)
	out(4)
	s.refused(t, "table public.outbox was taken out of publication")
	p = s.ready(t)
	s.one(t, 5)
	s.expect(t, 1, 3, 5)
	stop(t, p)
}

// refused starts a relay that ends with a gap, and accepts it.
func (s *shop) refused(t *testing.T, words ...string) {
	t.Helper()
	p := s.start(t)
	ended(t, p, 4)
	mustSay(t, p.Output(), append(words, "walrelay init --accept-gap")...)
	if code, output := s.run(t, []string{"init", "--accept-gap"}); code != 0 {
		t.Fatalf("init --accept-gap: exit code %d: %s", code, output)
	}
}

// TestWrongSetup: what has to be set up otherwise ends with code 3 and the words
// that mend it, and changes nothing.
func TestWrongSetup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		sql  string
		env  []string
		says []string
	}{
		{"physical slot", "SELECT pg_create_physical_replication_slot('$SLOT')", nil, []string{"physical", "logical one is needed", "pg_drop_replication_slot"}},
		{"other plugin", "SELECT pg_create_logical_replication_slot('$SLOT', 'test_decoding')", nil, []string{"test_decoding", "pgoutput is needed"}},
		{"publication without the table", "CREATE TABLE other (id int); CREATE PUBLICATION $SLOT FOR TABLE other", nil, []string{"lacks table public.outbox", "ALTER PUBLICATION"}},
		{"publication without inserts", "CREATE PUBLICATION $SLOT FOR TABLE public.outbox WITH (publish = 'update')", nil, []string{"does not publish inserts", "ALTER PUBLICATION"}},
		{"no table", "DROP TABLE public.outbox", nil, []string{"public.outbox does not exist", "walrelay init"}},
		{"unlogged table", "ALTER TABLE public.outbox SET UNLOGGED", nil, []string{"unlogged", "SET LOGGED"}},
		{"a view", "ALTER TABLE public.outbox RENAME TO real; CREATE VIEW public.outbox AS SELECT * FROM real", nil, []string{"can't be published"}},
		{"no slot, auto_create off", "", []string{"WALRELAY_POSTGRES_AUTO_CREATE=false"}, []string{"does not exist", "walrelay init"}},
		{"slot without publication", "SELECT pg_create_logical_replication_slot('$SLOT', 'pgoutput')", nil, []string{"without publication"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			conn := s.Conn(t)
			t.Cleanup(func() {
				// A physical slot belongs to no database.
				_, err := conn.Exec(background(t), "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", s.Slot)
				if err != nil {
					t.Error(err)
				}
			})
			for sql := range strings.SplitSeq(strings.ReplaceAll(test.sql, "$SLOT", s.Slot), ";") {
				if _, err := conn.Exec(t.Context(), sql); err != nil {
					if strings.Contains(test.sql, "test_decoding") {
						harness.Skip(t, "this PostgreSQL has no second output plugin: "+err.Error())
					}
					t.Fatal(err)
				}
			}
			before := s.slots(t)
			p := s.start(t, test.env...)
			ended(t, p, 3)
			mustSay(t, p.Output(), test.says...)
			if s.slots(t) != before {
				t.Error("it has made a slot")
			}
			code, output := s.run(t, []string{"check"}, test.env...)
			if code != 3 {
				t.Errorf("check: exit code %d: %s", code, output)
			}
		})
	}
}

// TestLeastPrivilege: the role that `init --print-sql` sets up has all that the
// relay needs, and cannot read the outbox.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	s.Exec(t, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
	role := s.Slot + "_relay"
	superuser := s.Addr
	conn := s.Conn(t) // the superuser's
	t.Cleanup(func() {
		for _, sql := range []string{
			"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '" + role + "'",
			"DROP OWNED BY " + role, "DROP ROLE " + role,
		} {
			if _, err := conn.Exec(background(t), sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
	s.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD '"+role+"'")
	s.Addr = as(t, superuser, role)
	p := s.start(t)
	ended(t, p, 3)
	mustSay(t, p.Output(), "GRANT", role)

	code, sql := s.run(t, []string{"init", "--print-sql"})
	if code != 0 {
		t.Fatalf("init --print-sql: exit code %d: %s", code, sql)
	}
	for range 2 { // it may be run again
		for _, statement := range statements(sql) {
			if _, err := conn.PgConn().Exec(t.Context(), statement).ReadAll(); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	p = s.ready(t)
	if code, output := s.run(t, []string{"check"}); code != 0 {
		t.Errorf("check as %s: exit code %d: %s", role, code, output)
	}
	s.one(t, 1)
	s.expect(t, 1)
	s.drained(t)
	stop(t, p)
	p = s.ready(t)
	s.one(t, 2)
	s.expect(t, 1, 2)
	stop(t, p)
	if s.QueryText(t, "SELECT has_table_privilege($1, 'public.outbox', 'SELECT')", role) != "false" {
		t.Error("the test is wrong: the role may read the outbox")
	}
}

// as is a connection URL with another user, whose password is its name.
func as(t *testing.T, address, user string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.UserPassword(user, user)
	return parsed.String()
}

// statements splits a script as psql does: each goes to the server by itself,
// which matters because a slot cannot be made in a transaction that has written.
func statements(script string) (list []string) {
	var one strings.Builder
	for line := range strings.Lines(script) {
		one.WriteString(line)
		code, _, _ := strings.Cut(line, "--")
		quoted := strings.Count(one.String(), "$walrelay$")%2 == 1
		if !quoted && strings.HasSuffix(strings.TrimSpace(code), ";") {
			list = append(list, one.String())
			one.Reset()
		}
	}
	if strings.TrimSpace(one.String()) != "" {
		list = append(list, one.String())
	}
	return list
}

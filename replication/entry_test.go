package replication_test

import (
	"strings"
	"testing"
)

// alterations are what may happen to a publication between two looks at it, with the
// rows of the catalog before and after the same at first sight.
var alterations = []struct {
	name  string
	since int // version
	sql   string
	gap   bool
}{
	{"taken out and put back", 14, `ALTER PUBLICATION $pub DROP TABLE outbox; $event; ALTER PUBLICATION $pub ADD TABLE outbox`, true},
	{"replaced by another and back", 14, `ALTER PUBLICATION $pub SET TABLE other; $event; ALTER PUBLICATION $pub SET TABLE outbox`, true},
	{"table made again", 14, `ALTER TABLE outbox RENAME TO old; CREATE TABLE outbox (LIKE old INCLUDING ALL); $event; ALTER PUBLICATION $pub ADD TABLE outbox`, true},
	{"row filter", 15, `ALTER PUBLICATION $pub SET TABLE outbox WHERE (aggregatetype = 'none'); $event`, true},
	{"row filter and away again", 15, `ALTER PUBLICATION $pub SET TABLE outbox WHERE (aggregatetype = 'none'); $event; ALTER PUBLICATION $pub SET TABLE outbox`, true},
	{"by its schema instead, with a hole", 15, `ALTER PUBLICATION $pub DROP TABLE outbox; $event; ALTER PUBLICATION $pub ADD TABLES IN SCHEMA public`, true},
	{"set to what it was", 15, `ALTER PUBLICATION $pub SET TABLE outbox`, false},
	{"another table beside it", 14, `ALTER PUBLICATION $pub ADD TABLE other; ALTER PUBLICATION $pub DROP TABLE other`, false},
	{"owner and options", 14, `ALTER PUBLICATION $pub SET (publish = 'insert, update'); ALTER PUBLICATION $pub OWNER TO CURRENT_USER`, false},
}

// TestEntries: a table that was out of the publication for a time is a gap, however
// good the publication looks afterwards: at a start as while it is read, until somebody
// accepts it. What leaves the table in is none.
func TestEntries(t *testing.T) {
	t.Parallel()
	for _, a := range alterations {
		for _, runs := range []bool{false, true} {
			name := a.name + ", stopped"
			if runs {
				name = a.name + ", running"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, superuser)
				if f.control().Version() < a.since*10000 {
					t.Logf("PostgreSQL %d has it, this one does not", a.since)
					return
				}
				f.sql(`CREATE TABLE other (id int)`)
				alter := func() {
					for sql := range strings.SplitSeq(strings.ReplaceAll(a.sql, "$pub", f.config.Publication), "; ") {
						if sql == "$event" {
							f.event("p-lost")
							continue
						}
						f.sql(sql)
					}
				}
				const words = "was taken out of publication"
				c, s, _ := f.open()
				if runs {
					if err := c.CheckPublication(t.Context()); err != nil {
						t.Fatal(err)
					}
					alter()
					for range 2 {
						err := c.CheckPublication(t.Context())
						if a.gap {
							mustGap(t, err, words, "--accept-gap")
						} else if err != nil {
							t.Error(err)
						}
					}
					f.close(s)
				} else {
					f.close(s)
					alter()
				}
				again := f.control()
				for range 2 {
					_, err := f.prepare(again)
					if a.gap {
						mustGap(t, err, words, "--accept-gap")
					} else if err != nil {
						t.Fatal(err)
					}
				}
				if !a.gap {
					return
				}
				if _, err := again.AcceptGap(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				c, s, _ = f.open()
				if err := c.CheckPublication(t.Context()); err != nil {
					t.Errorf("it was accepted: %v", err)
				}
				f.close(s)
			})
		}
	}
}

// TestEntries_two: a table that two rows put into the publication stays published
// while one of them is there, and the marker follows what comes and goes.
func TestEntries_two(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	c, s, _ := f.open()
	if c.Version() < 150000 {
		t.Log("PostgreSQL 15 has schemas in publications, this one does not")
		return
	}
	look := func() {
		t.Helper()
		if err := c.CheckPublication(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	f.sql(`ALTER PUBLICATION ` + f.config.Publication + ` ADD TABLES IN SCHEMA public`)
	look()
	f.sql(`ALTER PUBLICATION ` + f.config.Publication + ` DROP TABLE outbox`)
	look()
	f.sql(`ALTER PUBLICATION ` + f.config.Publication + ` ADD TABLE outbox`)
	look()
	f.sql(`ALTER PUBLICATION ` + f.config.Publication + ` DROP TABLES IN SCHEMA public`)
	look()
	f.close(s)
	if _, err := f.prepare(f.control()); err != nil {
		t.Fatal(err)
	}
}

// TestEntries_missing: a table that is out is no new one when it comes back, whatever
// the marker was written for meanwhile.
func TestEntries_missing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	c, s, _ := f.open()
	f.sql(`ALTER PUBLICATION ` + f.config.Publication + ` DROP TABLE outbox`)
	mustSetup(t, c.CheckPublication(t.Context()), "lacks table")
	if _, err := c.Confirmed(t.Context()); err != nil { // it holds the marker
		t.Fatal(err)
	}
	f.close(s)
	_, err := f.prepare(f.control())
	mustSetup(t, err, "lacks table")
	f.event("p-lost")
	f.sql(`ALTER PUBLICATION ` + f.config.Publication + ` ADD TABLE outbox`)
	_, err = f.prepare(f.control())
	mustGap(t, err, "was taken out of publication")
}

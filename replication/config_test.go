package replication

import (
	"strings"
	"testing"
)

func TestConfig_Validate(t *testing.T) {
	good := Config{ConnString: "postgres://u@h/d", Slot: "walrelay_1", Publication: "Pub", Tables: []Table{{"public", "outbox"}}}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := Config{ConnString: "postgres://u:secret@h:port/d", Slot: `x"; DROP`, Tables: []Table{{"", "outbox"}}, SenderTimeout: 1}
	err := bad.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, word := range []string{"slot", "publication", "outbox table", "sender timeout", "connection string"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the password shows: %v", err)
	}
}

func TestConfig_Target(t *testing.T) {
	c := Config{ConnString: "postgres://u:secret@db1:5433,db2/shop?sslmode=prefer"}
	if got, want := c.Target(), "u@db1:5433,db2:5432/shop"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfig_connections(t *testing.T) {
	c := Config{ConnString: "postgres://u@h/d?application_name=mine&statement_cache_capacity=7", Slot: "s", Instance: strings.Repeat("i", 80), Password: "p"}
	r, err := c.replicationConfig()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"replication": "database", "wal_sender_timeout": "9000", "bytea_output": "hex", "client_encoding": "UTF8",
		"application_name": "walrelay s " + strings.Repeat("i", 52),
	}
	for name, value := range want {
		if r.RuntimeParams[name] != value {
			t.Errorf("%s = %q, want %q", name, r.RuntimeParams[name], value)
		}
	}
	if _, there := r.RuntimeParams["statement_cache_capacity"]; there {
		t.Error("a setting of pgx goes to the server")
	}
	if r.Password != "p" || r.ValidateConnect == nil {
		t.Errorf("password %q, read-write asked for: %t", r.Password, r.ValidateConnect != nil)
	}
	c.ConnString += "&target_session_attrs=any"
	if r, err = c.replicationConfig(); err != nil || r.ValidateConnect != nil {
		t.Errorf("the user's target_session_attrs=any was overruled: %v", err)
	}
}

func TestTable_String(t *testing.T) {
	for want, table := range map[string]Table{
		`public.outbox`:     {"public", "outbox"},
		`"Shop".outbox_2`:   {"Shop", "outbox_2"},
		`public."order"`:    {"public", "order"},
		`public."a""b.c"`:   {"public", `a"b.c`},
		`public."2nd"`:      {"public", "2nd"},
		`"user"."Übergabe"`: {"user", "Übergabe"},
	} {
		if got := table.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	if got, want := quoteLiteral(`it's`), `'it''s'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := quoteLiteral(`a\b'`), ` E'a\\b'''`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := quotePluginValue(`"a\'b"`), `'"a\''b"'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

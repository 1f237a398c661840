package replication

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// judged is what a finding has to be.
type judged struct {
	level Level
	says  []string
}

func (j judged) compare(t *testing.T, name string, f Finding) {
	t.Helper()
	if f.Level != j.level {
		t.Errorf("%s: %s, want %s: %+v", name, f.Level, j.level, f)
	}
	if f.Level != OK && (f.Cause == "" || f.Remedy == "") {
		t.Errorf("%s: no cause or remedy: %+v", name, f)
	}
	all := strings.Join([]string{f.Detail, f.Cause, f.Remedy}, "\n")
	for _, w := range j.says {
		if !strings.Contains(all, w) {
			t.Errorf("%s: no %q in:\n%s", name, w, all)
		}
	}
}

// TestService: who runs the server, by its signs, and the words of its remedies.
func TestService(t *testing.T) {
	for _, test := range []struct {
		signs                   signs
		name                    string
		logical, set, replicate string
	}{
		{signs{}, "", "ALTER SYSTEM SET wal_level = logical;", "ALTER SYSTEM SET max_wal_senders = 20;", `ALTER ROLE "r" REPLICATION;`},
		{signs{hosts: []string{"db.example.com:5432"}}, "", "", "", ""},
		{signs{prefixes: []string{"rds"}, roles: []string{"rds_superuser"}}, "Amazon RDS", "rds.logical_replication = 1", "ParameterValue=20,ApplyMethod=pending-reboot", `GRANT rds_replication TO "r";`},
		{signs{hosts: []string{"x.c1.eu-west-1.rds.amazonaws.com:5432"}}, "Amazon RDS", "", "", ""},
		{signs{prefixes: []string{"rds"}, aurora: true}, "Amazon Aurora", "cluster parameter group", "modify-db-cluster-parameter-group", "rds_replication"},
		{signs{prefixes: []string{"cloudsql"}}, "Google Cloud SQL", "cloudsql.logical_decoding=on", "--database-flags=max_wal_senders=20", "WITH REPLICATION"},
		{signs{roles: []string{"cloudsqlsuperuser"}}, "Google Cloud SQL", "", "", ""},
		{signs{roles: []string{"alloydbsuperuser"}}, "Google AlloyDB", "alloydb.logical_decoding=on", "gcloud alloydb", ""},
		{signs{roles: []string{"azure_pg_admin"}}, "Azure Database for PostgreSQL", "--name wal_level --value logical", "flexible-server restart", "WITH REPLICATION"},
		{signs{hosts: []string{"shop.postgres.database.azure.com:5432"}}, "Azure Database for PostgreSQL", "", "", ""},
		{signs{roles: []string{"supabase_admin"}}, "Supabase", "", "postgres-config update", ""},
		{signs{hosts: []string{"aws-0-eu-west-1.pooler.supabase.com:6543"}}, "Supabase", "", "", ""},
		{signs{prefixes: []string{"neon"}}, "Neon", "Logical Replication, Enable", "ask its support", "Neon console"},
		{signs{hosts: []string{"ep-a-b.eu-central-1.aws.neon.tech:5432"}}, "Neon", "", "", ""},
		{signs{hosts: []string{"pg-1.a.aivencloud.com:12345"}}, "Aiven for PostgreSQL", "", "avn service update", ""},
		{signs{hosts: []string{"p.x.db.postgresbridge.com:5432"}}, "Crunchy Bridge", "cb config-param set", "cb restart", ""},
		{signs{roles: []string{"tsdbadmin"}}, "Timescale Cloud", "console", "console", ""},
		{signs{hosts: []string{"notrds.amazonaws.com.example.org:5432"}}, "", "", "", ""},
		{signs{prefixes: []string{"rds"}, roles: []string{"cloudsqlsuperuser"}}, "Amazon RDS", "", "", ""}, // a dump may bring roles
	} {
		s := test.signs.service()
		if s.name != test.name {
			t.Errorf("%+v: %q, want %q", test.signs, s.name, test.name)
			continue
		}
		for what, pair := range map[string][2]string{
			"logical": {s.logical, test.logical}, "replicate": {s.replicate(`"r"`), test.replicate},
			"set": {s.set(setting{name: "max_wal_senders", value: "20", restart: true}), test.set},
		} {
			if !strings.Contains(pair[0], pair[1]) || pair[0] == "" {
				t.Errorf("%s: %s: %q, want %q in it", s.name, what, pair[0], pair[1])
			}
		}
		if got := s.set(setting{name: "max_slot_wal_keep_size", value: "'50GB'", plain: "51200"}); s.name != "" && (strings.Contains(got, "GB") || strings.Contains(got, "ALTER SYSTEM")) {
			t.Errorf("%s: %s", s.name, got)
		}
	}
}

// TestService_pooled: the poolers of services are known by their addresses.
func TestService_pooled(t *testing.T) {
	for host, want := range map[string]string{
		"aws-0-eu-west-1.pooler.supabase.com:5432": "db.REF.supabase.co", "db.abc.supabase.co:6543": "db.REF.supabase.co", "db.abc.supabase.co:5432": "",
		"ep-a-pooler.eu-central-1.aws.neon.tech:5432": "connect to ep-a.eu-central-1.aws.neon.tech", "ep-a.eu-central-1.aws.neon.tech:5432": "",
	} {
		notes := signs{hosts: []string{host}}.service().notes
		i := slices.IndexFunc(notes, func(f Finding) bool { return f.Name == "pooler" && f.Level == Fail })
		if (i >= 0) != (want != "") || i >= 0 && !strings.Contains(notes[i].Remedy, want) {
			t.Errorf("%s: %+v", host, notes)
		}
	}
}

func TestJudge(t *testing.T) {
	k := &check{Control: &Control{}, service: ownServer}
	at := func(s float64) *float64 { return &s }
	left := func(n int64) *int64 { return &n }
	one := func(list []Finding) Finding {
		if len(list) != 1 {
			t.Fatalf("%d findings: %+v", len(list), list)
		}
		return list[0]
	}
	open := func(seconds *float64, age int64) []longTransaction {
		return []longTransaction{{PID: 7, User: "u", Application: "shop", Database: "d", State: "idle in transaction", Seconds: seconds, Age: age}}
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	until := func(d time.Duration) tls.ConnectionState {
		return tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{{NotAfter: now.Add(d)}}}
	}
	const day, gib = 24 * time.Hour, int64(1 << 30)
	for name, test := range map[string]struct {
		f Finding
		judged
	}{
		"utf8":             {encodingFinding("UTF8"), judged{OK, nil}},
		"latin1":           {encodingFinding("LATIN1"), judged{OK, []string{"converts"}}},
		"ascii":            {encodingFinding("SQL_ASCII"), judged{Warn, []string{"ENCODING 'UTF8'"}}},
		"same clock":       {clockFinding(time.Second, time.Millisecond), judged{OK, nil}},
		"slow line":        {clockFinding(3*time.Second, 3*time.Second), judged{OK, nil}},
		"clock ahead":      {clockFinding(9*time.Second, 0), judged{Warn, []string{"ahead of", "9s"}}},
		"clock behind":     {clockFinding(-9*time.Second, 0), judged{Warn, []string{"behind"}}},
		"plain here":       {plainFinding(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}), judged{OK, nil}},
		"plain socket":     {plainFinding(&net.UnixAddr{Name: "/tmp/.s"}), judged{OK, nil}},
		"plain there":      {plainFinding(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 5432}), judged{Warn, []string{"10.0.0.1:5432", "sslmode=verify-full"}}},
		"tls":              {tlsFinding(until(90*day), true, now), judged{OK, []string{"TLS 1.3", "2026-04-01"}}},
		"tls unverified":   {tlsFinding(until(90*day), false, now), judged{Warn, []string{"verify-full"}}},
		"tls ends":         {tlsFinding(until(3*day), true, now), judged{Warn, []string{"3 days", "renew"}}},
		"password ends":    {validUntilFinding(`"r"`, 3*day), judged{Warn, []string{"3 days"}}},
		"password lasts":   {validUntilFinding(`"r"`, 300*day), judged{OK, nil}},
		"no limit":         {k.limitFinding(-1, 0), judged{Warn, []string{"-1", "'50GB'"}}},
		"no limit, rate":   {k.limitFinding(-1, 200*gib), judged{Warn, []string{"200 GiB of WAL are written a day", "'200GB'"}}},
		"limit small":      {k.limitFinding(2*gib, 48*gib), judged{Warn, []string{"60 minutes", "SELECT pg_reload_conf();"}}},
		"limit good":       {k.limitFinding(100*gib, 50*gib), judged{OK, []string{"2 days"}}},
		"limit, no rate":   {k.limitFinding(gib, 0), judged{OK, []string{"1.0 GiB"}}},
		"used little":      {k.usedFinding(&SlotState{RetainedBytes: 40, SafeBytes: left(60)}), judged{OK, []string{"40 %"}}},
		"used half":        {k.usedFinding(&SlotState{RetainedBytes: 50, SafeBytes: left(50)}), judged{Warn, []string{"50 %", "when the rest"}}},
		"used up":          {k.usedFinding(&SlotState{RetainedBytes: 80, SafeBytes: left(20)}), judged{Warn, []string{"80 %", "nearly lost"}}},
		"beyond":           {k.usedFinding(&SlotState{RetainedBytes: 80, SafeBytes: left(-20)}), judged{Warn, []string{"100 %"}}},
		"no spill":         {k.spillFinding("64MB", 100, 0, 0), judged{OK, nil}},
		"rare spill":       {k.spillFinding("64MB", 100_000, 12, gib), judged{OK, []string{"12 were spilled", "1.0 GiB"}}},
		"spill":            {k.spillFinding("64MB", 100, 20, gib), judged{Warn, []string{"logical_decoding_work_mem = '256MB'"}}},
		"no other slot":    {one(besideFindings(nil)), judged{OK, []string{"none"}}},
		"busy slot":        {one(besideFindings([]slotBeside{{Name: "a", Type: "physical", Active: true, Retained: 9 * gib}})), judged{OK, []string{"9.0 GiB"}}},
		"forgotten slot":   {one(besideFindings([]slotBeside{{Name: "a'b", Type: "logical", Retained: 9 * gib}})), judged{Warn, []string{"holds back 9.0 GiB", "pg_drop_replication_slot('a''b')"}}},
		"old slot":         {one(besideFindings([]slotBeside{{Name: "a", Type: "logical", Age: 80_000_000}})), judged{Warn, []string{"80 million", "vacuum"}}},
		"lost slot":        {one(besideFindings([]slotBeside{{Name: "a", Type: "logical", Status: "lost"}})), judged{Warn, []string{"is lost"}}},
		"no transaction":   {one(longFindings(nil, false, "r")), judged{OK, []string{"10 minutes"}}},
		"short":            {one(longFindings(open(at(60), 5), false, "r")), judged{OK, nil}},
		"short, no slot":   {one(longFindings(open(at(60), 5), true, "r")), judged{Warn, []string{"first start waits", "60 seconds"}}},
		"long":             {one(longFindings(open(at(7200), 5), false, "r")), judged{Warn, []string{"process 7 (shop of u in d, idle in transaction)", "2 hours", "pg_terminate_backend(7)"}}},
		"hidden":           {one(longFindings(open(nil, 50_000), false, "r")), judged{Warn, []string{"GRANT pg_read_all_stats"}}},
		"hidden, young":    {one(longFindings(open(nil, 5), false, "r")), judged{OK, nil}},
		"not prepared":     {one(preparedFindings(nil, false)), judged{OK, nil}},
		"prepared":         {one(preparedFindings([]preparedTransaction{{"it's", "o", "d", 90_000}}, false)), judged{Warn, []string{"25 hours", "ROLLBACK PREPARED 'it''s';"}}},
		"prepared now":     {one(preparedFindings([]preparedTransaction{{"x", "o", "d", 60}}, true)), judged{Warn, []string{"without end"}}},
		"standby complete": {standbyState{sync: true, feedback: true, primarySlot: "s", slot: true, synced: true}.finding("x"), judged{OK, []string{"kept there"}}},
		"standby bare":     {standbyState{}.finding("x"), judged{Warn, []string{"sync_replication_slots is off", "hot_standby_feedback = on", "primary_slot_name", "on the standby:"}}},
		"standby, no db":   {standbyState{sync: true, feedback: true, primarySlot: "s", conninfo: new("host=a user=b")}.finding("x"), judged{Warn, []string{"dbname"}}},
		"standby, copying": {standbyState{sync: true, feedback: true, primarySlot: "s", conninfo: new("dbname=postgres host=a"), slot: true}.finding("x"), judged{Warn, []string{"not synchronised yet"}}},
		"standby, to come": {standbyState{sync: true, feedback: true, primarySlot: "s"}.finding("x"), judged{OK, []string{"not there yet"}}},
	} {
		test.compare(t, name, test.f)
	}
}

// TestJudge_hosts: several hosts, compared with one another.
func TestJudge_hosts(t *testing.T) {
	primary := hostState{address: "a:1", version: 170002, systemID: "1", timeline: 3}
	standby := hostState{address: "b:1", version: 170002, systemID: "1", timeline: 3, inRecovery: true}
	old := hostState{address: "c:1", version: 160002, systemID: "1", timeline: 2, inRecovery: true}
	for name, test := range map[string]struct {
		hosts []hostState
		which int
		judged
	}{
		"primary":     {[]hostState{primary, standby}, 0, judged{OK, []string{"primary, PostgreSQL 17.2, timeline 3"}}},
		"standby":     {[]hostState{primary, standby}, 1, judged{OK, []string{"standby"}}},
		"away":        {[]hostState{primary, {address: "b:1", err: errors.New("refused\n\tagain")}}, 1, judged{Warn, []string{"refused; again"}}},
		"other":       {[]hostState{primary, {address: "b:1", systemID: "2"}}, 1, judged{Fail, []string{"system 2", "a:1 to system 1"}}},
		"two writers": {[]hostState{primary, {address: "b:1", systemID: "1", timeline: 2}}, 1, judged{Fail, []string{"pg_rewind"}}},
	} {
		list := hostFindings(test.hosts)
		if len(list) != len(test.hosts) {
			t.Fatalf("%s: %+v", name, list)
		}
		test.compare(t, name, list[test.which])
	}
	if list := hostFindings([]hostState{primary}); list != nil {
		t.Errorf("one host: %+v", list)
	}
	c := Config{Slot: "s"}
	list := c.standbyFindings([]hostState{primary, standby, old})
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	judged{Warn, []string{"failover_slot is off", "ALTER_REPLICATION_SLOT"}}.compare(t, "off", list[0])
	judged{Warn, []string{"Patroni", "pg_failover_slots"}}.compare(t, "old", list[1])
}

// TestConnectionFinding: what servers and poolers say when they refuse.
func TestConnectionFinding(t *testing.T) {
	c := Config{ConnString: "postgres://relay@db:5432/shop", Slot: "s"}
	server := func(code, message string) error {
		return &pgconn.PgError{Severity: "FATAL", Code: code, Message: message}
	}
	for name, test := range map[string]struct {
		step string
		err  error
		judged
	}{
		"pgbouncer":          {"connection", server("08P01", "unsupported startup parameter: search_path"), judged{Fail, []string{"PgBouncer", `"search_path"`, "own host and port"}}},
		"pgbouncer 1.20":     {"replication connection", server("08P01", "unsupported startup parameter: replication"), judged{Fail, []string{`"replication"`, "1.23"}}},
		"supavisor":          {"connection", server("XX000", "Tenant or user not found"), judged{Fail, []string{"pooler"}}},
		"hba":                {"connection", server("28000", `no pg_hba.conf entry for host "10.0.0.1", user "relay", database "shop", no encryption`), judged{Fail, []string{"hostssl shop relay"}}},
		"hba of replication": {"replication connection", server("28000", `no pg_hba.conf entry for host "10.0.0.1"`), judged{Fail, []string{"replication=database matches the lines of the database"}}},
		"hba rejects":        {"connection", server("28000", "pg_hba.conf rejects connection for host"), judged{Fail, []string{"before the line that refuses"}}},
		"password":           {"connection", server("28P01", "password authentication failed"), judged{Fail, []string{"password"}}},
		"database":           {"connection", server("3D000", `database "shop" does not exist`), judged{Fail, []string{"create the database"}}},
		"connect":            {"connection", server("42501", "permission denied for database"), judged{Fail, []string{`GRANT CONNECT ON DATABASE "shop" TO "relay";`}}},
		"attribute":          {"replication connection", server("42501", "must be superuser or replication role to start walsender"), judged{Fail, []string{`ALTER ROLE "relay" REPLICATION;`}}},
		"full":               {"connection", server("53300", "sorry, too many clients already"), judged{Fail, []string{"max_connections"}}},
		"starting":           {"connection", server("57P03", "the database system is starting up"), judged{Fail, []string{"wait"}}},
		"standbys":           {"connection", pgconn.ErrReadOnlyConnection, judged{Fail, []string{"accepts writes", "primary"}}},
		"dns":                {"connection", &net.DNSError{Err: "no such host", Name: "db"}, judged{Fail, []string{"DNS"}}},
		"authority":          {"connection", x509.UnknownAuthorityError{}, judged{Fail, []string{"sslrootcert"}}},
		"other":              {"connection", errors.New("connection refused"), judged{Fail, []string{"listen_addresses"}}},
	} {
		f := c.connectionFinding(test.step, test.err)
		if f.Name != test.step {
			t.Errorf("%s: %s", name, f.Name)
		}
		test.compare(t, name, f)
	}
}

// TestOneLine: pgx's attempts on one line, without those that say nothing.
func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain",
		"failed to connect to `user=a database=b`:\n\t127.0.0.1:1 (127.0.0.1): tls error: server refused TLS connection\n\t127.0.0.1:1 (127.0.0.1): server error: FATAL: no": "127.0.0.1:1 (127.0.0.1): server error: FATAL: no",
		"failed to connect to `user=a database=b`: 127.0.0.1:1 (127.0.0.1): dial error: refused":                                                                             "127.0.0.1:1 (127.0.0.1): dial error: refused",
		"failed to connect to `user=a database=b`:\n\ta: tls error: server refused TLS connection":                                                                           "a: tls error: server refused TLS connection",
		"x\n\ty\n\ty": "x; y",
	} {
		if got := oneLine(errors.New(in)); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

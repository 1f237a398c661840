package replication_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/walrelay/walrelay/demo/postgres"
	"github.com/walrelay/walrelay/replication"
)

// withHosts is a connection string with other hosts.
func withHosts(t *testing.T, conn string, hosts ...string) string {
	t.Helper()
	u, err := url.Parse(conn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = strings.Join(hosts, ",")
	return u.String()
}

func hostOf(t *testing.T, conn string) string {
	t.Helper()
	u, err := url.Parse(conn)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// TestCheckConnection_refused: what keeps from connecting is said, and nothing else
// is looked at.
func TestCheckConnection_refused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.config.ConnString = withHosts(t, f.config.ConnString, "127.0.0.1:1")
	list := f.examine()
	if len(list) != 1 {
		t.Errorf("%+v", list)
	}
	says(t, f.finding(list, "connection", replication.Fail), "127.0.0.1:1", "listen_addresses")
}

// TestCheckConnection_hosts names a host that is away, one of another cluster and a
// standby.
func TestCheckConnection_hosts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	good := hostOf(t, f.config.ConnString)
	f.config.ConnString = withHosts(t, f.config.ConnString, good, "127.0.0.1:1")
	list := f.examine()
	says(t, f.finding(list, "host 127.0.0.1:1", replication.Warn), "take it out of postgres.url")
	says(t, f.finding(list, "host "+good, replication.OK), "primary")
	f.finding(list, "slot", replication.OK)

	other, err := postgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Remove() })
	root := f.connect(other.ConnString("postgres"))
	f.mustExec(root, "CREATE DATABASE "+f.config.Slot)
	elsewhere := hostOf(t, other.ConnString("postgres"))
	f.config.ConnString = withHosts(t, f.config.ConnString, good, elsewhere)
	says(t, f.finding(f.examine(), "host "+elsewhere, replication.Fail), "belongs to system", "one cluster")
}

// TestCheckConnection_standby looks at a real standby: alone, and as one of two hosts.
func TestCheckConnection_standby(t *testing.T) {
	t.Parallel()
	primary, err := postgres.Start(t.Context(), postgres.Options{Version: options.Version, Settings: map[string]string{"wal_level": "logical"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { primary.Remove() })
	f := newFixture(t, primary.ConnString("postgres"))
	dir := f.copyAsStandby(primary)
	standby, err := postgres.Start(t.Context(), postgres.Options{Version: options.Version, DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { standby.Remove() })
	a, b := hostOf(t, primary.ConnString("x")), hostOf(t, standby.ConnString("x"))
	f.config.ConnString = withHosts(t, f.config.ConnString, a, b)
	list := f.examine()
	says(t, f.finding(list, "host "+b, replication.OK), "standby")
	x := f.finding(list, "failover_slot on "+b, replication.Warn)
	if standby.Major() >= 17 {
		says(t, x, "failover_slot is off")
		f.config.FailoverSlot = true
		list = f.examine()
		says(t, f.finding(list, "failover_slot on "+b, replication.Warn), "sync_replication_slots is off", "hot_standby_feedback is off")
		says(t, f.finding(list, "failover_slot", replication.Warn), "hot_standby_feedback")
	} else {
		says(t, x, "does not keep logical slots")
		f.config.FailoverSlot = true
		f.finding(f.examine(), "failover_slot", replication.Fail)
	}
	f.config.ConnString = withHosts(t, f.config.ConnString, b)
	list = f.examine()
	says(t, f.finding(list, "connection", replication.Fail), "no host of postgres.url accepts writes")
	f.config.ConnString += "&target_session_attrs=any"
	list = f.examine()
	says(t, f.finding(list, "recovery", replication.Fail), "standby", "primary")
	f.finding(list, "slot", replication.Fail)
}

// copyAsStandby copies the cluster by the server's own backup functions into a folder
// that a standby can be started on.
func (f *fixture) copyAsStandby(primary *postgres.Server) string {
	f.t.Helper()
	dir := f.t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		f.t.Fatal(err)
	}
	for p := dir; p != "/" && p != os.TempDir(); p = filepath.Dir(p) { // the server's user has to get there
		_ = os.Chmod(p, 0o755)
	}
	start, stop := "pg_start_backup('x', true, false)", "pg_stop_backup(false)"
	if primary.Major() >= 15 {
		start, stop = "pg_backup_start('x', true)", "pg_backup_stop()"
	}
	f.ask("SELECT " + start + "::text")
	data := f.ask("SELECT current_setting('data_directory')")
	if out, err := exec.Command("cp", "-a", filepath.Dir(data)+"/.", dir).CombinedOutput(); err != nil {
		f.t.Fatalf("%v: %s", err, out)
	}
	label := f.ask("SELECT (" + stop + ").labelfile")
	copied := filepath.Join(dir, filepath.Base(data))
	if err := os.WriteFile(filepath.Join(copied, "backup_label"), []byte(label), 0o644); err != nil {
		f.t.Fatal(err)
	}
	conninfo := fmt.Sprintf("primary_conninfo = 'host=127.0.0.1 port=%d user=postgres'\n", primary.Port())
	auto, err := os.OpenFile(filepath.Join(copied, "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := auto.WriteString(conninfo); err != nil {
		f.t.Fatal(err)
	}
	auto.Close()
	signal := filepath.Join(copied, "standby.signal")
	if err := os.WriteFile(signal, nil, 0o644); err != nil {
		f.t.Fatal(err)
	}
	own := exec.Command("chown", "--reference="+copied, signal, filepath.Join(copied, "backup_label"))
	if out, err := own.CombinedOutput(); err != nil {
		f.t.Fatalf("%v: %s", err, out)
	}
	os.Remove(filepath.Join(copied, "postmaster.pid"))
	return dir
}

// TestCheckConnection_pooler stands between as poolers do: it makes the process id up.
func TestCheckConnection_pooler(t *testing.T) {
	t.Parallel()
	f := newFixture(t, superuser)
	f.config.ConnString = withHosts(t, f.config.ConnString, forge(t, hostOf(t, superuser)))
	says(t, f.finding(f.examine(), "pooler", replication.Warn), "PgBouncer", "own host and port")
}

// forge passes connections on and changes the BackendKeyData that the server sends.
func forge(t *testing.T, server string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				return
			}
			go func() { io.Copy(backend, client); backend.Close() }()
			go func() { defer client.Close(); forged(client, backend) }()
		}
	}()
	return l.Addr().String()
}

// forged copies messages until the connection ends; the key's process becomes another.
func forged(client io.Writer, server io.Reader) {
	for {
		var head [5]byte
		if _, err := io.ReadFull(server, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		if head[0] == 'K' {
			binary.BigEndian.PutUint32(body, 4_000_000_000)
		}
		if _, err := client.Write(append(head[:], body...)); err != nil {
			return
		}
	}
}

// TestCheckConnection_pgBouncer goes through a real one, as it comes and with the
// startup parameters let through.
func TestCheckConnection_pgBouncer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pgbouncer"); err != nil {
		t.Skip("NO PGBOUNCER HERE: the pooler that check has to recognise was not tried (apt-get install pgbouncer)")
	}
	f := newFixture(t, superuser)
	direct := f.config.ConnString
	f.config.ConnString = withHosts(t, direct, bouncer(t, direct, "pool_mode = session"))
	list := f.examine()
	says(t, f.finding(list, "connection", replication.Fail), "PgBouncer", "startup parameter", "own host and port", "answers")

	ignore := "ignore_startup_parameters = search_path,statement_timeout,extra_float_digits,options\n"
	for _, mode := range []string{"session", "transaction"} {
		f.config.ConnString = withHosts(t, direct, bouncer(t, direct, ignore+"pool_mode = "+mode)) + "&default_query_exec_mode=exec"
		list = f.examine()
		f.finding(list, "pooler", replication.Warn)
		says(t, f.finding(list, "replication connection", replication.Fail), "PgBouncer", "replication")
	}
}

// bouncer starts a PgBouncer before the server and returns its address. It does not
// run as root.
func bouncer(t *testing.T, conn, settings string) string {
	t.Helper()
	u, err := pgx.ParseConfig(conn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	dir := t.TempDir()
	ini := fmt.Sprintf("[databases]\n* = host=%s port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\nunix_socket_dir =\nauth_type = any\n%s\n", u.Host, u.Port, port, settings)
	ini = strings.Replace(ini, "* = host", "* = user=postgres host", 1)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(ini), 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("pgbouncer", file)
	if os.Getuid() == 0 {
		for p := dir; p != "/" && p != os.TempDir(); p = filepath.Dir(p) {
			_ = os.Chmod(p, 0o755)
		}
		command = exec.Command("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "pgbouncer", file)
	}
	var log strings.Builder
	command.Stderr = &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err == nil {
			conn.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatalf("PgBouncer does not answer: %v", err)
		}
		time.Sleep(10 * time.Millisecond) // nothing signals that it listens
	}
}

// TestCheckConnection_tls: encrypted is not yet verified.
func TestCheckConnection_tls(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Options{Version: options.Version, Settings: map[string]string{"wal_level": "logical"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Remove() })
	f := newFixture(t, server.ConnString("postgres"))
	bare := strings.TrimSuffix(f.config.ConnString, "?sslmode=disable")
	f.config.ConnString = bare + "?sslmode=require"
	says(t, f.finding(f.examine(), "connection", replication.Fail), "server refused TLS", "sslmode=disable")
	f.sql(`CREATE TEMPORARY TABLE pem (line text)`)
	for _, name := range []string{"server.crt", "server.key"} {
		pem, err := os.ReadFile("testdata/tls/" + name)
		if err != nil {
			t.Fatal(err)
		}
		f.sql(`TRUNCATE pem`)
		f.sql(`INSERT INTO pem SELECT * FROM unnest(string_to_array($1, chr(10)))`, strings.TrimSpace(string(pem)))
		f.sql(`COPY pem TO PROGRAM 'umask 077; cat > ` + name + `'`) // as the server's user, into the data directory
	}
	f.sql(`ALTER SYSTEM SET ssl = on`)
	f.sql(`SELECT pg_reload_conf()`)
	f.await(`SELECT setting FROM pg_settings WHERE name = 'ssl'`, "on")
	says(t, f.finding(f.examine(), "tls", replication.Warn), "TLS 1.3", "not verified", "sslmode=verify-full")
	f.config.ConnString = bare + "?sslmode=verify-full&sslrootcert=/etc/hostname"
	list := f.examine()
	if len(list) == 0 || list[len(list)-1].Level != replication.Fail {
		t.Errorf("with a root certificate that is none: %+v", list)
	}
}

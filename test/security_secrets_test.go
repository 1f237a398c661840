package test_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/test/harness"
)

// marked are texts that must not be seen anywhere, by what they are.
type marked map[string]string

// mark makes a text that is nowhere by chance.
func (m marked) mark(what string) string {
	m[what] = fmt.Sprintf("x%016x", rand.Uint64())
	return m[what]
}

// find says which of the texts are in the output, as they are or as HTTP and SASL
// carry them.
func (m marked) find(output string) (found []string) {
	for what, text := range m {
		forms := []string{text, strings.ToUpper(text), fmt.Sprintf("%x", text)}
		for shift := range 3 { // base64 of a text depends on where it begins
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("-", shift) + text))
			forms = append(forms, encoded[4:len(encoded)-4])
		}
		if containsAny(output, forms...) {
			found = append(found, what)
		}
	}
	return found
}

// search fails the test for each text that is in the output.
func (m marked) search(t *testing.T, where, output string) {
	t.Helper()
	if output == "" {
		t.Errorf("%s has no output: nothing is shown by this", where)
	}
	for _, what := range m.find(output) {
		t.Errorf("%s tells %s", where, what)
	}
}

// TestSecuritySecretsAreFound: the search finds a text in the forms that it has on its way.
func TestSecuritySecretsAreFound(t *testing.T) {
	secrets := make(marked)
	text := secrets.mark("it")
	for _, form := range []string{"a" + text + "b", basic("walrelay", text), basic("u", text+"more"), basic("us", text), fmt.Sprintf("%x", "\x00user\x00"+text)} {
		if secrets.find(form) == nil {
			t.Errorf("%q is not found", form)
		}
	}
	if found := secrets.find("nothing to see"); found != nil {
		t.Errorf("found %v in nothing", found)
	}
}

// TestSecuritySecrets: passwords, tokens, keys and payloads are in no log, page,
// metric, command and command line, also not when a start fails.
func TestSecuritySecrets(t *testing.T) {
	t.Parallel()
	s := openPG(t, harness.SecurePG(t), harness.ByPassword)
	secrets := make(marked)
	pgPassword, kafkaPassword := secrets.mark("PostgreSQL's password")+"/@ ö", secrets.mark("Kafka's password")+" 'ß\""
	token, password, payload := secrets.mark("the token"), secrets.mark("the password of the page"), secrets.mark("the payload")
	s.Exec(t, "ALTER ROLE "+s.role+" PASSWORD '"+pgPassword+"'")
	s.broker.User(t, s.Slot, kafkaPassword)
	s.broker.Allow(t, "User:"+s.Slot, documented(t, s.Prefix)...)
	s.topic(t, "small", "max.message.bytes", "600")
	s.Addr = withPassword(t, s.Addr, pgPassword)
	certificate, key := s.broker.Trusted.Files(t, harness.Identity{Name: "relay"})
	content, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	secrets["the certificate's key"] = strings.Split(string(content), "\n")[1]
	settings := append(sasl("scram-sha-512", s.Slot, kafkaPassword)[:2],
		"WALRELAY_KAFKA_SASL_PASSWORD_FILE="+harness.File(t, "sasl", []byte(kafkaPassword+"\n")),
		"WALRELAY_KAFKA_TLS_CA_FILE="+harness.File(t, "ca.pem", s.broker.Trusted.PEM),
		"WALRELAY_KAFKA_TLS_CERT_FILE="+certificate, "WALRELAY_KAFKA_TLS_KEY_FILE="+key,
		"WALRELAY_HTTP_PASSWORD="+password, "WALRELAY_HTTP_TOKEN_FILE="+harness.File(t, "token", []byte(token)),
		"WALRELAY_ON_POISON=skip", "WALRELAY_LOG_LEVEL=trace", brokers(s.broker.Listener(harness.ListenSASLTLS)))

	for _, format := range []string{"json", "console", "auto"} {
		s.tellNothing(t, secrets, format, token, append(settings, "WALRELAY_LOG_FORMAT="+format))
	}

	// With http.show_payloads it is there: the search can find.
	p := s.ready(t, append(settings, "WALRELAY_HTTP_SHOW_PAYLOADS=true")...)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 999, "name": "`+payload+`"}`)
	harness.Eventually(t, soon, "the payload is shown when that is wanted", func() bool { return strings.Contains(visit(t, p, "/status", token), payload) })
	if strings.Contains(visit(t, p, "/metrics", token)+p.Output(), payload) {
		t.Error("the payload is in more than the page")
	}
	stop(t, p)

	s.failingStarts(t, secrets, settings)
}

// tellNothing runs the relay with events of that payload, a poison one among them,
// and looks at all that it says.
func (s *pgShop) tellNothing(t *testing.T, secrets marked, format, token string, settings []string) {
	t.Helper()
	payload := secrets["the payload"]
	p := s.ready(t, settings...)
	s.Insert(t, s.Table, "order", "1", "Placed", `{"seq": 999, "name": "`+payload+`"}`)
	s.Insert(t, s.Table, "small", "1", "Placed", `{"seq": 999, "name": "`+strings.Repeat(payload, 99)+`"}`)
	s.drained(t)
	mustSay(t, p.WaitLog(t, soon, "Kafka can never take it").Text, s.Prefix+"small")
	for _, path := range []string{"/metrics", "/status", "/live", "/", "/readyz", "/healthz"} {
		secrets.search(t, path, visit(t, p, path, token))
		secrets.search(t, path+" without credentials", visit(t, p, path, ""))
		secrets.search(t, path+" with a wrong token", visit(t, p, path, "wrong"))
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID()))
	if err == nil { // elsewhere than on Linux there is none
		secrets.search(t, "the command line", string(line))
	}
	commands := [][]string{{"config"}, {"config", "-o", "json"}, {"check"}, {"check", "-o", "json"}, {"status"}, {"status", "-o", "json"}, {"init", "--print-sql"}}
	if format != "json" { // they print the same whatever the log's format
		commands = nil
	}
	for _, command := range commands {
		_, output := s.run(t, command, append(settings, "WALRELAY_HTTP_LISTEN="+p.Address)...)
		secrets.search(t, strings.Join(command, " "), output)
		if command[0] == "status" {
			mustSay(t, output, "streaming")
		}
	}
	stop(t, p)
	secrets.search(t, "the log as "+format, p.Output())
}

// failingStarts looks at what is said of each secret that is wrong.
func (s *pgShop) failingStarts(t *testing.T, secrets marked, settings []string) {
	t.Helper()
	right := s.Addr
	for _, test := range []struct {
		name string
		url  string
		env  []string
	}{
		{"wrong password in the URL", withPassword(t, right, secrets.mark("a wrong password")), nil},
		{"wrong password", right, []string{"WALRELAY_POSTGRES_PASSWORD=" + secrets.mark("a wrong setting")}},
		{"wrong SCRAM password", right, []string{"WALRELAY_KAFKA_SASL_PASSWORD=" + secrets.mark("a wrong SCRAM password")}},
		{"wrong PLAIN password", right, []string{"WALRELAY_KAFKA_SASL_PASSWORD=" + secrets.mark("a wrong PLAIN password"), "WALRELAY_KAFKA_SASL_MECHANISM=plain"}},
		{"SASL password with control characters", right, []string{"WALRELAY_KAFKA_SASL_PASSWORD=\a" + secrets.mark("a SASL password with control characters")}},
		{"no certificate in the key's place", right, []string{"WALRELAY_KAFKA_TLS_CERT_FILE=" + harness.File(t, "bad.pem", []byte(secrets.mark("a broken certificate")))}},
	} {
		s.Addr = test.url
		for _, command := range []string{"run", "check"} {
			env := slices.DeleteFunc(slices.Clone(settings), func(one string) bool {
				return strings.HasPrefix(one, "WALRELAY_KAFKA_SASL_PASSWORD_FILE=") && strings.Contains(strings.Join(test.env, " "), "SASL_PASSWORD=")
			})
			code, output := s.run(t, []string{command}, append(env, test.env...)...)
			if code != 3 {
				t.Errorf("%s, %s: exit code %d: %s", command, test.name, code, output)
			}
			secrets.search(t, command+" with a "+test.name, output)
		}
	}
	s.Addr = right
}

// withPassword replaces the password in a URL.
func withPassword(t *testing.T, address, password string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.UserPassword(parsed.User.Username(), password)
	return parsed.String()
}

// visit gets a page with a token, or without; of a stream the first seconds.
func visit(t *testing.T, p *harness.Process, path, token string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("get %s: %v", path, err)
	}
	defer response.Body.Close()
	var text strings.Builder
	fmt.Fprintln(&text, response.Status, response.Header)
	if response.Header.Get("Content-Type") != "text/event-stream" {
		if _, err := io.Copy(&text, response.Body); err != nil {
			t.Fatalf("get %s: %v", path, err)
		}
		return text.String()
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 16<<20)
	for seen := 0; seen < 2 && lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "event: status") {
			seen++
		}
	}
	return text.String()
}

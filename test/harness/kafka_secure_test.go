package harness

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
)

func TestListenersArePlanned(t *testing.T) {
	plan, err := planBroker(KafkaOptions{
		Listeners:  map[string]string{"B": "SSL", "A": "SASL_SSL"},
		Properties: map[string]string{"listener.name.b.ssl.keystore.key": "-----BEGIN-----\nx\\y\n-----END-----\n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if plan.listeners["A"] == plan.listeners["B"] || len(plan.ports) != 5 {
		t.Errorf("listeners %v, ports %v", plan.listeners, plan.ports)
	}
	file := plan.file("data")
	for _, want := range []string{
		",A://" + plan.listeners["A"], ",B://" + plan.listeners["B"], ",A:SASL_SSL,B:SSL\n",
		`listener.name.b.ssl.keystore.key=-----BEGIN-----\nx\\y\n-----END-----\n` + "\n",
	} {
		if !strings.Contains(file, want) {
			t.Errorf("no %q in\n%s", want, file)
		}
	}
}

func TestAuthority(t *testing.T) {
	both, err := authorities("One", "Two")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		who   Identity
		by    *Authority
		name  string
		valid bool
	}{
		{Identity{Name: "a", Hosts: []string{"127.0.0.1", "localhost"}}, both[0], "127.0.0.1", true},
		{Identity{Name: "a", Hosts: []string{"127.0.0.1", "localhost"}}, both[0], "localhost", true},
		{Identity{Name: "a", Hosts: []string{"localhost"}}, both[0], "127.0.0.1", false},
		{Identity{Name: "a", Hosts: []string{"localhost"}, Expired: true}, both[0], "localhost", false},
		{Identity{Name: "a", Hosts: []string{"localhost"}}, both[1], "localhost", false},
	} {
		certificate, key, err := test.by.Issue(test.who)
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(both[0].PEM)
		if _, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: test.name}); (err == nil) != test.valid {
			t.Errorf("%+v for %s: %v", test.who, test.name, err)
		}
	}
}

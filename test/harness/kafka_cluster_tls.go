package harness

import "testing"

// TLSKafka is a broker of this test's own behind a proxy, whose Brokers speak TLS with
// a certificate for 127.0.0.1 of the authority.
func TLSKafka(t testing.TB) (*Broker, *Authority) {
	t.Helper()
	authority, err := NewAuthority("Kafka")
	if err != nil {
		t.Fatal(err)
	}
	properties := map[string]string{"listener.security.protocol.map": "PLAINTEXT:SSL,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT"}
	secure := &SecureBroker{Trusted: authority}
	if err := secure.certify(properties, "PLAINTEXT", Identity{Name: "broker", Hosts: []string{"127.0.0.1"}}); err != nil {
		t.Fatal(err)
	}
	return PrivateKafka(t, KafkaOptions{Proxied: true, Properties: properties}), authority
}

package test_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/walrelay/walrelay/test/harness"
)

// TestCompression: every codec is readable by another client, and used.
func TestCompression(t *testing.T) {
	t.Parallel()
	for number, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			s := open(t, "order", "backlog")
			p := s.ready(t, "WALRELAY_KAFKA_COMPRESSION="+codec)
			// Small batches, large ones, and a record larger than a batch is meant to be.
			s.WriteBacklog(t, harness.Backlog{Table: s.Table, Events: 20_000, PerTransaction: 100, Aggregates: 100, Padding: 300})
			s.Run(t.Context(), t, harness.Workload{Table: s.Table, Transactions: 100, Padding: 10})
			s.Run(t.Context(), t, harness.Workload{Table: s.Table, Transactions: 4, MaxEvents: 1, Padding: 900_000})
			none(t, s.verify(t))
			used := make(map[uint8]int)
			for _, r := range s.Kafka.ReadAll(t, s.Topics...) {
				used[r.Attrs.CompressionType()]++
			}
			if used[uint8(number)] == 0 {
				t.Errorf("no record is compressed with %s: %v", codec, used)
			}
			stop(t, p)
		})
	}
}

// TestTLSAndSCRAM: certificates of an own authority and SCRAM-SHA-512, with the
// password from a file. The broker is a fake one, whose client side is real.
func TestTLSAndSCRAM(t *testing.T) {
	t.Parallel()
	const user, password, topic = "relay", "päss wörd", "secure.order"
	ca, certificate := authority(t)
	server := &tls.Config{Certificates: []tls.Certificate{certificate}}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.TLS(server), kfake.EnableSASL(),
		kfake.Superuser("SCRAM-SHA-512", user, password), kfake.SeedTopics(partitions, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := open(t)
	start := func(password string, more ...string) *harness.Process {
		t.Helper()
		options := s.options(append([]string{
			"WALRELAY_ROUTE_TOPIC=" + topic, "WALRELAY_KAFKA_BROKERS=" + cluster.ListenAddrs()[0],
			"WALRELAY_KAFKA_TLS_CA_FILE=" + file("ca.pem", ca),
			"WALRELAY_KAFKA_SASL_MECHANISM=scram-sha-512", "WALRELAY_KAFKA_SASL_USERNAME=" + user,
			"WALRELAY_KAFKA_SASL_PASSWORD_FILE=" + file("password", []byte(password+"\n")),
		}, more...)...)
		return harness.Relay(t, options)
	}
	p := start(password)
	p.WaitReady(t, soon)
	for i := range 10 {
		s.one(t, i)
	}
	s.drained(t)
	stop(t, p)

	events := s.Expected(t, "SELECT id::text, $1, aggregateid, (payload->>'seq')::bigint, payload::text FROM public.outbox", topic)
	verifier := harness.NewVerifier(events)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DialTLSConfig(&tls.Config{RootCAs: pool}),
		kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha512Mechanism()), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for verifier.Missing() > 0 && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(verifier.Observe)
	}
	if result := verifier.Result(); !result.OK() || result.Duplicates != 0 {
		t.Errorf("Kafka is not what was committed: %s", result)
	}

	// A wrong password, to which kfake answers by closing the connection, so that
	// the relay has to wait. It is never said.
	s.one(t, 10)
	p = start("wrong secret")
	waitReason(t, p, "kafka")
	stop(t, p)
	if containsAll(p.Output(), "wrong secret") {
		t.Error("it has told the password")
	}
	// A broker whose certificate is not trusted is for a human.
	other, _ := authority(t)
	p = start(password, "WALRELAY_KAFKA_TLS_CA_FILE="+file("other.pem", other))
	ended(t, p, 3)
	mustSay(t, p.Output(), "certificate")
}

// authority makes a certificate authority and a certificate of it for the
// loopback.
func authority(t *testing.T) (pemBytes []byte, server tls.Certificate) {
	t.Helper()
	caKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	caBytes, err1 := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	leafBytes, err2 := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caBytes}), tls.Certificate{Certificate: [][]byte{leafBytes}, PrivateKey: key}
}

package sink_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/sink"
)

// certificate makes a self-signed certificate for 127.0.0.1 and its pool.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func mechanism(t *testing.T, user, password string) sasl.Mechanism {
	t.Helper()
	m, err := scram.Mechanism(scram.SHA256, user, password)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What a human has to mend ends the producer and says what it is; what may pass
// is waited for, with a hint.
func TestRefusal(t *testing.T) {
	cert, pool := certificate(t)
	_, other := certificate(t)
	overTLS := kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}})
	mutual := kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert})
	withSASL := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "right"), kfake.Superuser("SCRAM-SHA-256", "u", "right")}
	// Where kfake only closes the connection, Kafka answers before.
	const handshake, authenticate = int16(kmsg.SASLHandshake), int16(kmsg.SASLAuthenticate)
	for name, c := range map[string]struct {
		broker []kfake.Opt
		cfg    sink.Config
		advice string // of the refusal
		hint   string // of the wait
		answer map[int16]int16
	}{
		"TLS":                     {[]kfake.Opt{overTLS}, sink.Config{TLS: &tls.Config{RootCAs: pool}}, "", "", nil},
		"unknown CA":              {[]kfake.Opt{overTLS}, sink.Config{TLS: &tls.Config{RootCAs: other}}, "kafka.tls.ca_file", "", nil},
		"wrong host name":         {[]kfake.Opt{overTLS}, sink.Config{TLS: &tls.Config{RootCAs: pool, ServerName: "elsewhere"}}, "kafka.tls.server_name", "", nil},
		"no client certificate":   {[]kfake.Opt{mutual}, sink.Config{TLS: &tls.Config{RootCAs: pool}}, "kafka.tls.cert_file", "", nil},
		"plain text to TLS":       {[]kfake.Opt{overTLS}, sink.Config{}, "", "expects TLS", nil},
		"SCRAM":                   {withSASL, sink.Config{SASL: mechanism(t, "u", "right")}, "", "", nil},
		"PLAIN, wrong password":   {withSASL, sink.Config{SASL: plain.Mechanism{Username: "u", Password: "wrong"}}, "kafka.sasl.password", "", map[int16]int16{authenticate: 58}},
		"SCRAM, wrong password":   {withSASL, sink.Config{SASL: mechanism(t, "u", "wrong")}, "kafka.sasl.password", "", map[int16]int16{authenticate: 58}},
		"SASL, connection closed": {withSASL, sink.Config{SASL: mechanism(t, "u", "wrong")}, "", "refuses what kafka.sasl says", nil},
		"mechanism not offered":   {withSASL, sink.Config{SASL: scram512(t)}, "kafka.sasl.mechanism", "", map[int16]int16{handshake: 33}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := fake(t, c.broker...)
			for key, code := range c.answer {
				b.ControlKey(key, func(r kmsg.Request) (kmsg.Response, error, bool) {
					b.KeepControl()
					switch res := r.ResponseKind().(type) {
					case *kmsg.SASLHandshakeResponse:
						res.ErrorCode = code
						return res, nil, true
					case *kmsg.SASLAuthenticateResponse:
						res.ErrorCode = code
						return res, nil, true
					}
					return nil, nil, false
				})
			}
			c.cfg.Brokers = b.ListenAddrs()
			o := start(t, c.cfg)
			o.p.Learn("orders")
			switch {
			case c.hint != "":
				o.waitsFor("kafka", c.hint)
			case c.advice != "":
				select {
				case err := <-o.ended:
					o.ended <- err
					var r *sink.RefusedError
					if !errors.As(err, &r) || !strings.Contains(r.Advice, c.advice) {
						t.Errorf("ended with %v", err)
					}
				case <-time.After(20 * time.Second):
					t.Errorf("goes on: %v", o.p.Stats().Waits)
				}
			default:
				o.load(10)
				o.flush()
			}
		})
	}
}

func scram512(t *testing.T) sasl.Mechanism {
	t.Helper()
	m, err := scram.Mechanism(scram.SHA512, "u", "right")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A Kafka listener without TLS closes the connection on a TLS greeting: the first
// bytes are no request size.
func TestRefusal_TLSToPlainText(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1024))
			_ = c.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); served.Wait() })
	o := start(t, sink.Config{Brokers: []string{l.Addr().String()}, TLS: &tls.Config{}})
	o.p.Learn("orders")
	o.waitsFor("kafka", "does not speak TLS")
}

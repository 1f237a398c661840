package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a certificate authority of the tests. Its certificates are for
// servers and clients alike.
type Authority struct {
	// PEM is its own certificate.
	PEM []byte

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Identity is what a certificate says of its owner.
type Identity struct {
	Name    string   // the common name
	Hosts   []string // IP addresses and DNS names
	Expired bool     // an hour ago
}

// NewAuthority makes an authority of that name, good for a day.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &Authority{key: key, certificate: &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	if a.PEM, err = a.sign(a.certificate, key); err != nil {
		return nil, err
	}
	block, _ := pem.Decode(a.PEM)
	a.certificate, err = x509.ParseCertificate(block.Bytes)
	return a, err
}

// sign signs a certificate with the authority's own one and returns it as PEM.
func (a *Authority) sign(certificate *x509.Certificate, key *ecdsa.PrivateKey) ([]byte, error) {
	var err error
	if certificate.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, a.certificate, key.Public(), a.key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

// Issue makes a certificate and its key, both PEM, the key as PKCS #8.
func (a *Authority) Issue(who Identity) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: who.Name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(12 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if who.Expired {
		template.NotAfter = time.Now().Add(-time.Hour)
	}
	for _, host := range who.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	certificate, err1 := a.sign(template, private)
	der, err2 := x509.MarshalPKCS8PrivateKey(private)
	return certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), errors.Join(err1, err2)
}

// Files issues a certificate into two files of the test's own.
func (a *Authority) Files(t testing.TB, who Identity) (certificate, key string) {
	t.Helper()
	chain, private, err := a.Issue(who)
	if err != nil {
		t.Fatalf("issue a certificate: %v", err)
	}
	return File(t, who.Name+".crt", chain), File(t, who.Name+".key", private)
}

// File writes a file that only this user may read, in a folder of its own, and
// returns its path.
func File(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// authorities makes several at once.
func authorities(names ...string) ([]*Authority, error) {
	made := make([]*Authority, len(names))
	for i, name := range names {
		var err error
		if made[i], err = NewAuthority(name); err != nil {
			return nil, fmt.Errorf("make a certificate authority: %w", err)
		}
	}
	return made, nil
}

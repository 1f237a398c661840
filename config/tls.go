package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Config returns the settings for crypto/tls, nil when TLS is off. The files are
// read at each call, so a renewed certificate counts at the next start. Errors
// name the file; Load has seen to it that there are none unless a file changed.
func (t TLS) Config() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	c := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify,
	}
	if t.CAFile != "" {
		pool, err := readCA(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.ca_file: %w", err)
		}
		c.RootCAs = pool
	}
	if t.CertFile != "" && t.KeyFile != "" {
		pair, err := readPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.cert_file, kafka.tls.key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func readCA(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s has no PEM certificate: want -----BEGIN CERTIFICATE-----", path)
	}
	return pool, nil
}

// readPair reads a client certificate. crypto/tls says what is wrong with a key
// without quoting it.
func readPair(certPath, keyPath string) (tls.Certificate, error) {
	cert, err := os.ReadFile(certPath)
	if err != nil {
		return tls.Certificate{}, fileError(certPath, err)
	}
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return tls.Certificate{}, fileError(keyPath, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s and %s are no certificate with its key: %w", certPath, keyPath, err)
	}
	return pair, nil
}

// checkTLS reads every file once, so that each bad one is reported.
func (l *loader) checkTLS() {
	c, t := l.c, &l.c.Kafka.TLS
	const ca, cert, key = "kafka.tls.ca_file", "kafka.tls.cert_file", "kafka.tls.key_file"
	if !t.Enabled {
		return
	}
	if t.CAFile != "" {
		if _, err := readCA(t.CAFile); err != nil {
			l.problem(c.origins[ca], ca, "%s", err)
		}
	}
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		l.problem(c.origins[cert], key, "required with cert_file")
	case t.CertFile == "" && t.KeyFile != "":
		l.problem(c.origins[key], cert, "required with key_file")
	case t.CertFile != "":
		if err := l.pairProblem(cert, key); err != nil {
			l.problem(c.origins[cert], cert, "%s", err)
		}
	}
	if t.InsecureSkipVerify {
		c.Warnings = append(c.Warnings, "kafka.tls.insecure_skip_verify trusts any certificate: set ca_file instead")
	}
}

// pairProblem reports files that cannot be read under their own keys and returns
// what is wrong with the pair.
func (l *loader) pairProblem(cert, key string) error {
	missing := false
	for _, k := range []string{cert, key} {
		path := *byKey[k].at(l.c, 0).(*string)
		f, err := os.Open(path)
		if err != nil {
			l.problem(l.c.origins[k], k, "%s", fileError(path, err))
			missing = true
			continue
		}
		_ = f.Close() // opened for reading: nothing to lose
	}
	if missing {
		return nil
	}
	_, err := readPair(l.c.Kafka.TLS.CertFile, l.c.Kafka.TLS.KeyFile)
	return err
}

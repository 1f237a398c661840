package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/config"
)

// TestLoad_openDoor: beyond the loopback the pages need a password, a token or an
// explicit word.
func TestLoad_openDoor(t *testing.T) {
	quietDir(t)
	base := []string{"WALRELAY_POSTGRES_URL=postgres://db/y", "WALRELAY_KAFKA_BROKERS=z:1"}
	for _, c := range []struct {
		env  string
		want string // a part of the problem, "" for none
	}{
		{"WALRELAY_HTTP_LISTEN=:9187", "more than the loopback"},
		{"WALRELAY_HTTP_LISTEN=0.0.0.0:9187", "more than the loopback"},
		{"WALRELAY_HTTP_LISTEN=[::]:9187", "more than the loopback"},
		{"WALRELAY_HTTP_LISTEN=10.1.2.3:9187", "more than the loopback"},
		{"WALRELAY_HTTP_LISTEN=relay.example:9187", "more than the loopback"},
		{"WALRELAY_HTTP_LISTEN=:9187 WALRELAY_HTTP_PASSWORD=x", ""},
		{"WALRELAY_HTTP_LISTEN=:9187 WALRELAY_HTTP_TOKEN=x", ""},
		{"WALRELAY_HTTP_LISTEN=:9187 WALRELAY_HTTP_ALLOW_ANONYMOUS=true", ""},
		{"WALRELAY_HTTP_LISTEN=127.0.0.2:9187", ""},
		{"WALRELAY_HTTP_LISTEN=[::1]:9187", ""},
		{"WALRELAY_HTTP_LISTEN=localhost:9187", ""},
		{"WALRELAY_HTTP_LISTEN=", ""},
		{"WALRELAY_HTTP_USERNAME=me", "required with username"},
	} {
		_, err := config.Load(config.Options{Env: append(base, strings.Fields(c.env)...)})
		var problems *config.Error
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.env, err)
		case c.want != "" && (!errors.As(err, &problems) || len(problems.Problems) != 1 || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: want one problem with %q, got %v", c.env, c.want, err)
		}
	}
}

// TestLoad_only: who needs the http keys alone is not kept from them by others.
func TestLoad_only(t *testing.T) {
	quietDir(t)
	c, err := config.Load(config.Options{Only: "http.", Env: []string{"WALRELAY_KAFKA_SASL_PASSWORD_FILE=/nowhere", "WALRELAY_POSTGRES_SLOT=No!", "WALRELAY_HTTP_TOKEN=x"}})
	if err != nil || c.HTTP.Token != "x" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := config.Load(config.Options{Only: "http.", Env: []string{"WALRELAY_HTTP_LISTEN=nonsense"}}); err == nil {
		t.Error("a problem of its own is passed over")
	}
}

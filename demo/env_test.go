package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestShopOptionsFromEnv(t *testing.T) {
	got, err := ShopOptionsFromEnv(lookup(map[string]string{
		"WALRELAY_POSTGRES_URL": "postgres://db/shop", "WALRELAY_DEMO_RATE": "70", "WALRELAY_DEMO_TILLS": "2", "WALRELAY_DEMO_FOR": "90s",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := ShopOptions{Postgres: "postgres://db/shop", Rate: 70, Tills: 2, For: 90 * time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestShopOptionsFromEnv_allProblemsAtOnce(t *testing.T) {
	_, err := ShopOptionsFromEnv(lookup(map[string]string{"WALRELAY_DEMO_RATE": "many", "WALRELAY_DEMO_TILLS": "0", "WALRELAY_DEMO_FOR": "-1s"}))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"WALRELAY_DEMO_RATE", "WALRELAY_DEMO_TILLS", "WALRELAY_DEMO_FOR"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}
}

func TestConsumerOptionsFromEnv(t *testing.T) {
	got, err := ConsumerOptionsFromEnv(lookup(map[string]string{
		"WALRELAY_KAFKA_BROKERS": "a:9092, b:9092", "WALRELAY_DEMO_TOPICS": "x", "WALRELAY_DEMO_GROUP": "g",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := ConsumerOptions{Kafka: []string{"a:9092", "b:9092"}, Topics: []string{"x"}, Group: "g"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

package demo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Environment variables of RunShop and RunConsumer. The first two are those of
// `walrelay run`, so that one environment serves all three.
const (
	envPostgres = "WALRELAY_POSTGRES_URL"  // connection string; without it PG* variables
	envKafka    = "WALRELAY_KAFKA_BROKERS" // host:port, several with commas
	envRate     = "WALRELAY_DEMO_RATE"     // orders a second
	envTills    = "WALRELAY_DEMO_TILLS"    // concurrent connections of the shop
	envFor      = "WALRELAY_DEMO_FOR"      // how long the shop is open: 30s, 5m
	envTopics   = "WALRELAY_DEMO_TOPICS"   // topics to consume, with commas
	envGroup    = "WALRELAY_DEMO_GROUP"    // consumer group
)

// ShopOptionsFromEnv reads the options of RunShop from the environment (lookup
// is os.LookupEnv): WALRELAY_POSTGRES_URL, WALRELAY_DEMO_RATE,
// WALRELAY_DEMO_TILLS, WALRELAY_DEMO_FOR. What is not set has its default. The
// error names every variable that can't be understood.
func ShopOptionsFromEnv(lookup func(string) (string, bool)) (ShopOptions, error) {
	e := environment{lookup: lookup}
	o := ShopOptions{
		Postgres: e.text(envPostgres),
		Rate:     e.count(envRate),
		Tills:    e.count(envTills),
		For:      e.duration(envFor),
	}
	return o, e.err
}

// ConsumerOptionsFromEnv reads the options of RunConsumer from the environment
// (lookup is os.LookupEnv): WALRELAY_POSTGRES_URL, WALRELAY_KAFKA_BROKERS,
// WALRELAY_DEMO_TOPICS, WALRELAY_DEMO_GROUP. What is not set has its default.
func ConsumerOptionsFromEnv(lookup func(string) (string, bool)) (ConsumerOptions, error) {
	e := environment{lookup: lookup}
	o := ConsumerOptions{
		Postgres: e.text(envPostgres),
		Kafka:    e.list(envKafka),
		Topics:   e.list(envTopics),
		Group:    e.text(envGroup),
	}
	return o, e.err
}

// environment reads variables and gathers what is wrong with them. An empty
// variable counts as not set.
type environment struct {
	lookup func(string) (string, bool)
	err    error
}

func (e *environment) text(name string) string {
	value, _ := e.lookup(name)
	return value
}

func (e *environment) list(name string) []string {
	var list []string
	for word := range strings.SplitSeq(e.text(name), ",") {
		if word = strings.TrimSpace(word); word != "" {
			list = append(list, word)
		}
	}
	return list
}

func (e *environment) count(name string) int {
	value := e.text(name)
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n <= 0 {
		e.err = errors.Join(e.err, fmt.Errorf("%s=%q: must be a whole number above 0", name, value))
	}
	return n
}

func (e *environment) duration(name string) time.Duration {
	value := e.text(name)
	if value == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		e.err = errors.Join(e.err, fmt.Errorf("%s=%q: must be a duration like 30s or 5m", name, value))
	}
	return d
}

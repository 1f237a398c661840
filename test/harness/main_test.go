package harness

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(programVariable); role != "" {
		program(role)
	}
	Main(m)
}

func TestSummaryNamesWhatDidNotRun(t *testing.T) {
	var s session
	s.used("Kafka: kfake")
	s.used("Kafka: kfake")
	s.warn("NO REAL KAFKA")
	s.skipped = append(s.skipped, "TestStop: no Kafka to break")
	text := s.summary()
	for _, want := range []string{"    Kafka: kfake\n", "!!! NO REAL KAFKA\n", "!!! SKIPPED TestStop: no Kafka to break\n", "race detector: "} {
		if strings.Count(text, want) != 1 {
			t.Errorf("the summary has not once %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "skipped: nothing") {
		t.Errorf("the summary denies a skip:\n%s", text)
	}
}

func TestCleanupsRunInReverse(t *testing.T) {
	var s session
	var order []int
	for i := range 3 {
		s.atEnd(func() error { order = append(order, i); return fmt.Errorf("cleanup %d", i) })
	}
	if err := s.close(); err == nil || !strings.Contains(err.Error(), "cleanup 1") {
		t.Errorf("the errors are %v", err)
	}
	if fmt.Sprint(order) != "[2 1 0]" {
		t.Errorf("order %v", order)
	}
}

func TestRequired(t *testing.T) {
	for _, c := range []struct {
		require, ci string
		want        bool
	}{{"", "", false}, {"1", "", true}, {"", "true", true}, {"0", "", false}} {
		t.Setenv("WALRELAY_TEST_REQUIRE", c.require)
		t.Setenv("CI", c.ci)
		if Required() != c.want {
			t.Errorf("%+v", c)
		}
	}
}

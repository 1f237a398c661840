package test_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

// TestStartWithoutServers: a side that is not there yet is waited for, and named.
func TestStartWithoutServers(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	p := s.start(t, "WALRELAY_KAFKA_BROKERS=127.0.0.1:1")
	waitReason(t, p, "kafka", "127.0.0.1:1")
	stop(t, p)

	proxy := harness.NewProxy(t, s.Target(t))
	proxy.Cut()
	s.Addr = s.ConnStringVia(t, proxy)
	p = s.start(t)
	waitReason(t, p, "postgres")
	s.one(t, 1) // after the first start's slot
	proxy.Heal()
	p.WaitReady(t, soon)
	s.expect(t, 1)
	stop(t, p)
}

// TestSeveralHosts: of several hosts the one that answers is taken.
func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	address, err := url.Parse(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	address.Host = "127.0.0.1:1," + address.Host
	s.Addr = address.String()
	p := s.ready(t)
	s.one(t, 1)
	s.expect(t, 1)
	stop(t, p)
}

// TestNoAccess: what waiting does not mend ends with code 3.
func TestNoAccess(t *testing.T) {
	t.Parallel()
	s := open(t, "order")
	superuser := s.Addr
	for name, address := range map[string]string{
		"nobody_here": as(t, superuser, "nobody_here"),
		"nowhere":     strings.Replace(superuser, "/"+s.Name, "/nowhere", 1),
	} {
		t.Run(name, func(t *testing.T) {
			s.Addr = address
			p := s.start(t)
			ended(t, p, 3)
			if line, ok := p.Logged("relay ended"); !ok || !strings.Contains(line.Text, name) {
				t.Errorf("it does not name what is wrong: %s", line.Text)
			}
		})
	}
}

// TestLargeRecords: records larger than all that may be in flight go one by one.
func TestLargeRecords(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.topic(t, "order", "max.message.bytes", itoa(20<<20))
	options := s.options("WALRELAY_LIMITS_IN_FLIGHT_BYTES=1MiB")
	options.Program = plainProgram(t)
	p := harness.Relay(t, options)
	p.WaitReady(t, soon)
	for i := range 12 {
		s.Insert(t, s.Table, "order", itoa(i%3), "Placed", fmt.Sprintf(`{"seq": %d, "pad": %q}`, i, strings.Repeat("x", []int{10, 5 << 20, 500 << 10}[i%3])))
	}
	none(t, s.verify(t))
	s.drained(t)
	t.Logf("peak memory %.1f MiB", float64(peakMemory(t, p))/(1<<20))
	stop(t, p)
}

package telemetry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Spill are the counters that PostgreSQL keeps of a slot's decoding: transactions
// larger than logical_decoding_work_mem go through its disk, which makes their
// delivery slow. The server counts; Set takes over what it says.
type Spill struct{ transactions, times, bytes *serverCounter }

func newSpill() Spill {
	return Spill{
		newServerCounter("slot_spilled_transactions_total", "Transactions that decoding spilled to the server's disk, as PostgreSQL counts them (pg_stat_replication_slots)."),
		newServerCounter("slot_spills_total", "Times that decoding spilled a transaction to the server's disk, as PostgreSQL counts them."),
		newServerCounter("slot_spilled_bytes_total", "Bytes that decoding spilled to the server's disk, as PostgreSQL counts them."),
	}
}

// Set takes over the server's figures.
func (s Spill) Set(transactions, times, bytes int64) {
	s.transactions.value.Store(transactions)
	s.times.value.Store(times)
	s.bytes.value.Store(bytes)
}

// serverCounter is a counter that is kept elsewhere: it goes back when the server's
// statistics are reset.
type serverCounter struct {
	desc  *prometheus.Desc
	value atomic.Int64
}

func newServerCounter(name, help string) *serverCounter {
	return &serverCounter{desc: prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, nil, nil)}
}

// Describe is prometheus.Collector.
func (c *serverCounter) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

// Collect is prometheus.Collector.
func (c *serverCounter) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(c.value.Load()))
}

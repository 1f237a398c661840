package sink

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"

	"github.com/walrelay/walrelay/internal/failpoint"
)

// nowhere is the lane of partitions without a leader. It never sends.
const nowhere = int32(-1)

// lane carries the batches of one broker's partitions: one request in flight,
// many partitions a request. That kafka.Transport would open a second connection
// for a second request, and so lose the order between the two, is why there is
// never a second one.
type lane struct {
	p      *Producer
	broker int32
	token  chan struct{} // wakes run
	codec  *compressor   // run's own
	delay  *backoff.ExponentialBackOff

	// Guarded by Producer.mu.
	addr      net.Addr // where the broker listens
	parts     []*partition
	turn      int       // where collect starts, so that no partition starves
	pending   int       // bytes that wait to be taken
	since     time.Time // when pending left zero
	newest    int64     // commit time of the last record, µs since 1970
	lingering bool      // run lets the batch grow: only a good size or hurry wakes it
	hurried   bool
	arrived   int // records since observed
	observed  time.Time
	rate      float64 // records a second, smoothed over the last milliseconds
}

func (p *Producer) newLane(broker int32) *lane {
	codec, _ := newCompressor(p.cfg.Compression) // checked by New
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval, delay.MaxInterval = 10*time.Millisecond, time.Second
	return &lane{p: p, broker: broker, token: make(chan struct{}, 1), codec: codec, delay: delay}
}

// laneOf gives the lane to a broker. Under Producer.mu.
func (p *Producer) laneOf(broker int32) *lane {
	l := p.lanes[broker]
	if l == nil {
		l = p.newLane(broker)
		p.lanes[broker] = l
		if broker != nowhere && p.started != nil {
			p.started(l)
		}
	}
	return l
}

// leave takes a partition out of the lane. Under Producer.mu.
func (l *lane) leave(part *partition) {
	if i := slices.Index(l.parts, part); i >= 0 {
		l.parts = slices.Delete(l.parts, i, i+1)
	}
}

// wake makes run look for work. Under Producer.mu.
func (l *lane) wake() {
	if l.lingering && !l.hurried && l.pending < goodSize {
		return
	}
	select {
	case l.token <- struct{}{}:
	default:
	}
}

// added notes that a record of size bytes waits. Under Producer.mu.
func (l *lane) added(size int, committed int64) {
	if l.pending == 0 {
		l.since = time.Now()
	}
	l.pending += size
	l.newest = committed
	l.arrived++
	if l.pending >= goodSize {
		l.wake()
	}
}

// run sends until ctx ends or the producer has failed.
func (l *lane) run(ctx context.Context) {
	if l.broker == nowhere {
		return
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.token:
		case <-timer.C:
		}
		for ctx.Err() == nil {
			if l.p.Err() != nil {
				return
			}
			l.gather(ctx, timer)
			parcels, again := l.collect()
			if len(parcels) == 0 {
				timer.Reset(again)
				break
			}
			l.exchange(ctx, parcels)
		}
	}
}

// gather lets the batches grow while events come fast: until there is a good
// size or the lane's patience is over. When fewer than a couple of events are to
// be expected in that time it returns at once.
func (l *lane) gather(ctx context.Context, timer *time.Timer) {
	l.p.mu.Lock()
	now := time.Now()
	l.observe(now)
	rest := l.patience(now) - now.Sub(l.since)
	if l.pending == 0 || l.pending >= goodSize || l.hurried || rest <= 0 || l.rate*linger.Seconds() < sparse {
		l.p.mu.Unlock()
		return
	}
	l.lingering = true
	l.drainToken()
	l.p.mu.Unlock()
	timer.Reset(rest)
	select {
	case <-ctx.Done():
	case <-l.token:
	case <-timer.C:
	}
	l.p.mu.Lock()
	l.lingering = false
	l.p.mu.Unlock()
}

// patience is how long a batch may grow: linger, or a tenth of what the events
// are late already. In a backlog that makes a few large requests of many small
// ones, at a delay that nobody notices there.
func (l *lane) patience(now time.Time) time.Duration {
	late := now.Sub(time.UnixMicro(l.newest))
	return min(max(linger, late/10), lingerLate)
}

func (l *lane) drainToken() {
	select {
	case <-l.token:
	default:
	}
}

// observe brings the arrival rate up to date: an exponential average over about
// ten milliseconds.
func (l *lane) observe(now time.Time) {
	const memory = 10 * time.Millisecond
	dt := now.Sub(l.observed)
	if dt <= 0 {
		return
	}
	keep := math.Exp(-float64(dt) / float64(memory))
	l.rate = l.rate*keep + float64(l.arrived)/dt.Seconds()*(1-keep)
	l.arrived, l.observed = 0, now
}

// parcel is one partition's batch in a request.
type parcel struct {
	part     *partition
	batch    *batch
	sequence int32
	producer producerID
	name     string // transactional id
	bytes    *wireReader
}

// collect takes the batches of the next request. Without any it says when to
// look again.
func (l *lane) collect() (parcels []parcel, again time.Duration) {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	again = time.Hour
	if p.fatal != nil {
		return nil, 0 // at once: run sees it and ends
	}
	if !p.session.ready && !p.session.wanted {
		return nil, again
	}
	now, total := time.Now(), 0
	for i := range l.parts {
		part := l.parts[(l.turn+i)%len(l.parts)]
		b := part.next(now, p.session.bump || p.session.wanted)
		if b != nil && !p.admits(part, b) {
			continue
		}
		if b == nil {
			if !part.inFlight && part.hasWork() && now.Before(part.retryAt) {
				again = min(again, part.retryAt.Sub(now))
			}
			continue
		}
		if total > 0 && total+len(b.slab) > maxRequest {
			l.turn += i
			break
		}
		parcels = append(parcels, l.pack(part))
		total += len(b.slab)
	}
	l.since, l.hurried = now, false
	return parcels, again
}

// pack takes the partition's next batch and gives it its sequence, if it has
// none yet.
func (l *lane) pack(part *partition) parcel {
	s := &l.p.session
	fresh := part.sending == nil
	b := part.take()
	if fresh {
		l.pending -= len(b.slab) - recordsAt
	}
	if !b.sealed {
		b.sequence = part.sequence
		part.sequence = nextSequence(part.sequence, b.count)
	}
	return parcel{part: part, batch: b, sequence: b.sequence, producer: s.producer, name: s.name}
}

// exchange sends one request and deals with the answer.
func (l *lane) exchange(ctx context.Context, parcels []parcel) {
	req, to := l.request(parcels), l.address()
	start := time.Now()
	answered, cancel := context.WithTimeout(ctx, l.p.answerTimeout)
	failpoint.Pass(failpoint.BeforeProduce)
	res, err := l.p.cluster.produce(answered, to, req)
	cancel()
	for i := range parcels {
		parcels[i].bytes.revoke()
	}
	if err != nil && ctx.Err() != nil {
		return // the producer has ended, not Kafka
	}
	answer, _ := res.(*produce.Response)
	if err == nil && answer == nil {
		err = errors.New("no answer to a produce request")
	}
	failpoint.Pass(failpoint.AfterProduce)
	l.p.settle(l, parcels, answer, err, time.Since(start))
}

// address is where the broker listens now.
func (l *lane) address() net.Addr {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	return l.addr
}

// request seals the batches that are new and puts all into one message.
func (l *lane) request(parcels []parcel) *rawproduce.Request {
	spared := 0 // memory that was kept for compressed copies
	req := &rawproduce.Request{Acks: int16(kafka.RequireAll), Timeout: int32(produceTimeout.Milliseconds())}
	if l.p.cfg.Transactions {
		req.TransactionalID = parcels[0].name
	}
	for i := range parcels {
		c := &parcels[i]
		if !c.batch.sealed {
			spared += c.batch.seal(c.producer, c.sequence, l.codec)
		}
		c.bytes = &wireReader{b: c.batch.wire}
		part := rawproduce.RequestPartition{Partition: c.part.id, RecordSet: protocol.RawRecordSet{Reader: c.bytes}}
		if n := len(req.Topics); n > 0 && req.Topics[n-1].Topic == c.part.topic.name {
			req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, part)
			continue
		}
		req.Topics = append(req.Topics, rawproduce.RequestTopic{Topic: c.part.topic.name, Partitions: []rawproduce.RequestPartition{part}})
	}
	if spared > 0 {
		l.p.mu.Lock()
		l.p.memory.used -= spared
		l.p.signal()
		l.p.mu.Unlock()
	}
	return req
}

// wireReader gives a batch's bytes to kafka-go's connection goroutine, which may
// outlive the round trip when that times out. After revoke it reads nothing
// more, so the slab can be used again.
type wireReader struct {
	mu sync.Mutex
	b  []byte
}

var errRevoked = errors.New("request was given up")

func (r *wireReader) revoke() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.b = nil
}

// WriteTo lets io.Copy hand over the whole batch in one write.
func (r *wireReader) WriteTo(w io.Writer) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.b == nil {
		return 0, errRevoked
	}
	n, err := w.Write(r.b)
	r.b = nil
	return int64(n), err
}

func (r *wireReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.b == nil:
		return 0, errRevoked
	case len(r.b) == 0:
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

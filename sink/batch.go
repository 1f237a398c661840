package sink

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/walrelay/walrelay/routing"
)

// The layout of a record batch, magic 2, behind the 4-byte size that a Produce
// request puts before a record set (Kafka protocol guide, "Record Batch";
// KIP-98). All integers are big endian.
const (
	prefixLen = 4
	headerLen = 61
	recordsAt = prefixLen + headerLen

	offBatchLength = prefixLen + 8
	offLeaderEpoch = prefixLen + 12
	offMagic       = prefixLen + 16
	offCRC         = prefixLen + 17
	offAttributes  = prefixLen + 21
	offLastDelta   = prefixLen + 23
	offBaseTime    = prefixLen + 27
	offMaxTime     = prefixLen + 35
	offProducerID  = prefixLen + 43
	offEpoch       = prefixLen + 51
	offSequence    = prefixLen + 53
	offCount       = prefixLen + 57
)

// transactional is the attribute of a batch that belongs to a transaction.
const transactional = int16(1 << 4)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// producerID is what a broker knows a producer by (KIP-98).
type producerID struct {
	id    int64
	epoch int16
}

// batch is the records of one partition that are sent together. It lives in one
// slab: the 4-byte size, the batch header and the encoded records follow each
// other, so that the bytes go out as they stand.
//
// The owner appends while the batch is open; once it is handed to a lane only
// that lane touches it.
type batch struct {
	slab []byte // capacity is what the batch may grow to; never reallocated
	wire []byte // what is sent: the slab, or its compressed copy; nil until first sealed
	cost int    // what it takes of Producer.memory: the slab and the copy, or room for one

	count          int32
	baseTime       int64 // ms of the first record
	maxTime        int64
	first          uint64 // number of the first record
	firstBytes     int64  // Producer.producedBytes before the first record
	sequence       int32  // of the first record, from the seal on
	sealed         bool   // wire is under the current producer id; its bytes stand
	txn            uint32 // the transaction it belongs to, with Config.Transactions
	watermark      bool   // the record of a Cut, which is no event
	uncertain      bool   // a request may have been appended without our knowing
	doubted        bool   // the last answer refused it, which is not believed at once
	half           bool   // of a batch that was refused twice
	commits        []tally[int64]
	types          []tally[int32]
	firstCommitted int64 // commit time of the first record, µs since 1970
}

// tally says that n records, in order, have something in common: the time of
// their commit (µs since 1970), or the label of their event type.
type tally[K comparable] struct {
	of K
	n  uint32
}

func zigzag(i int64) uint64 { return uint64(i<<1) ^ uint64(i>>63) }

func varintLen(i int64) int {
	n, u := 1, zigzag(i)
	for u >= 0x80 {
		u >>= 7
		n++
	}
	return n
}

func appendVarint(b []byte, i int64) []byte { return binary.AppendUvarint(b, zigzag(i)) }

func bytesLen(b []byte) int {
	if b == nil {
		return 1 // length -1
	}
	return varintLen(int64(len(b))) + len(b)
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1) // zigzag(-1): null, which is not empty
	}
	return append(appendVarint(dst, int64(len(b))), b...)
}

// bodyLen is the length of r's encoding behind its own length varint, as the
// record number index of a batch that starts at baseTime.
func bodyLen(r *routing.Record, timeDelta int64, index int32) int {
	n := 1 + varintLen(timeDelta) + varintLen(int64(index)) + bytesLen(r.Key) + bytesLen(r.Value) + varintLen(int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		n += varintLen(int64(len(h.Key))) + len(h.Key) + bytesLen(h.Value)
	}
	return n
}

// aloneLen is the size of a batch that holds nothing but r, as max.message.bytes
// counts it: with the batch header, without the request's size prefix.
func aloneLen(r *routing.Record) int {
	body := bodyLen(r, 0, 0)
	return headerLen + varintLen(int64(body)) + body
}

// append adds r when it fits into the slab and below limit bytes (a batch as
// max.message.bytes counts it); otherwise it changes nothing.
func (b *batch) append(r *routing.Record, limit int) bool {
	delta := int64(0)
	if b.count > 0 {
		delta = r.Timestamp - b.baseTime
	}
	body := bodyLen(r, delta, b.count)
	grown := len(b.slab) + varintLen(int64(body)) + body
	if grown > cap(b.slab) || grown-prefixLen > limit {
		return false
	}
	if b.count == 0 {
		b.baseTime, b.maxTime = r.Timestamp, r.Timestamp
	} else {
		b.maxTime = max(b.maxTime, r.Timestamp)
	}
	d := appendVarint(b.slab, int64(body))
	d = append(d, 0) // record attributes: unused
	d = appendVarint(d, delta)
	d = appendVarint(d, int64(b.count))
	d = appendBytes(d, r.Key)
	d = appendBytes(d, r.Value)
	d = appendVarint(d, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		d = append(appendVarint(d, int64(len(h.Key))), h.Key...)
		d = appendBytes(d, h.Value)
	}
	b.slab = d
	b.count++
	return true
}

// note remembers what the metrics want to know of the record just appended.
func (b *batch) note(m Meta) {
	if n := len(b.commits); n > 0 && b.commits[n-1].of == m.Committed {
		b.commits[n-1].n++
	} else {
		b.commits = append(b.commits, tally[int64]{m.Committed, 1})
	}
	for i := range b.types {
		if b.types[i].of == m.Type {
			b.types[i].n++
			return
		}
	}
	b.types = append(b.types, tally[int32]{m.Type, 1})
}

// seal writes the batch header. From here on the bytes do not change until the
// broker's answer is certain, whatever happens in between. Under another
// producer id it is sealed again, without compressing again. It gives back how
// much of the memory kept for the compressed copy was not needed.
func (b *batch) seal(p producerID, sequence int32, codec *compressor) (spared int) {
	b.sequence, b.sealed = sequence, true
	if b.wire == nil {
		b.wire = b.slab
		need := cap(b.slab)
		if codec != nil {
			if small := codec.compress(b.slab); small != nil {
				b.wire = small
				need += cap(small)
			}
		}
		spared, b.cost = b.cost-need, need
	}
	attributes := int16(0)
	if b.txn != 0 {
		attributes = transactional
	}
	if len(b.wire) != len(b.slab) { // a copy is always smaller
		attributes |= codec.attributes
	}
	writeHeader(b.wire, attributes, p, sequence, b.count, b.baseTime, b.maxTime)
	return spared
}

func writeHeader(w []byte, attributes int16, p producerID, sequence, count int32, baseTime, maxTime int64) {
	be := binary.BigEndian
	be.PutUint32(w, uint32(len(w)-prefixLen))
	be.PutUint64(w[prefixLen:], 0) // base offset: the broker's to give
	be.PutUint32(w[offBatchLength:], uint32(len(w)-prefixLen-12))
	be.PutUint32(w[offLeaderEpoch:], 0xffffffff)
	w[offMagic] = 2
	be.PutUint16(w[offAttributes:], uint16(attributes))
	be.PutUint32(w[offLastDelta:], uint32(count-1))
	be.PutUint64(w[offBaseTime:], uint64(baseTime))
	be.PutUint64(w[offMaxTime:], uint64(maxTime))
	be.PutUint64(w[offProducerID:], uint64(p.id))
	be.PutUint16(w[offEpoch:], uint16(p.epoch))
	be.PutUint32(w[offSequence:], uint32(sequence))
	be.PutUint32(w[offCount:], uint32(count))
	be.PutUint32(w[offCRC:], crc32.Checksum(w[offAttributes:], castagnoli))
}

// nextSequence is the sequence that follows n records from sequence on: after
// 2147483647 comes 0, also inside a batch (DefaultRecordBatch.incrementSequence).
func nextSequence(sequence, n int32) int32 {
	return int32((int64(sequence) + int64(n)) & 0x7fffffff)
}

// reset empties b for another life, keeping its memory.
func (b *batch) reset() {
	commits, types := b.commits[:0], b.types[:0]
	*b = batch{commits: commits, types: types}
}

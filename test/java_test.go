package test_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/walrelay/walrelay/routing"
	"github.com/walrelay/walrelay/sink"
	"github.com/walrelay/walrelay/test/harness"
)

// What kafka-console-consumer puts between the parts of a record: nothing that is
// part of one.
const (
	javaField  = "\x01F"
	javaHeader = "\x01H"
	javaEnd    = "\x01E"
	javaNull   = "\x01N"
)

// TestJavaConsumer: Kafka's own consumer reads every byte of what the producer
// writes through a real broker: keys, values, headers and times, null apart from
// empty, in all codecs, in transactions and without.
func TestJavaConsumer(t *testing.T) {
	t.Parallel()
	kafka := harness.Kafka(t)
	if !kafka.Real() {
		harness.Skip(t, "Kafka's console consumer is for a real Kafka")
	}
	codecs := []string{"none", "gzip", "snappy", "lz4", "zstd"}
	topic := kafka.Topic(t, 2*len(codecs), "max.message.bytes", "4000000",
		"message.timestamp.after.max.ms", strconv.FormatInt(math.MaxInt64, 10)) // times of the year 2100, too
	marks := kafka.Topic(t, 1)
	want := map[int32][]routing.Record{}
	total := 0
	for i, codec := range codecs {
		for k, transactions := range []bool{false, true} {
			partition := int32(2*i + k)
			records := forJava(topic, partition)
			produceAll(t, sink.Config{Brokers: kafka.Brokers(), Compression: codec, Transactions: transactions}, marks, records)
			want[partition] = records
			total += len(records)
		}
	}
	printed := harness.KafkaTool(t, "org.apache.kafka.tools.consumer.ConsoleConsumer",
		"--bootstrap-server", strings.Join(kafka.Brokers(), ","), "--topic", topic, "--from-beginning",
		"--isolation-level", "read_committed", "--max-messages", strconv.Itoa(total), "--timeout-ms", "120000",
		"--property", "print.timestamp=true", "--property", "print.partition=true", "--property", "print.offset=true",
		"--property", "print.headers=true", "--property", "print.key=true", "--property", "null.literal="+javaNull,
		"--property", "key.separator="+javaField, "--property", "headers.separator="+javaHeader, "--property", "line.separator="+javaEnd)
	got := fromJava(t, topic, printed)
	for partition, records := range want {
		if len(got[partition]) != len(records) {
			t.Errorf("partition %d: Java reads %d records of %d", partition, len(got[partition]), len(records))
		}
		for i := range min(len(records), len(got[partition])) {
			if !sameRecord(&records[i], &got[partition][i]) {
				t.Fatalf("partition %d (%s, transactions: %t), record %d: written\n%+v\nJava reads\n%+v",
					partition, codecs[partition/2], partition%2 == 1, i, fmt.Sprintf("%#v", records[i]), fmt.Sprintf("%#v", got[partition][i]))
			}
		}
	}
}

// sameRecord compares all that a consumer sees. Null and empty differ.
func sameRecord(a, b *routing.Record) bool {
	same := func(x, y []byte) bool { return (x == nil) == (y == nil) && bytes.Equal(x, y) }
	return a.Partition == b.Partition && a.Timestamp == b.Timestamp && same(a.Key, b.Key) && same(a.Value, b.Value) &&
		slices.EqualFunc(a.Headers, b.Headers, func(h, k routing.Header) bool { return h.Key == k.Key && same(h.Value, k.Value) })
}

// forJava are records of every kind that tells encoders apart.
func forJava(topic string, partition int32) []routing.Record {
	all := bytes.Repeat([]byte{0, 0xff, 0x80, '\n', '\r', '\t', 0xc3, 0x28}, 40)
	records := []routing.Record{
		{Timestamp: 1_800_000_000_000},
		{Key: []byte{}, Value: []byte{}, Timestamp: 1_799_999_999_000},
		{Key: []byte("k"), Value: all, Timestamp: 1_800_000_000_001,
			Headers: []routing.Header{{Key: "id", Value: []byte("7")}, {Key: "nothing"}, {Key: "empty", Value: []byte{}}, {Key: "bytes", Value: all}, {Key: "id", Value: []byte("again")}}},
		{Key: all, Timestamp: 1},
		{Key: []byte("big"), Value: bytes.Repeat([]byte("walrelay "), 200_000), Timestamp: 4_102_444_800_000, Headers: []routing.Header{{Key: "über", Value: []byte("€")}}},
	}
	for i := range 500 {
		records = append(records, routing.Record{Key: strconv.AppendInt(nil, int64(i%9), 10), Value: fmt.Appendf(nil, `{"seq": %d}`, i),
			Timestamp: 1_800_000_000_000 + int64(i), Headers: []routing.Header{{Key: "id", Value: strconv.AppendInt(nil, int64(i), 10)}}})
	}
	for i := range records {
		records[i].Topic, records[i].Partition = topic, partition
	}
	return records
}

// produceAll writes the records with a producer of their own and waits until all
// are acknowledged, in transactions until all are committed.
func produceAll(t *testing.T, config sink.Config, marks string, records []routing.Record) {
	t.Helper()
	p, err := sink.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	p.Learn(marks)
	p.Fence("walrelay-" + marks + "-" + config.Compression + strconv.FormatBool(config.Transactions))
	// again asks until the producer takes something, as the relay does.
	again := func(what string, take func() error) {
		for err := take(); err != nil; err = take() {
			if !errors.Is(err, sink.ErrFull) && !errors.Is(err, sink.ErrPending) {
				t.Fatalf("%s: %v", what, err)
			}
			p.Dispatch()
			select {
			case <-p.Changed():
			case err := <-ended:
				ended <- err
				t.Fatalf("%s: the producer ended: %v", what, err)
			case <-ctx.Done():
				t.Fatalf("%s: it waits: %v", what, p.Stats().Waits)
			}
		}
	}
	again("the topic of the cuts", func() error {
		if !p.Knows(marks) {
			return sink.ErrPending
		}
		return nil
	})
	for i := range records {
		meta := sink.Meta{Number: uint64(i), Committed: time.Now().UnixMicro()}
		again(fmt.Sprint("record ", i), func() error { return p.Produce(&records[i], meta) })
		if config.Transactions && (i%100 == 99 || i == len(records)-1) {
			p.Cut(&routing.Record{Topic: marks, Partition: 0, Key: []byte("k"), Value: []byte("v"), Timestamp: 1}, meta)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatalf("flush: %v, it waits: %v", err, p.Stats().Waits)
	}
}

// fromJava reads what kafka-console-consumer has printed.
func fromJava(t *testing.T, topic, printed string) map[int32][]routing.Record {
	t.Helper()
	nullable := func(text string) []byte {
		if text == javaNull {
			return nil
		}
		return []byte(text)
	}
	number := func(text, prefix string) int64 {
		rest, ok := strings.CutPrefix(text, prefix)
		n, err := strconv.ParseInt(rest, 10, 64)
		if !ok || err != nil {
			t.Fatalf("%q is not %s and a number", text, prefix)
		}
		return n
	}
	records := map[int32][]routing.Record{}
	for line := range strings.SplitSeq(strings.TrimSuffix(printed, javaEnd), javaEnd) {
		fields := strings.Split(line, javaField)
		if len(fields) != 6 {
			t.Fatalf("%d fields in %.300q", len(fields), line)
		}
		r := routing.Record{Topic: topic, Timestamp: number(fields[0], "CreateTime:"), Partition: int32(number(fields[1], "Partition:")),
			Key: nullable(fields[4]), Value: nullable(fields[5])}
		number(fields[2], "Offset:")
		if fields[3] != "NO_HEADERS" {
			for header := range strings.SplitSeq(fields[3], javaHeader) {
				name, value, _ := strings.Cut(header, ":")
				r.Headers = append(r.Headers, routing.Header{Key: name, Value: nullable(value)})
			}
		}
		records[r.Partition] = append(records[r.Partition], r)
	}
	return records
}

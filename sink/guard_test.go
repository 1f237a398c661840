package sink

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/walrelay/walrelay/routing"
)

// scripted is a broker that answers with these bytes, whatever it is asked.
type scripted struct {
	net.Conn
	io.Reader
	asked bytes.Buffer
}

func (s *scripted) Read(b []byte) (int, error) { return s.Reader.Read(b) }

func (s *scripted) Write(b []byte) (int, error) { return s.asked.Write(b) }

// read sends the head of a request through a guard and decodes the answer with kafka-go.
func read(t testing.TB, key protocol.ApiKey, version int16, answer []byte) (*guard, error) {
	t.Helper()
	g := &guard{Conn: &scripted{Reader: bytes.NewReader(answer)}}
	if _, err := g.Write(request(key, version)); err != nil {
		t.Fatal(err)
	}
	_, _, err := protocol.ReadResponse(bufio.NewReader(g), key, version)
	return g, err
}

const correlation = 4711

// request is one without anything behind its head.
func request(key protocol.ApiKey, version int16) []byte {
	b := binary.BigEndian.AppendUint32(nil, 8)
	b = binary.BigEndian.AppendUint16(b, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	return binary.BigEndian.AppendUint32(b, correlation)
}

// framed puts an answer's size and correlation id before what follows them.
func framed(rest []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(rest)+4))
	b = binary.BigEndian.AppendUint32(b, correlation)
	return append(b, rest...)
}

// each calls f with an answer of every kind and version that kafka-go reads, all of
// whose fields say something, as it is behind the correlation id.
func each(t testing.TB, f func(key protocol.ApiKey, version int16, rest []byte)) {
	batch := sealed(t, []routing.Record{{Topic: "orders", Key: []byte("7"), Value: []byte("paid")}}, "none", producerID{1, 2}, 3, false).wire[4:]
	for _, key := range slices.Sorted(maps.Keys(answers)) {
		for version := key.MinVersion(); version <= key.MaxVersion(); version++ {
			answer := answers[key]()
			fill(reflect.ValueOf(answer).Elem(), batch)
			answer.SetVersion(version)
			var rest []byte
			if answer.IsFlexible() && key != protocol.ApiVersions {
				rest = []byte{1, 9, 2, 'h', 'i'} // a tagged field that nobody knows
			}
			f(key, version, answer.AppendTo(rest))
		}
	}
}

// fill gives every field a value: lists one element, records a batch.
func fill(v reflect.Value, batch []byte) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "UnknownTags" {
				fill(v.Field(i), batch)
			}
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			v.SetBytes(batch)
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), batch)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), batch)
	case reflect.String:
		v.SetString("orders")
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// Every answer that a broker may give reaches kafka-go as it is.
func TestGuard_passes(t *testing.T) {
	seen := 0
	each(t, func(key protocol.ApiKey, version int16, rest []byte) {
		seen++
		if _, err := read(t, key, version, framed(rest)); err != nil {
			t.Errorf("%s version %d: %v", key, version, err)
		}
	})
	if seen < 2*len(answers) {
		t.Errorf("the test is wrong: %d answers", seen)
	}
}

// A byte of an answer that was changed on the way costs the connection at most, never
// the process: kafka-go panics, or asks for gigabytes, at many of these.
func TestGuard_damaged(t *testing.T) {
	refused := 0
	each(t, func(key protocol.ApiKey, version int16, rest []byte) {
		whole := framed(rest)
		for i := range whole {
			for _, mask := range []byte{0x01, 0x40, 0x80, 0xff} {
				damaged := bytes.Clone(whole)
				damaged[i] ^= mask
				if _, err := read(t, key, version, damaged); err != nil {
					refused++
				}
			}
		}
		for i := range whole {
			if _, err := read(t, key, version, whole[:i]); err == nil {
				t.Errorf("%s version %d: %d of %d bytes are taken for an answer", key, version, i, len(whole))
			}
		}
	})
	if refused == 0 {
		t.Error("the test is wrong: every answer was taken")
	}
}

func TestGuard_refuses(t *testing.T) {
	metadata := func(topics ...byte) []byte { // version 1: no broker, controller, topics
		return framed(append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, topics...))
	}
	other := metadata(0, 0, 0, 0)
	other[7]++
	for name, answer := range map[string][]byte{
		"a negative size":       {0xff, 0xff, 0xff, 0xfe, 0, 0, 0x12, 0x67, 0, 0, 0, 0},
		"a size without room":   {0, 0, 0, 3, 0, 0, 0x12, 0x67},
		"another request's":     other,
		"too many elements":     metadata(0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0),
		"a text beyond the end": metadata(0, 0, 0, 1, 0, 0, 0x7f, 0xff, 'o'),
	} {
		g, err := read(t, protocol.Metadata, 1, answer)
		if !errors.Is(err, errAnswer) {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := g.Read(make([]byte, 1)); !errors.Is(again, errAnswer) {
			t.Errorf("%s: the next read gives %v", name, again)
		}
	}
	if _, err := read(t, protocol.Metadata, 1, metadata(0, 0, 0, 0)); err != nil {
		t.Errorf("the test is wrong: an empty answer is refused: %v", err)
	}
}

// What is announced and does not come costs no memory.
func TestGuard_announced(t *testing.T) {
	g, err := read(t, protocol.Metadata, 1, []byte{0x7f, 0xff, 0xff, 0xff, 0, 0, 0x12, 0x67, 0, 0, 0, 0})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if g.answer.Cap() > keptAnswer {
		t.Errorf("%d bytes are kept for an answer of 12", g.answer.Cap())
	}
}

// kafka-go says what it is when a listener of TLS answers in plain text, and a broker
// that just goes away is the end of the file.
func TestGuard_otherEnds(t *testing.T) {
	alert := []byte{21, 3, 3, 0, 2, 2, 70}
	if _, err := read(t, protocol.ApiVersions, 0, alert); err == nil || !strings.Contains(err.Error(), "expecting TLS") {
		t.Errorf("a TLS alert: %v", err)
	}
	if _, err := read(t, protocol.ApiVersions, 0, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("nothing: %v", err)
	}
}

// SASL without frames, as brokers before Kafka 1.0 speak it, goes through.
func TestGuard_rawSASL(t *testing.T) {
	answer := framed([]byte{0, 0, 0, 0, 0, 0})
	token := []byte{0, 0, 0, 0}
	g := &guard{Conn: &scripted{Reader: bytes.NewReader(append(answer, token...))}}
	_, _ = g.Write(request(protocol.SaslHandshake, 0))
	got := make([]byte, len(answer))
	if _, err := io.ReadFull(g, got); err != nil || !bytes.Equal(got, answer) {
		t.Fatalf("% x, error %v", got, err)
	}
	_, _ = g.Write(append([]byte{0, 0, 0, 11}, "\x00user\x00secret"...))
	if got, err := io.ReadAll(g); err != nil || !bytes.Equal(got, token) {
		t.Errorf("% x, error %v", got, err)
	}
}

// Requests are followed however they are cut, and one after the other.
func TestGuard_cut(t *testing.T) {
	for size := 1; size < 40; size++ {
		broker := &scripted{}
		g := &guard{Conn: broker}
		for n, key := range []protocol.ApiKey{protocol.Metadata, protocol.ApiVersions, protocol.EndTxn} {
			body := bytes.Repeat([]byte{0xff}, 30*n)
			sent := append(request(key, int16(n)), body...)
			binary.BigEndian.PutUint32(sent, uint32(len(sent)-4))
			broker.asked.Reset()
			for piece := range slices.Chunk(sent, size) {
				if wrote, err := g.Write(piece); wrote != len(piece) || err != nil {
					t.Fatal(wrote, err)
				}
			}
			if !bytes.Equal(broker.asked.Bytes(), sent) {
				t.Fatalf("the broker got % x instead of % x", broker.asked.Bytes(), sent)
			}
			if k, v, c := g.asked(); k != int16(key) || v != int16(n) || c != correlation {
				t.Fatalf("in pieces of %d bytes request %d is of kind %d version %d number %d", size, n, k, v, c)
			}
		}
	}
}

// The checksum of records counts before they are unpacked, in both of Kafka's formats.
func TestGuard_batches(t *testing.T) {
	batch := sealed(t, []routing.Record{{Topic: "orders", Key: []byte("7"), Value: []byte("paid")}}, "gzip", producerID{1, 2}, 3, true).wire[4:]
	message := kmsg.MessageV1{Offset: 5, MessageSize: 14 + 8 + 3, Magic: 1, Key: []byte("k"), Value: []byte("vv")}
	old := message.AppendTo(nil)
	binary.BigEndian.PutUint32(old[12:], crc32.ChecksumIEEE(old[16:]))
	for name, good := range map[string][]byte{"batch": batch, "message": old} {
		twice := append(bytes.Clone(good), good...)
		for n := range len(twice) + 1 {
			if err := inspectBatches(twice[:n]); err != nil {
				t.Errorf("%s: %d of %d bytes: %v", name, n, len(twice), err)
			}
		}
		for i := 8; i < len(good); i++ {
			damaged := bytes.Clone(twice)
			damaged[i] ^= 0x80
			longer := i > 8 && i < 12 // is a batch that was cut
			leaderEpoch := name == "batch" && i >= 12 && i < 16
			if err := inspectBatches(damaged); err == nil && !longer && !leaderEpoch {
				t.Errorf("%s: nobody sees that byte %d has changed", name, i)
			}
		}
	}
}

// long is whether three bytes in a row have their highest bit set, as in a number of
// four bytes, which kmsg may read as a number of tags.
func long(b []byte) bool {
	run := 0
	for _, c := range b {
		if run++; c < 0x80 {
			run = 0
		}
		if run == 3 {
			return true
		}
	}
	return false
}

// FuzzGuard: whatever a broker answers, kafka-go decodes what the guard lets through,
// or says that it can't.
func FuzzGuard(f *testing.F) {
	keys := slices.Sorted(maps.Keys(answers))
	each(f, func(key protocol.ApiKey, version int16, rest []byte) {
		f.Add(byte(slices.Index(keys, key)), byte(version), rest)
	})
	f.Fuzz(func(t *testing.T, kind, version byte, rest []byte) {
		key := keys[int(kind)%len(keys)]
		v := key.MinVersion() + int16(version)%(key.MaxVersion()-key.MinVersion()+1)
		answer := answers[key]()
		answer.SetVersion(v)
		if answer.IsFlexible() && long(rest) {
			t.Skip("kmsg counts up to the number of tags that is announced, which takes seconds for hundreds of millions")
		}
		_, _ = read(t, key, v, framed(rest))
	})
}

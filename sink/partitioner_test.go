package sink

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// The vectors of Kafka's own UtilsTest.testMurmur2, and the empty key.
func TestMurmur2_java(t *testing.T) {
	for key, want := range map[string]int32{
		"":                           275646681,
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
}

// franz-go's partitioner is Java's too, but for empty keys.
func TestPartitionOf_franz(t *testing.T) {
	franz := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "key")
		n := rapid.IntRange(1, 1000).Draw(t, "partitions")
		if got, want := partitionOf(key, n), franz.Partition(&kgo.Record{Key: key}, n); int(got) != want {
			t.Fatalf("%d, want %d", got, want)
		}
	})
	if got := partitionOf(nil, 6); got != 275646681%6 {
		t.Errorf("empty key: %d", got)
	}
}

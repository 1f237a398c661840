package sink

import (
	"bytes"
	"fmt"

	"github.com/segmentio/kafka-go/compress"
)

// compressor squeezes the records of a batch with one of Kafka's codecs. A lane
// has its own; it is not safe for concurrent use.
type compressor struct {
	codec      compress.Codec
	attributes int16
	buf        bytes.Buffer
}

// newCompressor returns nil for "none" and "".
func newCompressor(name string) (*compressor, error) {
	if name == "" || name == "none" {
		return nil, nil
	}
	for _, c := range compress.Codecs {
		if c != nil && c.Name() == name {
			return &compressor{codec: c, attributes: int16(c.Code())}, nil
		}
	}
	return nil, fmt.Errorf("compression %q: not one of none, gzip, snappy, lz4, zstd", name)
}

// compress returns a slab whose records are compressed, or nil when that would
// not make it smaller. The batch header is left for the caller to write.
func (c *compressor) compress(slab []byte) []byte {
	c.buf.Reset()
	w := c.codec.NewWriter(&c.buf)
	_, err := w.Write(slab[recordsAt:])
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	// A codec writing to memory fails only by a bug of its own; uncompressed
	// is right in every case.
	if err != nil || c.buf.Len()+recordsAt >= len(slab) {
		return nil
	}
	out := make([]byte, recordsAt+c.buf.Len())
	copy(out[recordsAt:], c.buf.Bytes())
	return out
}

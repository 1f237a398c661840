package routing

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/walrelay/walrelay/decoding"
)

// OIDs of the types whose PostgreSQL text is not what goes out.
const (
	oidBool  = 16
	oidBytea = 17
)

// use says where a column's value goes: the converters of Kafka Connect print
// some types differently there.
type use uint8

const (
	inRecord use = iota // topic, key or value: bytea as its bytes
	inHeader            // bytea as base64
)

var (
	textTrue  = []byte("true")
	textFalse = []byte("false")
)

// convert gives the bytes that v becomes in a record: nil for NULL, else not nil.
// It is the one place that knows of column types; those it does not name go out
// as PostgreSQL's text. What it has to build it appends to scratch, which it
// returns; other results are views of v.
func convert(v *decoding.Value, u use, scratch []byte) (out, grown []byte, err error) {
	if v.Null {
		return nil, scratch, nil
	}
	switch v.OID {
	case oidBool:
		switch string(v.Data) {
		case "t":
			return textTrue, scratch, nil
		case "f":
			return textFalse, scratch, nil
		}
		return nil, scratch, &Poison{Reason: ReasonInvalid, Detail: "a boolean is neither t nor f"}
	case oidBytea:
		start := len(scratch)
		if scratch, err = appendBytea(scratch, v.Data); err != nil {
			return nil, scratch, err
		}
		if u == inHeader {
			end := len(scratch)
			scratch = base64.StdEncoding.AppendEncode(scratch, scratch[start:end])
			start = end
		}
		return scratch[start:len(scratch):len(scratch)], scratch, nil
	}
	return v.Data, scratch, nil
}

// appendBytea appends the bytes of a bytea in PostgreSQL's hex format.
func appendBytea(dst, text []byte) ([]byte, error) {
	if len(text) < 2 || text[0] != '\\' || text[1] != 'x' {
		return dst, &Poison{Reason: ReasonInvalid, Detail: `a bytea is not in hex format: the connection needs bytea_output = hex`}
	}
	out, err := hex.AppendDecode(dst, text[2:])
	if err != nil {
		return dst, &Poison{Reason: ReasonInvalid, Detail: "a bytea is not valid hex: " + err.Error()}
	}
	return out, nil
}

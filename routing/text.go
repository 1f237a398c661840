package routing

import (
	"encoding/hex"

	"github.com/walrelay/walrelay/decoding"
)

// OIDs of the types whose PostgreSQL text is not what a topic's name is made of.
const (
	oidBool  = 16
	oidBytea = 17
)

// appendText appends the text of a column that is not NULL, for a topic's name.
func appendText(dst []byte, v *decoding.Value) ([]byte, error) {
	switch v.OID {
	case oidBool:
		switch string(v.Data) {
		case "t":
			return append(dst, "true"...), nil
		case "f":
			return append(dst, "false"...), nil
		}
		return dst, &Poison{Reason: ReasonInvalid, Detail: "a boolean is neither t nor f"}
	case oidBytea:
		return appendBytea(dst, v.Data)
	}
	return append(dst, v.Data...), nil
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

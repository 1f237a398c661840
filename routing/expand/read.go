package expand

import (
	"math"

	"github.com/walrelay/walrelay/routing/connect"
)

// read reads the value n under the shape s into v, as
// JsonSchemaData.toConnectData and Struct.put. The error is a *Conflict.
func (x *Expander) read(n int32, s *shape, a *connect.Arena, v *connect.Value) error {
	want := connect.Type(0)
	d := &x.nodes[n]
	switch d.kind {
	case kindNull:
		if !s.schema.Optional {
			return x.conflict(n, "null among objects of different shapes")
		}
		v.Null = true
		return nil
	case kindBig:
		return x.conflict(n, "an integer that does not fit 64 bits")
	case kindObject:
		if s.schema.Type != connect.Struct {
			break
		}
		return x.readObject(n, s, a, v)
	case kindArray:
		if s.schema.Type != connect.Array {
			break
		}
		v.Items = a.Values(int(d.count))
		e := d.child
		for i := range v.Items {
			if err := x.read(e, s.items, a, &v.Items[i]); err != nil {
				return err
			}
			e = x.nodes[e].next
		}
		return nil
	case kindString:
		want = connect.String
		v.Data = x.bytes(span{start: uint32(d.num >> 32), length: uint32(d.num)})
	case kindBoolean:
		want = connect.Boolean
		v.Int = int64(d.num)
	case kindInt:
		want = connect.Int32
		v.Int = int64(d.num)
	case kindLong:
		want = connect.Int64
		v.Int = int64(d.num)
	case kindDouble:
		want = connect.Float64
		v.Float = math.Float64frombits(d.num)
	}
	if s.schema.Type != want {
		return x.conflict(n, "a value of another type than its like before it")
	}
	return nil
}

func (x *Expander) readObject(n int32, s *shape, a *connect.Arena, v *connect.Value) error {
	fields := len(s.fields)
	if missing := fields - int(x.nodes[n].count); missing > 0 {
		if x.filled += missing; x.filled > maxFilled {
			return x.conflict(n, "objects of too many different shapes in an array")
		}
	}
	v.Items = a.Values(fields)
	for i := range v.Items {
		v.Items[i].Null = true
	}
	next := 0
	for m := x.nodes[n].child; m != none; m = x.nodes[m].next {
		i := s.find(x.scratch(x.nodes[m].key), next)
		if i < 0 {
			continue
		}
		next = i + 1
		v.Items[i].Null = false
		if err := x.read(m, s.fields[i], a, &v.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

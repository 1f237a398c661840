package connect

// Value is one value; the Type of its Schema says which fields count. Data is a
// view: it is valid until the Arena that lent it is reset, or the frame that it
// points into is overwritten.
type Value struct {
	Null  bool
	Int   int64
	Float float64
	Data  []byte
	Items []Value
}

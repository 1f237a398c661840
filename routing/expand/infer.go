package expand

// infer returns the shape of the value n, as JsonSchemaData.toConnectSchema: nil
// if it has none (an empty array, a null that is not kept). Its name, if it is
// named, is path[from:]. The error is an ErrUnchanged, or beyond maxNames a
// *Conflict.
func (x *Expander) infer(n int32, from int, named bool) (*shape, error) {
	switch x.nodes[n].kind {
	case kindString:
		return shapeString, nil
	case kindBoolean:
		return shapeBoolean, nil
	case kindInt:
		return shapeInt, nil
	case kindLong:
		return shapeLong, nil
	case kindBig, kindDouble:
		return shapeDouble, nil
	case kindObject:
		return x.inferObject(n, from, named)
	case kindArray:
		if x.nodes[n].count == 0 {
			return nil, nil
		}
		items, err := x.inferItems(n, from, named)
		if err != nil {
			return nil, err
		}
		return x.shapes.array(items), nil
	default:
		if x.keepNulls {
			return shapeBytes, nil
		}
		return nil, nil
	}
}

func (x *Expander) unchanged(n int32, reason string) error {
	return &unchanged{reason: reason, offset: int(x.nodes[n].at)}
}

func (x *Expander) inferObject(n int32, from int, named bool) (*shape, error) {
	base, end, adjusted := len(x.members), len(x.path), false
	for m := x.nodes[n].child; m != none; m = x.nodes[m].next {
		name := x.scratch(x.nodes[m].key)
		if x.adjust != nil {
			before := len(x.changed)
			name = x.adjust(name, &x.changed)
			adjusted = adjusted || len(x.changed) > before
		}
		start := end
		if k := x.nodes[m].kind; k == kindObject || k == kindArray {
			// Only these have names, their own or their parts'.
			if named && !blank(x.path[from:end]) {
				start = from
				x.path = append(x.path, '.')
			}
			x.path = append(x.path, name...)
		}
		s, err := x.infer(m, start, true)
		x.path = x.path[:end]
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		if len(name) == 0 {
			return nil, x.unchanged(m, "a member without a name")
		}
		x.members = append(x.members, member{name: name, shape: s})
	}
	if adjusted {
		x.firstOfEachName(base)
	}
	var name []byte
	if named {
		name = x.path[from:end]
	}
	if x.made+len(name) > maxNames {
		return nil, x.conflict(n, "the names of its structs are too long")
	}
	s := x.structOf(name, true, x.members[base:])
	clear(x.members[base:])
	x.members = x.members[:base]
	return s, nil
}

// firstOfEachName drops the members from base on whose adjusted name an earlier
// one has.
func (x *Expander) firstOfEachName(base int) {
	names := make(map[string]struct{}, len(x.members)-base)
	kept := x.members[:base]
	for _, m := range x.members[base:] {
		if _, ok := names[string(m.name)]; ok {
			continue
		}
		names[string(m.name)] = struct{}{}
		kept = append(kept, m)
	}
	clear(x.members[len(kept):])
	x.members = kept
}

// inferItems returns the shape of an array's elements, as
// JsonSchemaData.toConnectSchemaWithCycles.
func (x *Expander) inferItems(n int32, from int, named bool) (*shape, error) {
	sample, err := x.sample(n)
	if err != nil {
		return nil, err
	}
	if sample == none {
		if x.keepNulls {
			return shapeBytes, nil
		}
		return nil, x.unchanged(n, "an array of nulls only")
	}
	if x.nodes[sample].kind != kindObject {
		// Of arrays in an array only the first counts, and structs in it have no name.
		s, err := x.infer(sample, 0, false)
		if err == nil && s == nil {
			err = x.unchanged(sample, "an array whose first element is an empty array")
		}
		return s, err
	}
	x.arrays++
	this := uint64(x.arrays) << 32
	base := len(x.merging)
	for e := x.nodes[n].child; e != none; e = x.nodes[e].next {
		if x.nodes[e].kind != kindObject {
			continue
		}
		s, err := x.infer(e, from, named)
		if err != nil {
			return nil, err
		}
		if !x.isNew(s, base, this) {
			continue
		}
		x.merging = append(x.merging, s)
	}
	s := x.merging[base]
	if len(x.merging)-base > 1 {
		s = x.merge(x.merging[base:])
	}
	clear(x.merging[base:])
	x.merging = x.merging[:base]
	return s, nil
}

// isNew tells whether s is not among merging[base:], the shapes of the array
// with the number this.
func (x *Expander) isNew(s *shape, base int, this uint64) bool {
	switch list := x.merging[base:]; {
	case len(list) == 0:
		return true
	case list[len(list)-1] == s:
		return false // as in most arrays
	case len(list) == 1:
		x.seen[this|uint64(list[0].id)] = struct{}{}
	}
	_, ok := x.seen[this|uint64(s.id)]
	x.seen[this|uint64(s.id)] = struct{}{}
	return !ok
}

// sample returns the first element of an array that is not null, or none, and an
// error if another one is of a different type.
func (x *Expander) sample(n int32) (int32, error) {
	first := none
	for e := x.nodes[n].child; e != none; e = x.nodes[e].next {
		switch {
		case x.nodes[e].kind == kindNull:
		case first == none:
			first = e
		case likeness(x.nodes[e].kind) != likeness(x.nodes[first].kind):
			return none, x.unchanged(e, "an array with elements of different types")
		}
	}
	return first, nil
}

// likeness is the kind as far as an array's elements must agree on it.
func likeness(k kind) kind {
	if k == kindBig {
		return kindDouble // both have a double's schema
	}
	return k
}

// blank tells whether Java's String.trim() leaves nothing of s.
func blank(s []byte) bool {
	for _, c := range s {
		if c > ' ' {
			return false
		}
	}
	return true
}

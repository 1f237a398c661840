package column

import "strings"

// shape is a type as the mapper takes it.
type shape struct {
	name    string // pg_type.typname
	mod     int32
	labels  []string // of an enum, which may have none
	enum    bool
	domain  bool   // an array's element that is a domain
	element *shape // of an array
}

// typeOf names the column's type: as the catalog does, else by its OID, which
// tells the types that come with PostgreSQL.
func typeOf(c *Column) *shape {
	s := &shape{name: c.TypeName, mod: c.Mod, labels: c.Labels, enum: c.Kind == 'e', domain: c.Kind == 'd'}
	known, ok := builtin[c.OID]
	if s.name == "" && ok {
		s.name = known
	}
	switch {
	case c.Element != nil:
		s.element = typeOf(c.Element)
	case ok && strings.HasPrefix(known, "_"):
		s.element = &shape{name: known[1:]}
	case s.name == "int2vector":
		s.element = &shape{name: "int2"}
	case s.name == "oidvector":
		s.element = &shape{name: "oid"}
	}
	if s.element != nil {
		s.element.mod = c.Mod // an array's modifier is its elements'
	}
	return s
}

// builtin names the types with fixed OIDs that Debezium knows.
var builtin = map[uint32]string{
	16: "bool", 17: "bytea", 18: "char", 19: "name", 20: "int8", 21: "int2", 22: "int2vector", 23: "int4",
	25: "text", 26: "oid", 30: "oidvector", 114: "json", 142: "xml",
	600: "point", 601: "lseg", 602: "path", 603: "box", 604: "polygon", 628: "line", 718: "circle",
	650: "cidr", 700: "float4", 701: "float8", 774: "macaddr8", 790: "money", 829: "macaddr", 869: "inet",
	1042: "bpchar", 1043: "varchar", 1082: "date", 1083: "time", 1114: "timestamp", 1184: "timestamptz",
	1186: "interval", 1266: "timetz", 1560: "bit", 1562: "varbit", 1700: "numeric", 1790: "refcursor",
	2950: "uuid", 3614: "tsvector", 3615: "tsquery", 3802: "jsonb",
	3904: "int4range", 3906: "numrange", 3908: "tsrange", 3910: "tstzrange", 3912: "daterange", 3926: "int8range",

	143: "_xml", 199: "_json", 629: "_line", 651: "_cidr", 719: "_circle", 775: "_macaddr8", 791: "_money",
	1000: "_bool", 1001: "_bytea", 1002: "_char", 1003: "_name", 1005: "_int2", 1007: "_int4", 1009: "_text",
	1014: "_bpchar", 1015: "_varchar", 1016: "_int8", 1017: "_point", 1018: "_lseg", 1019: "_path", 1020: "_box",
	1021: "_float4", 1022: "_float8", 1027: "_polygon", 1028: "_oid", 1040: "_macaddr", 1041: "_inet",
	1115: "_timestamp", 1182: "_date", 1183: "_time", 1185: "_timestamptz", 1187: "_interval", 1231: "_numeric",
	1270: "_timetz", 1561: "_bit", 1563: "_varbit", 2201: "_refcursor", 2951: "_uuid", 3643: "_tsvector",
	3645: "_tsquery", 3807: "_jsonb", 3905: "_int4range", 3907: "_numrange", 3909: "_tsrange", 3911: "_tstzrange",
	3913: "_daterange", 3927: "_int8range",
}

// unlimited is what PostgreSQL's JDBC driver says for the length of a type
// without one; it shows as the length of bit varying.
const unlimited = 1<<31 - 1

// variableLength is the driver's length of a numeric without precision.
const variableLength = 131089

// precision is Debezium's length of the column, as far as it shows.
func (s *shape) precision() int {
	switch s.name {
	case "numeric":
		if s.mod < 4 {
			return variableLength
		}
		return int(uint32(s.mod-4) >> 16)
	case "bit", "varbit":
		if s.mod < 0 {
			return unlimited
		}
		return int(s.mod)
	}
	return unlimited
}

// scale is Debezium's scale of the column: digits of a fraction.
func (s *shape) scale() int {
	switch s.name {
	case "numeric":
		if s.mod < 4 {
			return 0
		}
		return int(s.mod-4) & 0xffff // of a negative scale the driver makes about 2000
	case "time", "timetz", "timestamp", "timestamptz":
		if s.mod < 0 {
			return 6
		}
		return int(s.mod)
	}
	return 0
}

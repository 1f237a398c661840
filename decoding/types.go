package decoding

// builtin gives the OID of the built-in types by name. The Type message of a
// domain carries the name of the type beneath it, not its OID, so a domain over
// bytea or boolean can be read as what it is. OIDs of built-in types never change
// (src/include/catalog/pg_type.dat).
var builtin = map[string]uint32{
	"bool": 16, "bytea": 17, "char": 18, "name": 19, "int8": 20, "int2": 21, "int4": 23, "text": 25,
	"oid": 26, "json": 114, "xml": 142, "point": 600, "cidr": 650, "float4": 700, "float8": 701,
	"macaddr8": 774, "money": 790, "macaddr": 829, "inet": 869, "bpchar": 1042, "varchar": 1043,
	"date": 1082, "time": 1083, "timestamp": 1114, "timestamptz": 1184, "interval": 1186, "timetz": 1266,
	"bit": 1560, "varbit": 1562, "numeric": 1700, "uuid": 2950, "jsonb": 3802,
	"int4range": 3904, "numrange": 3906, "tsrange": 3908, "tstzrange": 3910, "daterange": 3912, "int8range": 3926,
	"_json": 199, "_xml": 143, "_bool": 1000, "_bytea": 1001, "_char": 1002, "_name": 1003, "_int2": 1005,
	"_int4": 1007, "_text": 1009, "_bpchar": 1014, "_varchar": 1015, "_int8": 1016, "_float4": 1021,
	"_float8": 1022, "_oid": 1028, "_inet": 1041, "_cidr": 651, "_timestamp": 1115, "_date": 1182, "_time": 1183,
	"_timestamptz": 1185, "_interval": 1187, "_numeric": 1231, "_timetz": 1270, "_bit": 1561, "_varbit": 1563,
	"_money": 791, "_uuid": 2951, "_jsonb": 3807,
}

// namespace spells out the schema: pgoutput leaves pg_catalog empty.
func namespace(b []byte) string {
	if len(b) == 0 {
		return "pg_catalog"
	}
	return string(b)
}

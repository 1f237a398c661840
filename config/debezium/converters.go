package debezium

import (
	"fmt"
	"slices"
	"strings"
)

// converter is what stands below format.key, format.value and format.headers.
type converter struct {
	name, delegate, decimals string
	nulls                    bool // null_default: false
	from                     string
}

// classes are Kafka Connect's and Debezium's converters under walrelay's names.
var classes = map[string]string{
	"org.apache.kafka.connect.storage.StringConverter":       "string",
	"org.apache.kafka.connect.json.JsonConverter":            "json",
	"org.apache.kafka.connect.converters.ByteArrayConverter": "bytes",
	"org.apache.kafka.connect.storage.SimpleHeaderConverter": "simple",
	"org.apache.kafka.connect.converters.ShortConverter":     "int16",
	"org.apache.kafka.connect.converters.IntegerConverter":   "int32",
	"org.apache.kafka.connect.converters.LongConverter":      "int64",
	"org.apache.kafka.connect.converters.FloatConverter":     "float32",
	"org.apache.kafka.connect.converters.DoubleConverter":    "float64",
	"org.apache.kafka.connect.converters.BooleanConverter":   "boolean",
	"io.debezium.converters.BinaryDataConverter":             "binary",
	"io.debezium.converters.ByteArrayConverter":              "binary",
	"io.debezium.converters.ByteBufferConverter":             "binary",
}

// class finds a converter's class; its package may be left out, as in Kafka Connect.
func class(text string) string {
	text = trim(text)
	if name, ok := classes[text]; ok {
		return name
	}
	for long, name := range classes {
		short := long[strings.LastIndexByte(long, '.')+1:]
		if strings.HasPrefix(long, "org.apache.kafka.") && (text == short || text+"Converter" == short) {
			return name
		}
	}
	return ""
}

// converterOf returns the part of the record whose converter an option belongs to:
// key, value or header; "" when it is none.
func converterOf(name string) string {
	for _, part := range []string{"key", "value", "header"} {
		if name == part+".converter" || strings.HasPrefix(name, part+".converter.") {
			return part
		}
	}
	return ""
}

// formatOf returns the prefix of a converter's option in Debezium Server's file.
func (im *importer) formatOf(name string) string {
	if !strings.HasPrefix(name, "format.") || slices.Contains([]string{"format.key", "format.value", "format.header"}, name) {
		return ""
	}
	for _, prefix := range []string{"format.key.", "format.value.", "format.header."} {
		if strings.HasPrefix(name, prefix) {
			return prefix
		}
	}
	return "format."
}

// converters reads the three converters.
func (im *importer) converters() {
	for _, part := range []string{"key", "value", "header"} {
		key := "format." + part
		if part == "header" {
			key = "format.headers"
		}
		c := converter{}
		ok := false
		if im.server {
			c, ok = im.serverConverter(part, key)
		} else {
			c, ok = im.connectConverter(part, key)
		}
		if !ok {
			continue
		}
		im.parts[part] = c
		im.set(key, c.yaml(), c.from)
	}
}

// yaml writes the mapping on one line.
func (c converter) yaml() string {
	parts := []string{"converter: " + c.name}
	if c.delegate != "" {
		parts = append(parts, "delegate: "+c.delegate)
	}
	if c.decimals != "" {
		parts = append(parts, "decimals: "+c.decimals)
	}
	if c.nulls {
		parts = append(parts, "null_default: false")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// connectConverter reads KEY.converter and its options. Without it the worker's
// converter counts, which a connector's file does not tell.
func (im *importer) connectConverter(part, key string) (converter, bool) {
	option := part + ".converter"
	e := im.get(option)
	if e == nil {
		for _, sub := range im.entries {
			if strings.HasPrefix(sub.name, option+".") {
				im.note(Ignored, sub, "", "Kafka Connect does not read it where "+option+" is not set beside it.")
			}
		}
		if part == "header" {
			return converter{name: "simple", from: "header.converter: Kafka Connect's default"}, true
		}
		im.absent(Dangerous, option, key, fmt.Sprintf("The file does not say, so the worker's %s counts. The one of Kafka's sample files is assumed, JSON with schemas. Look into the worker's file, or name it with --worker.", option))
		return converter{name: "json-schema", from: option + ": not in the file; Kafka's sample worker has JSON with schemas"}, true
	}
	if !im.resolved(e) {
		return converter{}, false
	}
	name := class(e.value)
	if name == "" || name == "simple" && part != "header" {
		im.block(e, "%s", noConverter(e.value, part))
		return converter{}, false
	}
	c, ok := im.configure(name, part, key, []string{option + "."})
	c.from = e.origin()
	im.took(e, key, c.yaml())
	return c, ok
}

// noConverter says what to do about a converter that is not there.
func noConverter(class, part string) string {
	for _, word := range []string{"Avro", "Protobuf", "JsonSchema", "apicurio", "cloudevents", "CloudEvents"} {
		if strings.Contains(strings.ToLower(class), strings.ToLower(word)) {
			return fmt.Sprintf("%s needs a schema registry or an envelope of its own, which walrelay does not have. Where the payload column holds bytes that are serialized already, io.debezium.converters.BinaryDataConverter and walrelay write them as they are", class)
		}
	}
	return fmt.Sprintf("%q is no converter that walrelay has for a %s: want StringConverter, JsonConverter, ByteArrayConverter, BinaryDataConverter or one for numbers", class, part)
}

// formats are Debezium Server's words.
var formats = map[string]string{"json": "json", "jsonbytearray": "json", "simplestring": "string", "binary": "binary"}

// serverConverter reads debezium.format.KEY; its default is JSON with schemas.
func (im *importer) serverConverter(part, key string) (converter, bool) {
	prefixes := []string{"format." + part + ".", "format.", part + ".converter."}
	from := im.spelled("format."+part) + ": Debezium Server's default"
	e := im.get("format." + part)
	name := "json"
	if e != nil {
		if !im.resolved(e) {
			return converter{}, false
		}
		word := strings.ToLower(trim(e.value))
		name, from = formats[word], e.origin()
		switch {
		case word == "clientprovided":
		case name == "", part == "header" && name != "json":
			im.block(e, "%s", noConverter(e.value, part))
			return converter{}, false
		}
	}
	for _, prefix := range prefixes {
		if sub := im.get(prefix + "class"); sub != nil && im.resolved(sub) {
			if name = class(sub.value); name == "" {
				im.block(sub, "%s", noConverter(sub.value, part))
				return converter{}, false
			}
			im.took(sub, key, name)
			break
		}
	}
	if name == "" {
		im.block(e, "needs a class: set %s", im.spelled("format."+part+".class"))
		return converter{}, false
	}
	c, ok := im.configure(name, part, key, prefixes)
	c.from = from
	if e != nil {
		im.took(e, key, c.yaml())
	} else {
		im.absent(Taken, "format."+part, key, "Debezium Server's default is JSON"+map[bool]string{true: " with schemas.", false: "."}[c.name == "json-schema"])
	}
	return c, ok
}

// configure reads a converter's options; of the prefixes the first that has one counts.
func (im *importer) configure(name, part, key string, prefixes []string) (c converter, ok bool) {
	c = converter{name: name}
	sub := func(option string) *entry {
		var first *entry
		for _, prefix := range prefixes {
			if e := im.get(prefix + option); e != nil && first == nil {
				first = e
			}
		}
		if first != nil && !im.resolved(first) {
			return nil
		}
		return first
	}
	switch name {
	case "json":
		c.name = im.jsonName(sub("schemas.enable"), key)
		im.jsonOptions(&c, sub, "", key)
	case "binary":
		if d := sub("delegate.converter.type"); d != nil && !im.delegate(&c, d, sub, part, key) {
			return c, false
		}
	case "string":
		if e := sub("converter.encoding"); e != nil {
			if enc := strings.ToUpper(trim(e.value)); enc != "UTF-8" && enc != "UTF8" {
				im.block(e, "%q: walrelay writes UTF-8 only", e.value)
				return c, false
			}
			im.took(e, key, "UTF-8")
		}
	}
	return c, true
}

// jsonName is json or json-schema; schemas are on by default.
func (im *importer) jsonName(e *entry, key string) string {
	if e == nil {
		return "json-schema"
	}
	on, ok := im.flag(e)
	name := "json"
	if on {
		name = "json-schema"
	}
	if ok {
		im.took(e, key, name)
	}
	return name
}

// jsonOptions reads JsonConverter's other options.
func (im *importer) jsonOptions(c *converter, sub func(string) *entry, prefix, key string) {
	if e := sub(prefix + "decimal.format"); e != nil {
		if mode, ok := im.choice(e, "base64", "numeric"); ok {
			if mode == "numeric" {
				c.decimals = mode
			}
			im.took(e, key+".decimals", mode)
		}
	}
	if e := sub(prefix + "replace.null.with.default"); e != nil {
		if on, ok := im.flag(e); ok {
			c.nulls = !on
			im.took(e, key+".null_default", yesNo(on))
		}
	}
}

// delegate reads BinaryDataConverter's converter for what is not bytes.
func (im *importer) delegate(c *converter, e *entry, sub func(string) *entry, part, key string) bool {
	const prefix = "delegate.converter.type."
	switch name := class(e.value); name {
	case "string":
		c.delegate = name
	case "json":
		c.delegate = im.jsonName(sub(prefix+"schemas.enable"), key+".delegate")
		im.jsonOptions(c, sub, prefix, key)
	default:
		im.block(e, "%q: walrelay has StringConverter and JsonConverter as delegates", e.value)
		return false
	}
	if part == "header" {
		im.note(Differs, e, key+".delegate: "+c.delegate, "Debezium does not read it for headers and fails on headers that are not bytes; walrelay uses it.")
		return true
	}
	im.took(e, key+".delegate", c.delegate)
	return true
}

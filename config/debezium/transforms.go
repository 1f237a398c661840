package debezium

import (
	"regexp"
	"slices"
	"strings"
)

const routerClass = "io.debezium.transforms.outbox.EventRouter"

// findRouter finds the Outbox Event Router among the transforms.
func (im *importer) findRouter() {
	for _, name := range listOf(im.text("transforms", "")) {
		if trim(im.text("transforms."+name+".type", "")) == routerClass {
			im.router = "transforms." + name + "."
			return
		}
	}
}

// transforms looks at the chain: one router, and what else touches its records.
func (im *importer) transforms() {
	e := im.get("transforms")
	if e == nil {
		im.blockAbsent("transforms", "is missing: without the Outbox Event Router (%s) Debezium publishes plain change records, which walrelay does not", routerClass)
		return
	}
	if !im.resolved(e) {
		return
	}
	names := listOf(e.value)
	at := slices.IndexFunc(names, func(name string) bool { return "transforms."+name+"." == im.router })
	if at < 0 {
		im.block(e, "has no Outbox Event Router (%s): without it Debezium publishes plain change records, which walrelay does not", routerClass)
	} else {
		im.note(Ignored, e, "route", "walrelay is the router; its rules are in route.*.")
		im.note(Ignored, im.get(im.router+"type"), "route", "walrelay is the router.")
		im.routerPredicate()
	}
	for i, name := range names {
		if i != at && at >= 0 {
			im.transform(name, i < at)
		}
	}
	im.loose(names)
}

// loose names the options of transforms and predicates that are in no list.
func (im *importer) loose(names []string) {
	for _, e := range im.entries {
		rest, ok := strings.CutPrefix(e.name, "transforms.")
		if !ok || e.noted || im.router != "" && strings.HasPrefix(e.name, im.router) {
			continue
		}
		if name, _, _ := strings.Cut(rest, "."); !slices.Contains(names, name) {
			im.note(Ignored, e, "", "transforms does not list "+name+".")
		}
	}
	listed := listOf(im.text("predicates", ""))
	for _, e := range im.entries {
		if rest, ok := strings.CutPrefix(e.name, "predicates."); ok && !e.noted {
			name, _, _ := strings.Cut(rest, ".")
			if slices.Contains(listed, name) {
				im.note(Ignored, e, "", "Belongs to predicate "+name+".")
			} else {
				im.note(Ignored, e, "", "predicates does not list "+name+".")
			}
		}
	}
	if e := im.get("predicates"); e != nil && !e.noted {
		im.note(Ignored, e, "", "There are no predicates; see the transforms that use them.")
	}
}

// predicate is a predicate as far as it is understood.
type predicate struct {
	name, class string
	negate      bool
	pattern     string // of TopicNameMatches
	header      string // of HasHeaderKey
}

// predicateOf reads the predicate of a transform; ok is false when it has none.
func (im *importer) predicateOf(transform string) (p predicate, ok bool) {
	e := im.get(transform + "predicate")
	if n := im.get(transform + "negate"); n != nil {
		p.negate = strings.EqualFold(trim(n.value), "true")
		n.noted = n.noted || e != nil
	}
	if e == nil {
		return p, false
	}
	p.name = trim(e.value)
	p.class = trim(im.text("predicates."+p.name+".type", ""))
	p.class = p.class[strings.LastIndexByte(p.class, '.')+1:]
	p.pattern = im.text("predicates."+p.name+".pattern", "")
	p.header = im.text("predicates."+p.name+".name", "")
	return p, true
}

// rawTopic is the topic of a table's change records before the router.
func (im *importer) rawTopic(table string) string {
	return im.prefix + im.text("topic.delimiter", ".") + table
}

// routed tells whether the router's predicate lets a table's rows to the router.
func (im *importer) routed(table string) bool {
	p, ok := im.predicateOf(im.router)
	if !ok || im.router == "" || p.class != "TopicNameMatches" {
		return true
	}
	match, ok := whole(p.pattern)
	return !ok || match(im.rawTopic(table)) != p.negate
}

// routerPredicate says what the router's own predicate means.
func (im *importer) routerPredicate() {
	p, ok := im.predicateOf(im.router)
	e := im.get(im.router + "predicate")
	if !ok {
		return
	}
	switch {
	case p.class == "TopicNameMatches":
		match, ok := whole(p.pattern)
		if !ok {
			im.note(Differs, e, "", "Its pattern cannot be looked at here. It is taken to choose the tables of outbox, and no others.")
			return
		}
		for _, t := range im.tables {
			if match(im.rawTopic(t.Schema+"."+t.Name)) == p.negate {
				im.block(e, "keeps %s from the router: its rows go out as plain change records, which walrelay does not publish. Leave the table out of table.include.list, or %s", t, nameThem)
			}
		}
		im.note(Ignored, e, "", "It limits the router to the outbox; walrelay reads nothing else.")
	case p.class == "RecordIsTombstone" && p.negate:
		im.note(Ignored, e, "", "Change records that are tombstones come from DELETEs, which make no events.")
	default:
		im.block(e, "decides by %s which rows are routed, and walrelay routes them all: remove the predicate if it leaves no outbox rows out", orName(p.class, p.name))
	}
}

func orName(class, name string) string {
	if class != "" {
		return class
	}
	return "predicate " + name
}

// transform says what another transform of the chain means for the records.
func (im *importer) transform(name string, before bool) {
	prefix := "transforms." + name + "."
	e := im.get(prefix + "type")
	if e == nil {
		im.block(im.get("transforms"), "lists %s, which has no type", name)
		return
	}
	p, conditional := im.predicateOf(prefix)
	for _, other := range im.entries {
		if other != e && strings.HasPrefix(other.name, prefix) {
			im.note(Ignored, other, "", "Belongs to transform "+name+".")
		}
	}
	class := trim(e.value)
	short := class[strings.LastIndexByte(class, '.')+1:]
	if conditional && !im.mayApply(p, before) {
		im.note(Unsupported, e, "", "It does not touch the records of the outbox. What it does to others is not there, as walrelay publishes nothing else.")
		return
	}
	switch {
	case strings.HasPrefix(class, "io.debezium.transforms.tracing."):
		im.note(Unsupported, e, "", "There is no OpenTelemetry in walrelay.")
	case class == routerClass:
		im.block(e, "is a second Outbox Event Router: make a file of each router with its tables, and a walrelay with a slot of its own for each")
	case short == "ExtractNewRecordState" && before:
		im.block(e, "unwraps the rows before the router, which then leaves them as they are: remove it, or put it behind the router, as the outbox does not need it")
	case short == "ExtractNewRecordState":
		im.note(Ignored, e, "", "It leaves the router's records alone.")
	case before:
		im.block(e, "changes or leaves out rows before the router sees them, and walrelay has no transforms: do it where the row is inserted, then remove it")
	case changesTopic(short):
		im.block(e, "changes topics after the router: put the rule into route.topic.regex and route.topic.replacement, then remove it")
	default:
		im.block(e, "changes or leaves out records after the router, and walrelay has no transforms: do it where the row is inserted or in the consumer, then remove it")
	}
}

// changesTopic tells the transforms that are known to.
func changesTopic(short string) bool {
	return slices.Contains([]string{"RegexRouter", "ByLogicalTableRouter", "TimestampRouter", "MessageTimestampRouter", "ContentBasedRouter", "ExtractTopic$Value", "ExtractTopic$Key", "ExtractTopic$Header", "TopicRegexRouter", "SchemaNameToTopic", "PartitionRouting"}, short)
}

// mayApply tells whether a predicate may let an outbox record through.
func (im *importer) mayApply(p predicate, before bool) bool {
	switch p.class {
	case "HasHeaderKey": // every record of the router has id, no other has
		return before || p.header != "id" || !p.negate
	case "TopicNameMatches":
	default:
		return true
	}
	match, ok := whole(p.pattern)
	if !ok {
		return true
	}
	if before {
		return slices.ContainsFunc(im.tables, func(t tableName) bool { return match(im.rawTopic(t.Schema+"."+t.Name)) != p.negate })
	}
	re, err := regexp.Compile(p.pattern) // what follows needs no more than how its matches begin
	if err != nil || p.negate {
		return true
	}
	pattern, _ := re.LiteralPrefix()
	routed := im.topicPrefix()
	return strings.HasPrefix(pattern, routed) || strings.HasPrefix(routed, pattern)
}

// topicPrefix is how all topics of the router begin.
func (im *importer) topicPrefix() string {
	regex, replacement := im.text(im.router+"route.topic.regex", defaultRegex), im.text(im.router+"route.topic.replacement", defaultReplacement)
	template, ok := topicTemplate(regex, replacement)
	if !ok {
		return ""
	}
	prefix, _, _ := strings.Cut(template, "$")
	return prefix
}

package debezium

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// database writes postgres.url. What the file takes from elsewhere comes from PG*
// variables.
func (im *importer) database() {
	var from []string
	known := func(option, variable, what string) string {
		e := im.get(option)
		if e == nil || trim(e.value) == "" || e.missing != "" {
			text := fmt.Sprintf("%s, which the file does not name.", what)
			if e != nil && e.missing != "" {
				text = fmt.Sprintf("%s, which the file takes from %s.", what, e.missing)
			}
			if e != nil {
				im.note(Differs, e, "postgres.url", "Not known here: set "+variable+".")
			}
			im.fromEnv(variable, im.spelled(option), text)
			return ""
		}
		from = append(from, option)
		shown, _, _ := strings.Cut(trim(e.value), "?")
		im.took(e, "postgres.url", shown)
		return trim(e.value)
	}
	host := known("database.hostname", "PGHOST", "the database server")
	user := known("database.user", "PGUSER", "the user")
	name := known("database.dbname", "PGDATABASE", "the database")
	port := ""
	if e := im.get("database.port"); e != nil {
		port = known("database.port", "PGPORT", "the port")
		if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) {
			im.block(e, "%q is no port: want 1 to 65535", e.value)
			return
		}
	}
	hosts, ok := hostList(host, port)
	if !ok {
		im.block(im.get("database.hostname"), "is no host: want its name alone, or several as host:port,host:port")
		return
	}
	name, extra, _ := strings.Cut(name, "?")
	if extra != "" {
		im.note(Unsupported, im.get("database.dbname"), "postgres.url", "The parameters behind the ? are the JDBC driver's: see whether a parameter of postgres.url does the same.")
	}
	query, names := im.tls()
	from = append(from, names...)
	if hosts == "" && port != "" { // a URL has no port without a host
		query.Set("port", port)
	}
	im.set("postgres.url", scalar(postgresURL(hosts, user, name, query)), im.origins(from))
	im.password()
}

// hostName is a name, or an address of IPv4.
var hostName = regexp.MustCompile(`^[\pL\pN_][\pL\pN._-]*$`)

// postgresURL writes the URL; what is empty is left to PG* variables.
func postgresURL(hosts, user, name string, query url.Values) string {
	var b strings.Builder
	b.WriteString("postgres://")
	if user != "" {
		b.WriteString(url.User(user).String() + "@")
	}
	b.WriteString(hosts + "/" + url.PathEscape(name))
	if len(query) > 0 {
		b.WriteString("?" + query.Encode())
	}
	return b.String()
}

// hostList writes one or several hosts. As in a JDBC URL the port belongs to the last;
// the others have theirs or 5432. ok is false when something there is no host.
func hostList(text, port string) (hosts string, ok bool) {
	list := listOf(text)
	for i, host := range list {
		own := ""
		switch {
		case i < len(list)-1:
			own = "5432"
		case port != "":
			own = port
		}
		if h, p, err := net.SplitHostPort(host); err == nil {
			if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
				return "", false
			}
			host, own = h, p
		}
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		if !hostName.MatchString(host) && net.ParseIP(host) == nil {
			return "", false
		}
		switch {
		case own != "":
			list[i] = net.JoinHostPort(host, own)
		case strings.Contains(host, ":"):
			list[i] = "[" + host + "]"
		default:
			list[i] = host
		}
	}
	return strings.Join(list, ","), true
}

// origins writes the comment of a line that several options make.
func (im *importer) origins(names []string) string {
	if len(names) == 0 {
		return ""
	}
	parts := make([]string, len(names))
	for i, name := range names {
		e := im.get(name)
		parts[i] = e.as
		if i > 0 {
			parts[i] = strings.TrimPrefix(e.as, im.spelled("database."))
		}
		if e.line > 0 {
			parts[i] += fmt.Sprintf(" (line %d)", e.line)
		}
	}
	return strings.Join(parts, ", ")
}

// password points to where the password comes from.
func (im *importer) password() {
	e := im.get("database.password")
	im.hints["postgres.password"] = "the password comes from PGPASSWORD or ~/.pgpass"
	text := "the database password (or ~/.pgpass)."
	switch {
	case e == nil:
		return
	case e.missing != "":
		text = fmt.Sprintf("the database password (or ~/.pgpass), which the file takes from %s.", e.missing)
		im.note(Differs, e, "PGPASSWORD", "Secrets are not copied: give walrelay the password by PGPASSWORD, ~/.pgpass or postgres.password_file.")
	default:
		im.note(Differs, e, "PGPASSWORD", "Secrets are not copied: give walrelay the password by PGPASSWORD, ~/.pgpass or postgres.password_file.")
	}
	im.hints["postgres.password"] += fmt.Sprintf(" (%s)", e.origin())
	im.fromEnv("PGPASSWORD", e.as, text)
}

// targets are JDBC's words for libpq's target_session_attrs.
var targets = map[string]string{"any": "any", "primary": "primary", "master": "primary", "secondary": "standby", "slave": "standby", "preferSecondary": "prefer-standby", "preferSlave": "prefer-standby"}

// tls reads what is about encryption, and which of several servers is meant.
func (im *importer) tls() (url.Values, []string) {
	query := url.Values{}
	var from []string
	add := func(option, parameter, text string) {
		query.Set(parameter, text)
		from = append(from, option)
		im.took(im.get(option), "postgres.url", parameter+"="+text)
	}
	if e := im.get("database.sslmode"); e != nil {
		if mode, ok := im.choice(e, "disable", "allow", "prefer", "require", "verify-ca", "verify-full"); ok {
			add("database.sslmode", "sslmode", mode)
		}
	}
	if e := im.get("database.sslrootcert"); e != nil && im.resolved(e) {
		add("database.sslrootcert", "sslrootcert", e.value)
	}
	im.clientCertificate(add)
	if e := im.get("database.targetServerType"); e != nil && im.resolved(e) {
		if target, ok := targets[trim(e.value)]; ok {
			add("database.targetServerType", "target_session_attrs", target)
		} else {
			im.note(Unsupported, e, "postgres.url", "Has no counterpart: see target_session_attrs of PostgreSQL's connection parameters.")
		}
	}
	return query, from
}

// clientCertificate takes over certificate and key. PostgreSQL's Java driver wants the
// key in another format than everybody else.
func (im *importer) clientCertificate(add func(option, parameter, text string)) {
	cert, key := im.get("database.sslcert"), im.get("database.sslkey")
	if e := im.get("database.sslpassword"); e != nil {
		im.note(Differs, e, "PGSSLPASSWORD", "Secrets are not copied: set PGSSLPASSWORD.")
		im.fromEnv("PGSSLPASSWORD", e.as, "the password of the client certificate's key.")
	}
	switch {
	case cert == nil && key == nil:
		return
	case cert == nil || key == nil:
		e := cert
		if e == nil {
			e = key
		}
		im.note(Unsupported, e, "postgres.url", "A client certificate needs both database.sslcert and database.sslkey.")
		return
	case !im.resolved(cert) || !im.resolved(key):
		return
	}
	if path := strings.ToLower(key.value); strings.HasSuffix(path, ".pk8") || strings.HasSuffix(path, ".der") {
		im.note(Unsupported, key, "postgres.url", fmt.Sprintf("The key is in Java's format (DER). Convert it with `openssl pkcs8 -inform DER -in %s -out key.pem` and set PGSSLCERT=%s and PGSSLKEY=key.pem.", key.value, cert.value))
		im.note(Unsupported, cert, "postgres.url", "See database.sslkey.")
		im.fromEnv("PGSSLCERT", cert.as, "the client certificate, "+cert.value+".")
		im.fromEnv("PGSSLKEY", key.as, "its key, converted to PEM.")
		return
	}
	add("database.sslcert", "sslcert", cert.value)
	add("database.sslkey", "sslkey", key.value)
}

// slot writes the slot and the publication.
func (im *importer) slot() {
	pgoutput := im.plugin()
	im.slotName(pgoutput)
	im.publicationName()
	im.publication(pgoutput)
}

// plugin tells whether the slot can be taken over: only pgoutput's can.
func (im *importer) plugin() bool {
	e := im.get("plugin.name")
	const text = "walrelay cannot read a slot of another plugin than pgoutput, so it makes one of its own under another name. To switch without a gap, run `walrelay init` while Debezium still runs, then stop Debezium and start walrelay: what was committed in between is published twice, with the same event ids. Set snapshot.mode to none unless the rows that are in the tables are to be published again. Drop the old slot afterwards."
	switch {
	case e == nil:
		im.absent(Dangerous, "plugin.name", "postgres.slot", "Debezium's default is decoderbufs. "+text)
		return false
	case !im.resolved(e):
		return true
	case strings.EqualFold(trim(e.value), "pgoutput"):
		im.note(Ignored, e, "", "walrelay reads pgoutput, too.")
		return true
	}
	im.note(Dangerous, e, "postgres.slot", text)
	return false
}

func (im *importer) slotName(pgoutput bool) {
	name, from := "debezium", im.spelled("slot.name")+": Debezium's default"
	e := im.get("slot.name")
	if e != nil {
		if e.missing != "" {
			im.note(Differs, e, "postgres.slot", "Not known here: set WALRELAY_POSTGRES_SLOT.")
			im.fromEnv("WALRELAY_POSTGRES_SLOT", e.as, "the slot, which the file takes from "+e.missing+".")
			return
		}
		name, from = e.value, e.origin()
	}
	if !slotName(name) {
		im.block(e, "%q is no slot name: want 1 to 63 of a-z, 0-9 and _", name)
		return
	}
	if !pgoutput {
		name = name[:min(len(name), 54)] + "_walrelay"
		from = "a slot of its own, see plugin.name"
	}
	im.set("postgres.slot", scalar(name), from)
	switch {
	case e != nil:
		im.took(e, "postgres.slot", name)
	case pgoutput:
		im.absent(Taken, "slot.name", "postgres.slot", "Debezium's default is debezium.")
	}
}

// slotName is PostgreSQL's rule.
func slotName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != "" && len(name) <= 63
}

func (im *importer) publicationName() {
	name, from := "dbz_publication", im.spelled("publication.name")+": Debezium's default"
	e := im.get("publication.name")
	switch {
	case e == nil:
		im.absent(Taken, "publication.name", "postgres.publication", "Debezium's default is dbz_publication.")
	case e.missing != "":
		im.note(Differs, e, "postgres.publication", "Not known here: set WALRELAY_POSTGRES_PUBLICATION.")
		im.fromEnv("WALRELAY_POSTGRES_PUBLICATION", e.as, "the publication, which the file takes from "+e.missing+".")
		return
	case trim(e.value) == "" || len(e.value) > 63:
		im.block(e, "is no name of a publication: want 1 to 63 bytes")
		return
	default:
		name, from = e.value, e.origin()
		im.took(e, "postgres.publication", name)
	}
	im.set("postgres.publication", scalar(name), from)
}

// publication reads who makes the publication. walrelay makes slot and publication
// where they are missing, as Debezium makes at least the slot.
func (im *importer) publication(pgoutput bool) {
	const option = "publication.autocreate.mode"
	const everything = "The publication holds every table of the database, so the server sends all their changes through the slot. walrelay works with it and reads the outbox alone; a publication for just that table is cheaper: make one, and name it in postgres.publication."
	e := im.get(option)
	if e == nil {
		im.set("postgres.auto_create", "true", im.spelled(option)+": Debezium makes slot and publication, too")
		if pgoutput {
			im.absent(Dangerous, option, "postgres.auto_create", "Debezium's default is all_tables. "+everything)
		}
		return
	}
	mode, ok := im.choice(e, "disabled", "all_tables", "filtered", "no_tables")
	if !ok {
		return
	}
	im.set("postgres.auto_create", "true", e.origin())
	switch mode {
	case "all_tables":
		im.note(Dangerous, e, "postgres.auto_create: true", everything)
	case "filtered":
		im.took(e, "postgres.auto_create", "true")
	case "no_tables":
		im.note(Differs, e, "postgres.auto_create: true", "Debezium makes a publication without tables. walrelay makes a missing one with the outbox in it; of one that exists it needs the outbox to be in it.")
	default:
		im.note(Differs, e, "postgres.auto_create: true", "Debezium makes the slot, not the publication. walrelay makes both where they are missing; false makes neither.")
	}
}

func useFailover(im *importer, e *entry) {
	if on, ok := im.flag(e); ok {
		im.take(e, "postgres.failover_slot", yesNo(on))
	}
}

func useDropSlot(im *importer, e *entry) {
	if on, ok := im.flag(e); ok && on {
		im.note(Dangerous, e, "", "Debezium drops the slot when it is stopped: what is committed from then until a new slot exists is lost, and there is no slot to take over. Set it to false and restart the connector before the switch. walrelay never drops its slot.")
	} else if ok {
		im.note(Ignored, e, "", "walrelay never drops its slot.")
	}
}

func usePartitionRoot(im *importer, e *entry) {
	if on, ok := im.flag(e); ok && on {
		im.note(Ignored, e, "", "A publication that walrelay makes is published by its partitions' root, too.")
	} else if ok {
		im.note(Differs, e, "", "A publication that walrelay makes has publish_via_partition_root. It makes a difference for partitioned outbox tables only, which walrelay reads by their root.")
	}
}

func useFlushMode(im *importer, e *entry) {
	switch strings.ToLower(trim(e.value)) {
	case "manual", "false":
		im.note(Dangerous, e, "", "Debezium leaves it to you to move the slot on. walrelay confirms what Kafka has acknowledged by itself: stop whatever moves the slot on before the switch.")
	default:
		im.note(Ignored, e, "", "walrelay confirms what Kafka has acknowledged, and moves its slot on also while nothing is written to the outbox.")
	}
}

package debezium

import (
	"fmt"
	"net"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// kafka writes the Kafka side, from the producer's options and those of a worker.
func (im *importer) kafka() {
	im.brokers()
	im.security()
	im.creation()
	for _, e := range im.entries { // the worker's own where the producer has others, or nothing needs them
		if !e.noted && (strings.HasPrefix(e.name, "sasl.") || strings.HasPrefix(e.name, "ssl.") || e.name == "client.id") {
			im.note(Ignored, e, "", "The worker's own connection; the producer's options count.")
		}
	}
}

// producer returns an option of the producer: the connector's own, the worker's for
// producers, the worker's.
func (im *importer) producer(name string) *entry {
	var found *entry
	for _, prefix := range []string{"producer.override.", "producer.", ""} {
		e := im.get(prefix + name)
		switch {
		case e == nil:
		case found == nil:
			found = e
		case !e.noted:
			im.note(Ignored, e, "", found.as+" goes before it.")
		}
	}
	return found
}

// scheme is the protocol that may stand before a broker.
var scheme = regexp.MustCompile(`^[A-Za-z_]+://`)

func (im *importer) brokers() {
	e := im.producer("bootstrap.servers")
	const text = "Kafka's brokers, as host:port,host:port"
	if e == nil {
		im.hints["kafka.brokers"] = "the brokers come from WALRELAY_KAFKA_BROKERS: the file does not name them"
		im.fromEnv("WALRELAY_KAFKA_BROKERS", "", text+"; a connector's file does not name them, the worker's does (bootstrap.servers).")
		return
	}
	if e.missing != "" {
		im.hints["kafka.brokers"] = "the brokers come from WALRELAY_KAFKA_BROKERS (" + e.origin() + ")"
		im.note(Differs, e, "kafka.brokers", "Not known here: set WALRELAY_KAFKA_BROKERS.")
		im.fromEnv("WALRELAY_KAFKA_BROKERS", e.as, text+", which the file takes from "+e.missing+".")
		return
	}
	var list, plain []string
	for i, broker := range listOf(e.value) {
		broker = scheme.ReplaceAllString(broker, "")
		host, port, err := net.SplitHostPort(broker)
		if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 1 || n > 65535 || host == "" || strings.ContainsAny(host, "/@ ") {
			im.block(e, "broker %d of the list is no address: want host:port", i+1)
			return
		}
		if !strings.Contains(strings.Join(plain, ",")+",", broker+",") {
			plain, list = append(plain, broker), append(list, scalar(broker))
		}
	}
	if len(list) == 0 {
		im.block(e, "names no broker: want host:port")
		return
	}
	im.set("kafka.brokers", "["+strings.Join(list, ", ")+"]", e.origin())
	im.took(e, "kafka.brokers", strings.Join(plain, ", "))
}

// security reads encryption and authentication.
func (im *importer) security() {
	protocol := "PLAINTEXT"
	e := im.producer("security.protocol")
	if e != nil {
		if !im.resolved(e) {
			return
		}
		protocol = strings.ToUpper(trim(e.value))
	}
	switch protocol {
	case "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL":
	default:
		im.block(e, "%q is no protocol of Kafka's: want PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", e.value)
		return
	}
	if strings.HasSuffix(protocol, "SSL") {
		im.take(e, "kafka.tls.enabled", "true")
		im.trust()
		im.clientKey()
	} else if e != nil {
		im.took(e, "kafka.tls", "off")
	}
	if strings.HasPrefix(protocol, "SASL") {
		im.sasl()
	}
}

// mechanisms are Kafka's names for what walrelay has.
var mechanisms = map[string]string{"PLAIN": "plain", "SCRAM-SHA-256": "scram-sha-256", "SCRAM-SHA-512": "scram-sha-512"}

// jaasUser finds the user name in a JAAS configuration.
var jaasUser = regexp.MustCompile(`(?:^|\s)username\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s;"']+))`)

func (im *importer) sasl() {
	e := im.producer("sasl.mechanism")
	if e == nil {
		im.block(im.producer("security.protocol"), "SASL without sasl.mechanism means Kerberos, which walrelay does not have: it has plain, scram-sha-256 and scram-sha-512")
		return
	}
	if !im.resolved(e) {
		return
	}
	mechanism, ok := mechanisms[strings.ToUpper(trim(e.value))]
	if !ok {
		im.block(e, "%q: walrelay has PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. Give it such a user, or a client certificate", e.value)
		return
	}
	im.take(e, "kafka.sasl.mechanism", mechanism)
	const variable = "WALRELAY_KAFKA_SASL_PASSWORD"
	jaas := im.producer("sasl.jaas.config")
	im.hints["kafka.sasl.password"] = "the password comes from " + variable
	if jaas == nil {
		im.fromEnv("WALRELAY_KAFKA_SASL_USERNAME", "", "the Kafka user, which the file does not name.")
		im.fromEnv(variable, "", "the Kafka user's password.")
		return
	}
	m := jaasUser.FindStringSubmatch(jaas.value)
	user := ""
	if m != nil {
		user = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[1]) + m[2] + m[3]
	}
	if user == "" || strings.Contains(user, "${") {
		im.fromEnv("WALRELAY_KAFKA_SASL_USERNAME", jaas.as, "the Kafka user, which the file takes from elsewhere.")
		im.hints["kafka.sasl.username"] = "the user comes from WALRELAY_KAFKA_SASL_USERNAME (" + jaas.origin() + ")"
	} else {
		im.set("kafka.sasl.username", scalar(user), jaas.origin())
	}
	im.hints["kafka.sasl.password"] += " (" + jaas.origin() + ")"
	im.note(Differs, jaas, "kafka.sasl", "The user name was taken over where it stands there. Secrets are not copied: give walrelay the password by "+variable+" or kafka.sasl.password_file.")
	im.fromEnv(variable, jaas.as, "the Kafka user's password.")
}

// store is a Java trust store or key store.
func (im *importer) store(kind string) (location *entry, format string) {
	location = im.producer("ssl." + kind + ".location")
	format = "JKS"
	if e := im.producer("ssl." + kind + ".type"); e != nil {
		format = strings.ToUpper(trim(e.value))
		im.note(Ignored, e, "kafka.tls", "walrelay reads PEM files.")
	}
	if e := im.producer("ssl." + kind + ".password"); e != nil {
		im.note(Ignored, e, "", "A PEM file of certificates has no password.")
	}
	return location, format
}

// trust takes over the certificate authorities.
func (im *importer) trust() {
	if e := im.producer("ssl.truststore.certificates"); e != nil {
		im.note(Unsupported, e, "kafka.tls.ca_file", "Write the certificates into a file and name it by WALRELAY_KAFKA_TLS_CA_FILE.")
		im.fromEnv("WALRELAY_KAFKA_TLS_CA_FILE", e.as, "a PEM file with the certificates that the brokers' are signed by.")
	}
	e, format := im.store("truststore")
	switch {
	case e == nil:
	case !im.resolved(e):
	case format == "PEM":
		im.take(e, "kafka.tls.ca_file", scalar(e.value))
	default:
		how := fmt.Sprintf("`keytool -list -rfc -keystore %s > ca.pem`", e.value)
		if format == "PKCS12" || strings.HasSuffix(e.value, ".p12") {
			how = fmt.Sprintf("`openssl pkcs12 -in %s -nokeys -out ca.pem`", e.value)
		}
		im.note(Unsupported, e, "kafka.tls.ca_file", "walrelay reads PEM files: convert it with "+how+" and name the file by WALRELAY_KAFKA_TLS_CA_FILE.")
		im.hints["kafka.tls.ca_file"] = "the certificate authorities come from WALRELAY_KAFKA_TLS_CA_FILE (" + e.origin() + ")"
		im.fromEnv("WALRELAY_KAFKA_TLS_CA_FILE", e.as, "a PEM file made of "+e.value+".")
	}
}

// clientKey takes over the client certificate.
func (im *importer) clientKey() {
	chain, key := im.producer("ssl.keystore.certificate.chain"), im.producer("ssl.keystore.key")
	for _, e := range []*entry{chain, key} {
		if e != nil {
			im.note(Unsupported, e, "kafka.tls", "Write the certificate and its key into files and name them by WALRELAY_KAFKA_TLS_CERT_FILE and WALRELAY_KAFKA_TLS_KEY_FILE.")
		}
	}
	e, format := im.store("keystore")
	if p := im.producer("ssl.key.password"); p != nil {
		im.note(Differs, p, "kafka.tls.key_file", "walrelay reads keys without a password: decrypt it with `openssl pkey -in key.pem -out plain.pem`.")
	}
	switch {
	case e == nil && chain == nil:
		return
	case e != nil && format == "PEM":
		if im.resolved(e) {
			im.take(e, "kafka.tls.cert_file", scalar(e.value))
			im.set("kafka.tls.key_file", scalar(e.value), e.origin())
		}
		return
	case e != nil:
		im.note(Unsupported, e, "kafka.tls", fmt.Sprintf("walrelay reads PEM files. Convert it with `keytool -importkeystore -srckeystore %s -destkeystore client.p12 -deststoretype PKCS12`, `openssl pkcs12 -in client.p12 -nokeys -out client.pem` and `openssl pkcs12 -in client.p12 -nocerts -nodes -out client.key`, and name the files by WALRELAY_KAFKA_TLS_CERT_FILE and WALRELAY_KAFKA_TLS_KEY_FILE.", e.value))
	}
	im.fromEnv("WALRELAY_KAFKA_TLS_CERT_FILE", "", "a PEM file with the client certificate.")
	im.fromEnv("WALRELAY_KAFKA_TLS_KEY_FILE", "", "a PEM file with its key.")
}

// creation lets the relay make topics: Debezium relied on the brokers to, or on Kafka
// Connect.
func (im *importer) creation() {
	const prefix = "topic.creation.default."
	settings := map[string]string{}
	var parts, from []string
	number := func(e *entry, key string) {
		n, err := strconv.Atoi(trim(e.value))
		switch {
		case err != nil || n == 0 || n < -1:
			im.block(e, "%q is no number: want 1 or more, or -1 for the cluster's own", e.value)
		case n == -1:
			im.took(e, "kafka.topics.create", "the cluster's "+key)
		default:
			parts = append(parts, fmt.Sprintf("%s: %d", key, n))
			from = append(from, e.origin())
			im.took(e, "kafka.topics.create."+key, trim(e.value))
		}
	}
	for _, e := range im.entries {
		rest, ok := strings.CutPrefix(e.name, prefix)
		switch {
		case !ok && strings.HasPrefix(e.name, "topic.creation.") && e.name != "topic.creation.enable":
			im.note(Unsupported, e, "kafka.topics.create", "There is one rule for all topics: make the others before the first event.")
		case !ok || !im.resolved(e):
		case rest == "partitions":
			number(e, "partitions")
		case rest == "replication.factor":
			number(e, "replication_factor")
		case rest == "include" || rest == "exclude":
			im.note(Unsupported, e, "kafka.topics.create", "There is one rule for all topics.")
		default:
			settings[rest] = trim(e.value)
			from = append(from, e.origin())
			im.took(e, "kafka.topics.create.config", rest+"="+trim(e.value))
		}
	}
	if len(settings) > 0 {
		pairs := make([]string, 0, len(settings))
		for name, text := range settings {
			pairs = append(pairs, fmt.Sprintf("%s: %s", flowScalar(name), flowScalar(text)))
		}
		sort.Strings(pairs)
		parts = append(parts, "config: {"+strings.Join(pairs, ", ")+"}")
	}
	if len(parts) == 0 {
		im.set("kafka.topics.create", "{}", "as before: there the brokers made missing topics")
		im.remark(Differs, "auto.create.topics.enable (brokers)", "kafka.topics.create", "With Debezium the brokers make a missing topic when it is first written to. walrelay makes it itself, with the cluster's partitions and replicas; it needs the right to create topics. Remove kafka.topics.create to make topics by hand.")
		return
	}
	im.set("kafka.topics.create", "{"+strings.Join(parts, ", ")+"}", strings.Join(from, "; "))
}

// flowScalar writes a text within braces.
func flowScalar(text string) string {
	if strings.ContainsAny(text, "{}[],") {
		return doubleQuoted(text)
	}
	return scalar(text)
}

func useCompression(im *importer, e *entry) {
	if mode, ok := im.choice(e, "none", "gzip", "snappy", "lz4", "zstd"); ok {
		im.take(e, "kafka.compression", mode)
	}
}

func useClientID(im *importer, e *entry) {
	if im.resolved(e) && trim(e.value) != "" {
		im.take(e, "kafka.client_id", scalar(trim(e.value)))
	}
}

func useAcks(im *importer, e *entry) {
	switch strings.ToLower(trim(e.value)) {
	case "all", "-1":
		im.note(Ignored, e, "", alwaysAll)
	default:
		im.note(Dangerous, e, "", "Kafka may lose events that were acknowledged so. walrelay always writes with acks=all.")
	}
}

func useEndpointCheck(im *importer, e *entry) {
	if strings.EqualFold(trim(e.value), "https") {
		im.note(Ignored, e, "", "walrelay always checks that a certificate is the broker's.")
		return
	}
	im.note(Dangerous, e, "kafka.tls", "Nobody checks that a certificate is the broker's own. walrelay does: if the certificates carry another name, set kafka.tls.server_name to it.")
}

// useSerializer looks at Debezium Server's serializers, which get text or bytes.
func useSerializer(im *importer, e *entry) {
	switch text := trim(e.value); {
	case strings.HasSuffix(text, ".StringSerializer"), strings.HasSuffix(text, ".ByteArraySerializer"), strings.HasSuffix(text, ".ByteBufferSerializer"), strings.HasSuffix(text, ".BytesSerializer"):
		im.note(Ignored, e, "", "The bytes are those of format.*.")
	default:
		im.block(e, "%q is no serializer that passes on text or bytes, and walrelay has no other", text)
	}
}

func usePartitioner(im *importer, e *entry) {
	if text := trim(e.value); text == "" || strings.HasSuffix(text, ".DefaultPartitioner") {
		im.note(Ignored, e, "", "walrelay chooses partitions as Kafka's default does.")
		return
	}
	im.note(Unsupported, e, "", "walrelay chooses the partition of a key as Kafka's default partitioner does (murmur2). With another one the events of a key that are in Kafka already are in another partition: let consumers catch up before the switch.")
}

func useIgnoreKeys(im *importer, e *entry) {
	if on, ok := im.flag(e); ok && on {
		im.note(Dangerous, e, "", "Events of one key go to all partitions, without an order. walrelay lets the key decide the partition.")
	} else if ok {
		im.note(Ignored, e, "", "walrelay lets the key decide the partition, too.")
	}
}

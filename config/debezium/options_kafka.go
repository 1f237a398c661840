package debezium

// kafkaOptions are those of the Kafka producer, below producer.override. or
// debezium.sink.kafka.producer., and those of a worker's producer. and its own.
var kafkaOptions = []option{
	{name: "bootstrap.servers"}, {name: "security.protocol"}, {name: "sasl.*"}, {name: "ssl.*"}, {name: "client.id"},
	{name: producerPart + "bootstrap.servers"}, {name: producerPart + "security.protocol"},
	{name: producerPart + "sasl.mechanism"}, {name: producerPart + "sasl.jaas.config"},
	{name: producerPart + "sasl.*", verdict: Unsupported, why: "walrelay authenticates by user name and password (plain, scram-sha-256, scram-sha-512)."},
	{name: producerPart + "ssl.truststore.location"}, {name: producerPart + "ssl.truststore.type"}, {name: producerPart + "ssl.truststore.certificates"}, {name: producerPart + "ssl.truststore.password"},
	{name: producerPart + "ssl.keystore.location"}, {name: producerPart + "ssl.keystore.type"}, {name: producerPart + "ssl.keystore.certificate.chain"}, {name: producerPart + "ssl.keystore.key"}, {name: producerPart + "ssl.keystore.password"}, {name: producerPart + "ssl.key.password"},
	{name: producerPart + "ssl.endpoint.identification.algorithm", use: useEndpointCheck},
	{name: producerPart + "ssl.*", verdict: Ignored, why: "walrelay speaks TLS 1.2 and 1.3 with the ciphers of Go."},
	{name: producerPart + "compression.type", use: useCompression},
	{name: producerPart + "client.id", use: useClientID},
	{name: producerPart + "acks", use: useAcks}, {name: producerPart + "enable.idempotence", verdict: Ignored, why: alwaysAll}, {name: producerPart + "max.in.flight.requests.per.connection", verdict: Ignored, why: alwaysAll}, {name: producerPart + "retries", verdict: Ignored, why: waits}, {name: producerPart + "transactional.id", verdict: Ignored, why: alwaysAll},
	{name: producerPart + "max.request.size", verdict: Differs, why: "walrelay has no such limit: it asks each topic for its max.message.bytes. Records that Debezium stopped at may go out."},
	{name: producerPart + "message.timestamp.type", verdict: Unknown},
	{name: producerPart + "key.serializer", use: useSerializer}, {name: producerPart + "value.serializer", use: useSerializer},
	{name: producerPart + "partitioner.class", use: usePartitioner}, {name: producerPart + "partitioner.ignore.keys", use: useIgnoreKeys}, {name: producerPart + "partitioner.*", verdict: Ignored, why: "It is about records without a key."},
	{name: producerPart + "interceptor.classes", verdict: Unsupported, why: "There are no interceptors: what they change or count is missing."},
	{name: producerPart + "metric*", verdict: Ignored, why: noJMX}, {name: producerPart + "auto.include.jmx.reporter", verdict: Ignored, why: noJMX}, {name: producerPart + "enable.metrics.push", verdict: Ignored, why: noJMX},
	{name: producerPart + "batch.size", verdict: Ignored, why: noBatch}, {name: producerPart + "linger.ms", verdict: Ignored, why: noBatch}, {name: producerPart + "buffer.memory", verdict: Ignored, why: "limits.in_flight_bytes bounds what is in flight."}, {name: producerPart + "compression.*", verdict: Ignored, why: "walrelay uses the usual level of each compression."},
	{name: producerPart + "max.block.ms", verdict: Ignored, why: waits}, {name: producerPart + "request.timeout.ms", verdict: Ignored, why: waits}, {name: producerPart + "delivery.timeout.ms", verdict: Ignored, why: waits}, {name: producerPart + "retry.backoff*", verdict: Ignored, why: waits}, {name: producerPart + "reconnect.backoff*", verdict: Ignored, why: waits}, {name: producerPart + "connections.max.idle.ms", verdict: Ignored, why: waits}, {name: producerPart + "socket.connection.*", verdict: Ignored, why: waits}, {name: producerPart + "transaction.timeout.ms", verdict: Ignored, why: alwaysAll},
	{name: producerPart + "metadata.*", verdict: Ignored, why: waits}, {name: producerPart + "receive.buffer.bytes", verdict: Ignored, why: noBatch}, {name: producerPart + "send.buffer.bytes", verdict: Ignored, why: noBatch}, {name: producerPart + "client.dns.lookup", verdict: Ignored, why: waits},
}

// workerOptions are those of a Kafka Connect worker, where its file and a connector's
// are one, or a worker's file was given.
var workerOptions = []option{
	{name: "group.id", verdict: Ignored, why: "There is no Kafka Connect cluster; a second walrelay on the slot waits as standby."},
	{name: "config.storage.*", verdict: Ignored, why: noOffsets}, {name: "status.storage.*", verdict: Ignored, why: noOffsets}, {name: "offset.storage*", verdict: Ignored, why: noOffsets}, {name: "offset.flush.*", verdict: Ignored, why: noOffsets}, {name: "offset.commit.policy", verdict: Ignored, why: noOffsets},
	{name: "plugin.path", verdict: Ignored, why: "There are no plugins."}, {name: "plugin.discovery", verdict: Ignored, why: "There are no plugins."},
	{name: "listeners", verdict: Ignored, why: "There is no REST interface; http.listen has metrics, health and status."}, {name: "listeners.*", verdict: Ignored, why: "There is no REST interface."}, {name: "rest.*", verdict: Ignored, why: "There is no REST interface."}, {name: "admin.listeners*", verdict: Ignored, why: "There is no REST interface."}, {name: "access.control.*", verdict: Ignored, why: "There is no REST interface."}, {name: "response.http.headers.config", verdict: Ignored, why: "There is no REST interface."},
	{name: "consumer.*", verdict: Ignored, why: "walrelay consumes nothing."}, {name: "admin.*", verdict: Ignored, why: "walrelay makes topics with the same connection that it writes with."},
	{name: "topic.creation.enable", verdict: Ignored, why: "See kafka.topics.create."}, {name: "topic.tracking.*", verdict: Ignored, why: noStreaming},
	{name: "exactly.once.source.support"},
	{name: "task.shutdown.graceful.timeout.ms", verdict: Ignored, why: "walrelay ends after what it has received is delivered and confirmed."}, {name: "worker.*", verdict: Ignored, why: "There is no Kafka Connect cluster."}, {name: "connect.protocol", verdict: Ignored, why: "There is no Kafka Connect cluster."}, {name: "scheduled.rebalance.max.delay.ms", verdict: Ignored, why: "There is no Kafka Connect cluster."}, {name: "rebalance.timeout.ms", verdict: Ignored, why: "There is no Kafka Connect cluster."}, {name: "session.timeout.ms", verdict: Ignored, why: "There is no Kafka Connect cluster."}, {name: "heartbeat.timeout.ms", verdict: Ignored, why: "There is no Kafka Connect cluster."},
	{name: "connector.client.config.override.policy", verdict: Ignored, why: "There is no Kafka Connect cluster."}, {name: "inter.worker.*", verdict: Ignored, why: "There is no Kafka Connect cluster."},
	{name: "config.providers", verdict: Ignored, why: "walrelay takes secrets from the environment, ~/.pgpass or *_file keys."}, {name: "config.providers.*", verdict: Ignored, why: "walrelay takes secrets from the environment, ~/.pgpass or *_file keys."},
	{name: "metric.reporters", verdict: Ignored, why: noJMX}, {name: "metrics.*", verdict: Ignored, why: noJMX}, {name: "auto.include.jmx.reporter", verdict: Ignored, why: noJMX},
	{name: "internal.key.converter*", verdict: Ignored, why: noOffsets}, {name: "internal.value.converter*", verdict: Ignored, why: noOffsets},
}

// serverOptions are Debezium Server's own; its other options have Kafka Connect's
// names by now.
var serverOptions = []option{
	{name: "sink.type"},
	{name: "sink.kafka.wait.message.delivery.timeout.ms", verdict: Ignored, why: waits},
	{name: "sink.*", verdict: Unsupported, why: "walrelay writes to Kafka only."},
	{name: "format.key"}, {name: "format.value"}, {name: "format.header"},
	{name: "format.*", verdict: Unknown},
	{name: "quarkus.*", verdict: Ignored, why: "It is about Debezium Server's own process; walrelay has http.listen and log.*."},
	{name: "debezium.api.*", verdict: Ignored, why: "Debezium Server's own interface."}, {name: "debezium.api", verdict: Ignored, why: "Debezium Server's own interface."},
	{name: "smallrye.*", verdict: Ignored, why: "It is about Debezium Server's own process."}, {name: "mp.*", verdict: Ignored, why: "It is about Debezium Server's own process."},
	{name: "%*", verdict: Ignored, why: "Of a profile that is not active by default."},
}

package relay

// waitsForKafka is true of everything on Kafka's side that is waited for.
const waitsForKafka = " Events wait in the WAL and nothing is lost; meanwhile the slot keeps back WAL on the primary's disk."

// clusterTroubles are those of reaching Kafka.
var clusterTroubles = []Trouble{
	{
		Code: codeKafkaRefused, Side: sideKafka, Title: "Kafka refuses the connection",
		Cause:  "Nothing listens at a broker's address: it is down or restarting, or advertises an address that is not its own from here." + waitsForKafka,
		Remedy: "Start Kafka, or correct kafka.brokers. If the address in the message is not one of kafka.brokers, correct the broker's advertised.listeners: localhost there is the commonest trap.",
		Retry:  true,
	},
	{
		Code: codeKafkaHost, Side: sideKafka, Title: "a broker's host name is not found",
		Cause:  "The name does not resolve from here: one of kafka.brokers, or one that a broker advertises." + waitsForKafka,
		Remedy: "Correct kafka.brokers, the broker's advertised.listeners, or the name service.",
		Retry:  true,
	},
	{
		Code: codeKafkaSlow, Side: sideKafka, Title: "Kafka does not answer in time",
		Cause:  "A broker takes the connection or not even that, and does not answer: it is overloaded or frozen, or a firewall drops packets." + waitsForKafka,
		Remedy: "Look after the brokers (load, disk, garbage collection) and the network between.",
		Retry:  true,
	},
	{
		Code: codeKafkaCloses, Side: sideKafka, Title: "Kafka closes the connection",
		Cause:  "The broker ended the connection. A restart looks like that; if it goes on, its listener expects something else: TLS or none, SASL or none." + waitsForKafka,
		Remedy: "If it goes on, set kafka.tls and kafka.sasl to what the listener expects (listener.security.protocol.map on the broker), or name the port of another listener.",
		Retry:  true,
	},
	{
		Code: codeKafkaCert, Side: sideKafka, Title: "a broker's certificate is not accepted",
		Cause:  "The broker's TLS certificate does not verify: unknown authority, another host name, or expired. Waiting does not mend it, so the process ends. Nothing is lost: events wait in the WAL.",
		Remedy: "Set kafka.tls.ca_file to the authority that signed it and kafka.tls.server_name to a name that it holds, or renew it.",
		Exit:   exitSetup,
	},
	{
		Code: codeKafkaPlain, Side: sideKafka, Title: "the broker's listener does not speak TLS",
		Cause:  "kafka.tls is set, and what answers is not TLS. Nothing is lost: events wait in the WAL.",
		Remedy: "Leave kafka.tls out, or name the port of a TLS listener in kafka.brokers.",
		Exit:   exitSetup,
	},
	{
		Code: codeKafkaTLS, Side: sideKafka, Title: "the broker refuses the TLS session",
		Cause:  "The broker ended the TLS handshake with an alert: as a rule it asks for a client certificate and does not take ours. Nothing is lost: events wait in the WAL.",
		Remedy: "Set kafka.tls.cert_file and kafka.tls.key_file to a certificate that the broker's truststore knows (ssl.client.auth).",
		Exit:   exitSetup,
	},
	{
		Code: codeSASL, Side: sideKafka, Title: "Kafka refuses user or password",
		Cause:  "The SASL credentials are wrong or unknown to the broker. Nothing is lost: events wait in the WAL.",
		Remedy: "Correct kafka.sasl.username and kafka.sasl.password (or password_file), or add the user: `kafka-configs.sh --alter --entity-type users --entity-name USER --add-config 'SCRAM-SHA-512=[password=…]'`.",
		Exit:   exitSetup,
	},
	{
		Code: codeSASLMechanism, Side: sideKafka, Title: "Kafka does not know the SASL mechanism",
		Cause:  "The listener does not offer what kafka.sasl.mechanism says. Nothing is lost: events wait in the WAL.",
		Remedy: "Set kafka.sasl.mechanism to one of the listener's sasl.enabled.mechanisms.",
		Exit:   exitSetup,
	},
	{
		Code: codeKafka, Side: sideKafka, Title: "Kafka does not do what it is asked",
		Cause:  "A request fails for the reason in the message. It is tried again." + waitsForKafka,
		Remedy: "Look after the brokers and their logs. `walrelay check` looks at each broker and topic.",
		Retry:  true,
	},
}

// topicTroubles are those of topics and rights.
var topicTroubles = []Trouble{
	{
		Code: codeNoTopic, Side: sideKafka, Title: "a topic does not exist",
		Cause:  "An event goes to a topic that the cluster does not have, and walrelay is not told to make topics. Later events wait behind it." + waitsForKafka,
		Remedy: "Create the topic, or set kafka.topics.create so that walrelay makes missing ones. If the name is wrong, correct route.topic.",
		Retry:  true,
	},
	{
		Code: codeTopicRight, Side: sideKafka, Title: "the right to a topic is missing",
		Cause:  "The broker's authorizer forbids the relay's principal to see or to write the topic, or with exactly-once to read the watermark's. The process ends. Nothing is lost: events wait in the WAL.",
		Remedy: "Grant Write and Describe on the topic: `kafka-acls.sh --add --allow-principal User:walrelay --operation Write --operation Describe --topic PREFIX --resource-pattern-type prefixed`. With exactly-once also Read on kafka.watermark_topic.",
		Exit:   exitSetup,
	},
	{
		Code: codeClusterRight, Side: sideKafka, Title: "the right to produce idempotently is missing",
		Cause:  "The broker's authorizer lets the relay's principal have no producer id: from Kafka 2.8 on because it may write to no topic at all, before because IdempotentWrite on the cluster is missing. The process ends. Nothing is lost: events wait in the WAL.",
		Remedy: "Grant Write and Describe on the topics; before Kafka 2.8 also `kafka-acls.sh --add --allow-principal User:walrelay --operation IdempotentWrite --cluster`.",
		Exit:   exitSetup,
	},
	{
		Code: codeFenceRight, Side: sideKafka, Title: "the right to the transactional id is missing",
		Cause:  "The authorizer forbids the relay's principal its transactional id, under which late writes of a dead instance are shut out. As a rule walrelay goes on without that fence and says so; where the broker refuses to produce because of it, and with exactly-once, the process ends. Nothing is lost: events wait in the WAL.",
		Remedy: "Grant it: `kafka-acls.sh --add --allow-principal User:walrelay --operation Write --operation Describe --transactional-id walrelay- --resource-pattern-type prefixed`.",
		Exit:   exitSetup,
	},
	{
		Code: codeTopicCreation, Side: sideKafka, Title: "a topic can't be created",
		Cause:  "kafka.topics.create is set, and the cluster refuses to make the topic for the reason in the message: missing right, too few brokers for the replication factor, a policy. It is tried again." + waitsForKafka,
		Remedy: "Grant Create on the cluster or the topic prefix, correct kafka.topics.create.replication_factor and partitions, or create the topic by hand.",
		Retry:  true,
	},
	{
		Code: codePartitionGone, Side: sideKafka, Title: "a topic has fewer partitions than before",
		Cause:  "The topic was deleted and made again with fewer partitions while events waited for one that is gone." + waitsForKafka,
		Remedy: "Restart walrelay: it then distributes the waiting events to the partitions that there are. Or give the topic its partitions back.",
		Retry:  true,
	},
	{
		Code: codeTopicUnknown, Side: sideKafka, Title: "a topic's configuration is not known yet",
		Cause:  "The topic's max.message.bytes could not be read so far, and without it nothing is sent to the topic. It is asked again." + waitsForKafka,
		Remedy: "Wait a moment; if it lasts, look after the brokers.",
		Retry:  true,
	},
	{
		Code: codeNoDeadLetter, Side: sideKafka, Title: "the dead-letter topic does not exist",
		Cause:  "A broker refused an event, and its dead letter has no topic to go to. The process ends before the event: it is not lost, and nothing behind it is confirmed.",
		Remedy: "Create the topic that dead_letter_topic names, or set kafka.topics.create. Then start again.",
		Exit:   exitSetup,
	},
	{
		Code: codeKafkaRefuses, Side: sideKafka, Title: "Kafka refuses the relay",
		Cause:  "A broker refuses a request in a way that waiting does not mend; the message says what. Nothing is lost: events wait in the WAL.",
		Remedy: "Do what the message says; the broker's authorizer log has more.",
		Exit:   exitSetup,
	},
}

// produceTroubles are those of handing records over.
var produceTroubles = []Trouble{
	{
		Code: codeNoLeader, Side: sideKafka, Title: "a partition has no leader",
		Cause:  "No broker leads the partition now, or the leader just moved. The new leader is looked for and records are sent again, in order and each once." + waitsForKafka,
		Remedy: "Nothing, if it passes within seconds. Else start the brokers that hold the partition: `kafka-topics.sh --describe --unavailable-partitions` names them.",
		Retry:  true,
	},
	{
		Code: codeReplicas, Side: sideKafka, Title: "too few replicas are in sync",
		Cause:  "The partition has fewer in-sync replicas than min.insync.replicas, and walrelay writes with acks=all. Records are sent again." + waitsForKafka,
		Remedy: "Bring the missing brokers back: `kafka-topics.sh --describe --under-min-isr-partitions`. A topic with as many replicas as min.insync.replicas stands still with each broker that is away.",
		Retry:  true,
	},
	{
		Code: codeProduceTimeout, Side: sideKafka, Title: "Kafka did not confirm a write in time",
		Cause:  "The broker could not say within its time limit that all in-sync replicas have the records. The same records are sent again; the broker recognises those that it has." + waitsForKafka,
		Remedy: "Look after the brokers that follow: slow disks or networks. It passes when they keep up.",
		Retry:  true,
	},
	{
		Code: codeKafkaDisk, Side: sideKafka, Title: "a broker has trouble with its disk",
		Cause:  "The broker could not write the partition's log, because its disk is full or broken. Another replica is looked for." + waitsForKafka,
		Remedy: "Look at the broker's log and its disks at once.",
		Retry:  true,
	},
	{
		Code: codeThrottled, Side: sideKafka, Title: "Kafka throttles the relay",
		Cause:  "A quota of the cluster is used up. Records are sent again later." + waitsForKafka,
		Remedy: "Raise the quota of the relay's user or client id (`kafka-configs.sh --alter --entity-type users --entity-name USER --add-config producer_byte_rate=…`).",
		Retry:  true,
	},
	{
		Code: codeSequence, Side: sideKafka, Title: "the broker has lost the producer's sequence",
		Cause:  "The broker's memory of what this producer has sent is not ours any more: an unclean leader election, deleted records, or an expired producer id. The epoch is raised and records are sent again. After an unclean election Kafka itself may have lost acknowledged records; in rare cases events repeat.",
		Remedy: "Nothing, if it is rare. Set unclean.leader.election.enable=false on the topics.",
		Retry:  true,
	},
	{
		Code: codeCoordinator, Side: sideKafka, Title: "there is no transaction coordinator",
		Cause:  "The broker that keeps the transactional ids is not there yet or moves. After a while walrelay goes on without the fence that shuts out a dead instance's late writes, says so, and takes it within a minute of a coordinator being there; with exactly-once it waits for the coordinator." + waitsForKafka,
		Remedy: "Wait for the brokers. On a single broker set transaction.state.log.replication.factor=1 and transaction.state.log.min.isr=1.",
		Retry:  true,
	},
	{
		Code: codeCorrupt, Side: sideKafka, Title: "the broker received damaged bytes",
		Cause:  "The checksum of a batch was wrong at the broker: the network or memory on the way changed it. It was not stored, and is sent again." + waitsForKafka,
		Remedy: "Nothing, if it is rare. Else look for broken network hardware or memory.",
		Retry:  true,
	},
	{
		Code: codeUnacknowledged, Side: sideKafka, Title: "Kafka does not acknowledge",
		Cause:  "Records were handed over and no answer has come for seconds, without an error so far." + waitsForKafka,
		Remedy: "Look after the brokers: a frozen one, or followers that do not keep up.",
		Retry:  true,
	},
	{
		Code: codeVersion, Side: sideKafka, Title: "the broker is too old or does not support a format",
		Cause:  "The broker does not know the version of a request, the record format or the compression. Nothing is lost: events wait in the WAL.",
		Remedy: "Upgrade the broker, or choose a kafka.compression that it knows (zstd needs Kafka 2.1).",
		Exit:   exitSetup,
	},
	{
		Code: codeCanary, Side: sideKafka, Title: "the canary does not reach Kafka",
		Cause:  "The record by which walrelay measures itself while idle was not taken: its topic is missing or refuses it. Events are not concerned: they flow all the same, but walrelay_canary_seconds stands still.",
		Remedy: "Create the topic that canary.topic names, with cleanup.policy=delete and a short retention.ms, and grant Write and Describe on it; or set canary.every to 0s.",
		Retry:  true,
	},
	{
		Code: codeAborted, Side: sideKafka, Title: "a transaction was aborted",
		Cause:  "With exactly-once, the transaction that was open could not be brought to its end: its outcome was unknown, or Kafka gave it up. Consumers with read_committed see nothing of it. The stream is opened anew and goes on behind the last watermark." + waitsForKafka,
		Remedy: "Nothing, if it is rare. If it comes again and again, look at the brokers' logs for the transactional id (walrelay-…).",
		Retry:  true,
	},
	{
		Code: codeTransaction, Side: sideKafka, Title: "the transaction coordinator does not answer as it should",
		Cause:  "With exactly-once, adding partitions to the transaction or committing it is tried again until the coordinator answers. Events are in Kafka, but consumers with read_committed don't see them yet." + waitsForKafka,
		Remedy: "Look after the brokers that hold __transaction_state: `kafka-topics.sh --describe --topic __transaction_state`. On a single broker set transaction.state.log.replication.factor=1 and transaction.state.log.min.isr=1.",
		Retry:  true,
	},
	{
		Code: codeWatermark, Side: sideKafka, Title: "the watermark can't be read yet",
		Cause:  "With exactly-once a start reads from kafka.watermark_topic up to where events are delivered, before it sends any. The topic is not there yet, its leader is away, or another relay's transaction in it is still open (Kafka ends that after a minute)." + waitsForKafka,
		Remedy: "Do what the message says: look after the topic's brokers, and grant Create on it or make it by hand. Relays that should not wait for each other get watermark topics of their own.",
		Retry:  true,
	},
	{
		Code: codeAnswer, Side: sideKafka, Title: "the broker answered with an error that walrelay does not know",
		Cause:  "There is no rule for this error code. The process ends, because going on could lose events or their order. Nothing is lost: events wait in the WAL.",
		Remedy: "Start again. If it comes again, look up the number in the list of Kafka's protocol errors and report it to walrelay's project.",
		Exit:   exitFailure,
	},
}

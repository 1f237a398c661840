package routing

// The reasons of Poison, short enough for a metric's label.
const (
	ReasonNullAggregateType = "null_aggregate_type"
	ReasonNullAggregateID   = "null_aggregate_id"
	ReasonNullEventType     = "null_event_type"
	ReasonIllegalTopic      = "illegal_topic"
	ReasonInvalid           = "invalid"
	ReasonUnconvertible     = "unconvertible" // the converter does not take such a value

	// By the sink, which knows the topics and hears the brokers.
	ReasonTooLarge         = "too_large"
	ReasonInvalidPartition = "invalid_partition"
	ReasonInvalidRecord    = "invalid_record"
	ReasonInvalidTimestamp = "invalid_timestamp" // too old, or too far in the future, for the topic
)

// Poison is an event that Kafka can never take as a record, however often it is
// tried. What becomes of it is the on_poison policy's to say.
type Poison struct {
	Reason string // one of the Reason constants
	Detail string // what is wrong and what would help; never the payload
}

func (p *Poison) Error() string { return "poison (" + p.Reason + "): " + p.Detail }

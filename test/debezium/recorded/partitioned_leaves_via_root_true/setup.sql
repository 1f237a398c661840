-- before the slot
CREATE TABLE outbox (id uuid, aggregatetype text, aggregateid text, type text, payload jsonb, PRIMARY KEY (id, type)) PARTITION BY LIST (type); CREATE TABLE outbox_a PARTITION OF outbox FOR VALUES IN ('A'); CREATE TABLE outbox_b PARTITION OF outbox DEFAULT;

-- before the slot
CREATE TABLE outbox (id uuid, aggregatetype text, aggregateid text, type text, payload jsonb); ALTER TABLE outbox REPLICA IDENTITY FULL;

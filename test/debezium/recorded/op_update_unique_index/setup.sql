-- before the slot
CREATE TABLE outbox (id uuid NOT NULL, aggregatetype text, aggregateid text, type text, payload jsonb); CREATE UNIQUE INDEX ox ON outbox(id); ALTER TABLE outbox REPLICA IDENTITY USING INDEX ox;

-- before the slot
CREATE TABLE outbox (id uuid NOT NULL, b int NOT NULL, aggregatetype text, aggregateid text, type text, payload jsonb);CREATE UNIQUE INDEX u1 ON outbox (b);CREATE UNIQUE INDEX u2 ON outbox (id);ALTER TABLE outbox REPLICA IDENTITY FULL;

-- before the slot
CREATE TABLE outbox (id uuid, n int, aggregatetype text, aggregateid text, type text, payload jsonb, PRIMARY KEY (n, id));

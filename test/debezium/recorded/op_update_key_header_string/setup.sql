-- before the slot
CREATE TABLE outbox (id uuid, n numeric(5,2), t timestamp, s text, b bigint, aggregatetype text, aggregateid text, type text, payload jsonb, PRIMARY KEY (id, n, t, s, b));

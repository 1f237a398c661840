-- before the slot
CREATE TABLE outbox (z int, payload jsonb, type text, x text, aggregateid text, aggregatetype text, y text, id bigserial PRIMARY KEY);

-- before the slot
CREATE TABLE outbox (id float8, t timestamptz(3), aggregatetype text, aggregateid text, type text, payload jsonb, PRIMARY KEY (id,t));

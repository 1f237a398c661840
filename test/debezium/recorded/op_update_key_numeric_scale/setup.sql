-- before the slot
CREATE TABLE outbox (id numeric PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload jsonb);

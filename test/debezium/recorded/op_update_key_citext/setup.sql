-- before the slot
CREATE EXTENSION citext;CREATE TABLE outbox (id citext PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload jsonb);

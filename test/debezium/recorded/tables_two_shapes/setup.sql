-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload jsonb, tenant int, created timestamp);CREATE TABLE outbox_b (payload json, aggregateid bigint NOT NULL, id bigint PRIMARY KEY, aggregatetype varchar(50) NOT NULL, trace text DEFAULT 't');

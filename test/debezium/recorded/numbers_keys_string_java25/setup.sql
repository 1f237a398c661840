-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype text, aggregateid real, type text, payload double precision);

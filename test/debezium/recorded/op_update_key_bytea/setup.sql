-- before the slot
CREATE TYPE mood AS ENUM ('sad','happy');CREATE TABLE outbox (id bytea PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload jsonb);

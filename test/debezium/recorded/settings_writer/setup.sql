-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, a interval, b bytea, c timestamptz, d date, e double precision, f money, g tstzrange, h timestamptz[], i timestamp, j timetz, k xml, l float4);

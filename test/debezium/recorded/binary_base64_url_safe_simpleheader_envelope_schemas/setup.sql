-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, by bytea, b1 bit(1), b3 bit(3), b8 bit(8), b9 bit(9), b64 bit(64), b65 bit(65), vb varbit, vb3 varbit(3));

-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid bit(1), type varchar(255) NOT NULL, payload bit(9));

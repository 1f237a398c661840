-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid text DEFAULT 'dk', type varchar(255) NOT NULL, payload jsonb DEFAULT '{"d": 1}');

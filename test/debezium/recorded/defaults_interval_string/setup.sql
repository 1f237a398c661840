-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, v1 interval DEFAULT '1 day 02:03:04', v2 interval DEFAULT '1 mon', v3 interval DEFAULT '-1 day');

-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, a int, b int);CREATE TABLE other (id int PRIMARY KEY, x text);CREATE PUBLICATION fx_pub FOR TABLE outbox (id, aggregatetype, aggregateid, type, payload, b);

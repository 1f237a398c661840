-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);CREATE TABLE other (id int PRIMARY KEY, x text);CREATE PUBLICATION fx_pub FOR TABLES IN SCHEMA public;

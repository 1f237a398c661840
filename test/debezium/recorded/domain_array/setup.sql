-- before the slot
CREATE DOMAIN darr AS int[]; CREATE DOMAIN dint AS int;CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, a darr, b dint[]);

-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid numeric(10,2), type varchar(255) NOT NULL, payload numeric);

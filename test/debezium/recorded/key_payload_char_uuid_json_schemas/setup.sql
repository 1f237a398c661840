-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid char(8), type varchar(255) NOT NULL, payload uuid);

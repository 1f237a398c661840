-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, n int NOT NULL); CREATE UNIQUE INDEX ox ON outbox(n); ALTER TABLE outbox REPLICA IDENTITY USING INDEX ox;

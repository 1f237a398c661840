-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, big text); ALTER TABLE outbox ALTER payload SET STORAGE EXTERNAL; ALTER TABLE outbox ALTER big SET STORAGE EXTERNAL;

-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, ts timestamp);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','2024-01-01 00:00:00');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated',NULL,'2024-01-02 00:00:00');

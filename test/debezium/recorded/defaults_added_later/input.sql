INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,x) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}',NULL);
SELECT pg_sleep(2);
ALTER TABLE outbox ALTER COLUMN x SET DEFAULT 2;
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,x) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}',NULL);
SELECT pg_sleep(2);
ALTER TABLE outbox ADD COLUMN y int DEFAULT 3;
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,x) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}',NULL);

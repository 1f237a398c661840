INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,x) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}',1);
SELECT pg_sleep(2);
ALTER TABLE outbox ALTER x TYPE text;
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,x) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}','two');
SELECT pg_sleep(2);
ALTER TABLE outbox ALTER x TYPE numeric(5,1) USING 1;
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,x) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}',3);

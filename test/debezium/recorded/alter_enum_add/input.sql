INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,e) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','sad');
SELECT pg_sleep(2);
ALTER TYPE mood ADD VALUE 'new';
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,e) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}','new');

INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}');
UPDATE outbox SET id='00000000-0000-4000-8000-000000000002';
DELETE FROM outbox;
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}');

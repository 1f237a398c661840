INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}',1);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"b": "x"}',2);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 7}',1);

INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}',1);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}',2);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000003','customer','a-1','OrderCreated','{"a": 1}',1);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000004','customer','a-1','OrderCreated','{"a": 1}',2);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000005','order','a-1','OrderCreated','{"a": 1}',3);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ver) VALUES ('00000000-0000-4000-8000-000000000006','order','a-1','OrderCreated','{"a": 1}',1);

INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}','null');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}','true');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000004','order','a-1','OrderCreated','{"a": 1}','1');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000005','order','a-1','OrderCreated','{"a": 1}','"q"');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000006','order','a-1','OrderCreated','{"a": 1}','[1]');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000007','order','a-1','OrderCreated','{"a": 1}','{"a":1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000008','order','a-1','OrderCreated','{"a": 1}','a,b');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000009','order','a-1','OrderCreated','{"a": 1}','\');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000010','order','a-1','OrderCreated','{"a": 1}','"');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000011','order','a-1','OrderCreated','{"a": 1}',' x ');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000012','order','a-1','OrderCreated','{"a": 1}','2024-01-01');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000013','order','a-1','OrderCreated','{"a": 1}','NaN');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000014','order','a-1','OrderCreated','{"a": 1}','
');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000015','order','a-1','OrderCreated','{"a": 1}','ü😀');

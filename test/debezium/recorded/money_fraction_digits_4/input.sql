INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,m) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','12');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,m) VALUES ('00000000-0000-4000-8000-000000000002','order','a-2','OrderCreated','{"a": 1}','12.34');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,m) VALUES ('00000000-0000-4000-8000-000000000003','order','a-3','OrderCreated','{"a": 1}','-12.50');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,m) VALUES ('00000000-0000-4000-8000-000000000004','order','a-4','OrderCreated','{"a": 1}',NULL);

INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,p) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','(1.5,2)');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,p) VALUES ('00000000-0000-4000-8000-000000000002','order','a-2','OrderCreated','{"a": 1}','(-0,1e-7)');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,p) VALUES ('00000000-0000-4000-8000-000000000003','order','a-3','OrderCreated','{"a": 1}','(1e23,NaN)');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,p) VALUES ('00000000-0000-4000-8000-000000000004','order','a-4','OrderCreated','{"a": 1}','(Infinity,0.1)');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,p) VALUES ('00000000-0000-4000-8000-000000000005','order','a-5','OrderCreated','{"a": 1}','(3,4)');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,p) VALUES ('00000000-0000-4000-8000-000000000006','order','a-6','OrderCreated','{"a": 1}',NULL);

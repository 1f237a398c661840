INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,part) VALUES ('00000000-0000-4000-8000-000000000001','order','k0','OrderCreated','{}',0);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,part) VALUES ('00000000-0000-4000-8000-000000000002','order','k1','OrderCreated','{}',1);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,part) VALUES ('00000000-0000-4000-8000-000000000003','order',NULL,'OrderCreated','{}',2);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,part) VALUES ('00000000-0000-4000-8000-000000000004','order','k3','OrderCreated',NULL,3);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,part) VALUES ('00000000-0000-4000-8000-000000000005','order','k4','OrderCreated','{}',4);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,part) VALUES ('00000000-0000-4000-8000-000000000006','order','k5','OrderCreated','{}',5);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000007','order','k9','OrderCreated','{"a": 1}');

INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','9999-12-31 23:59:59.999999');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}',NULL);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}','2262-04-12 00:00:00');

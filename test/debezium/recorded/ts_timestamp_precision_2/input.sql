INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','2024-02-29 12:34:56.789123');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}','1970-01-01 00:00:00');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}','1970-01-01 00:00:00.0009999');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000004','order','a-1','OrderCreated','{"a": 1}','2000-01-01 00:00:00.4999');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000005','order','a-1','OrderCreated','{"a": 1}','2020-06-01 00:00:00');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,ts) VALUES ('00000000-0000-4000-8000-000000000006','order','a-1','OrderCreated','{"a": 1}','2024-12-31 23:59:59.9999995');

INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','k1','OrderCreated','{"a":[["x"],["y"]]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','order','k2','OrderCreated','{"a":[[[1]]]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','order','k3','OrderCreated','{"a":[{"b":[1]},{"b":[2]}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000004','order','k4','OrderCreated','{"a":"", "b":" ", "c":"null", "d":"[1]"}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000005','order','k5','OrderCreated','{"a":null}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000006','order','k6','OrderCreated','{"a":{"b":null,"c":null}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000007','order','k7','OrderCreated','{"a":{"b":{"c":null}}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000008','order','k8','OrderCreated','{"t":"2024-01-01T00:00:00Z","u":"11111111-2222-4333-8444-555555555555"}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000009','order','k9','OrderCreated','{"a":false,"b":[false]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000010','order','k10','OrderCreated','  {"a":1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000011','order','k11','OrderCreated','
{"a":1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000012','order','k12','OrderCreated','{"a":1} trailing');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000013','order','k13','OrderCreated','{"a":1}{"b":2}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000014','order','k14','OrderCreated','{"a" :	1 ,
 "b":
[ 1 , 2 ]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000015','order','k15','OrderCreated','{"a":1,}');

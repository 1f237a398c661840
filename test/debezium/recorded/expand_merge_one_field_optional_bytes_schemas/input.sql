INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','k1','OrderCreated','{"o":[{"a":1},{"a":1,"b":null}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','order','k2','OrderCreated','{"o":[{"a":null},{"a":1}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','order','k3','OrderCreated','{"o":[{},{"a":1}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000004','order','k4','OrderCreated','{"o":[{"a":1},{}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000005','order','k5','OrderCreated','{"o":[{"a":[]},{"a":[1]}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000006','order','k6','OrderCreated','{"o":[{"a":1},null,{"a":2}]}');

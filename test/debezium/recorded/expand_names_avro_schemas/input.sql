INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','k1','OrderCreated','{"a-b":1,"ok":2,"n":{"c-d":1}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','order','k2','OrderCreated','{"a-b":1,"a_b":2}');

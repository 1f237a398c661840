INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','{{a,b},{c,d}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,t) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}','{a}');

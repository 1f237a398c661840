INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,a,n) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','{{1,2},{3,4}}','{{1.5},{2.5}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,a) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}','{{{1}},{{2}}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,a) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}','{1,2}');

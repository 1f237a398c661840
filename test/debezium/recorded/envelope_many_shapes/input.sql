INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"orderId":1,"lines":[{"sku":"A","price":{"amount":10.5,"currency":"EUR"}},{"sku":"B","price":{"amount":2.0,"currency":"EUR"}}],"total":{"amount":12.5,"currency":"EUR"},"meta":{"traceId":null,"tags":{}}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','user','a-1','OrderCreated','{"orderId":1,"lines":[{"sku":"A","price":{"amount":10.5,"currency":"EUR"}},{"sku":"B","price":{"amount":2.0,"currency":"EUR"}}],"total":{"amount":12.5,"currency":"EUR"},"meta":{"traceId":null,"tags":{}}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','user','a-1','OrderCreated','{"a":1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000004','order','a-1','OrderCreated','{"a":2}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000005','x','a-1','OrderCreated',NULL);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000006','y','a-1','OrderCreated','5');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000007','z','a-1','OrderCreated','{}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000008','w','a-1','OrderCreated','{"a":2147483648}');

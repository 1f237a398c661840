INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000002','order','a-2','OrderCreated','{"a": 1}','a=>1');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000003','order','a-3','OrderCreated','{"a": 1}','a=>1,b=>NULL');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000004','order','a-4','OrderCreated','{"a": 1}','"a b"=>"c\"d\\e", z=>"", bb=>x');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000005','order','a-5','OrderCreated','{"a": 1}','k=>"NULL"');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000006','order','a-6','OrderCreated','{"a": 1}','ü=>😀');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000007','order','a-7','OrderCreated','{"a": 1}','a=>"1, b=>2"');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000008','order','a-8','OrderCreated','{"a": 1}','""=>1');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,h) VALUES ('00000000-0000-4000-8000-000000000009','order','a-9','OrderCreated','{"a": 1}',NULL);

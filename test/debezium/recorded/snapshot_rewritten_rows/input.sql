INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000070','order','a-1','OrderCreated','{"a": 1}');

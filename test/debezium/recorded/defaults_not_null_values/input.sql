INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,a,b,c) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}',1,'y','2024-01-01 00:00:00+00');

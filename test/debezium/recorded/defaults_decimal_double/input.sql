INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,n1,n2,n3,n4,mo,mo2) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}',NULL,NULL,NULL,NULL,NULL,NULL);

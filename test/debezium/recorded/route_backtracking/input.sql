INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','aaaaaaaaaaaaaaaaaaaab','a-1','OrderCreated','aaaaaaaaaaaaaaaaaaaab');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','aaaaab','a-1','OrderCreated','aaaaab');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','aaac','a-1','OrderCreated','aaac');

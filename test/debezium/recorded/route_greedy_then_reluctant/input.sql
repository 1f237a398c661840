INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','a-b-c','a-1','OrderCreated','a-b-c');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','a-b-c-d','a-1','OrderCreated','a-b-c-d');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','a-b','a-1','OrderCreated','a-b');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000004','-x-','a-1','OrderCreated','-x-');

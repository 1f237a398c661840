-- before the slot
CREATE TABLE outbox_a (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);CREATE TABLE outbox_b (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);CREATE TABLE "Outbox_c" (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);
INSERT INTO outbox_a(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO outbox_b(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO "Outbox_c"(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO outbox_a(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000004','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO outbox_b(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000005','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO "Outbox_c"(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000006','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO outbox_a(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000007','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO outbox_b(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000008','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO "Outbox_c"(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000009','order','a-1','OrderCreated','{"a": 1}');

-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, n102 numeric(10,2), nn numeric, m money);
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,n102,nn,m) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','1.5','1e-7','12.34');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,n102,nn,m) VALUES ('00000000-0000-4000-8000-000000000002','order','a-2','OrderCreated','{"a": 1}','-0.01','1.50','-1');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,n102,nn,m) VALUES ('00000000-0000-4000-8000-000000000003','order','a-3','OrderCreated','{"a": 1}',NULL,NULL,NULL);

-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb DEFAULT '{"d": 1}', x int DEFAULT 5, y text DEFAULT 'd');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,x,y) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated',NULL,NULL,NULL);

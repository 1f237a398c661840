-- before the slot
CREATE TABLE outbox (id uuid, aggregatetype text, aggregateid text, type text, payload jsonb) PARTITION BY LIST (type); CREATE TABLE outbox_a PARTITION OF outbox FOR VALUES IN ('A'); CREATE TABLE outbox_b PARTITION OF outbox DEFAULT;
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','A','{"a": 1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','B','{"a": 1}');

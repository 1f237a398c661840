INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','A','{"a": 1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','order','a-1','B','{"a": 1}');
CREATE TABLE outbox_c PARTITION OF outbox FOR VALUES IN ('C');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','order','a-1','C','{"a": 1}');

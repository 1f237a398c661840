INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}') ON CONFLICT DO NOTHING;
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}') ON CONFLICT (id) DO UPDATE SET payload='{"u": 1}';
INSERT INTO biz VALUES (1,'a'),(2,'b');
MERGE INTO outbox o USING (SELECT '00000000-0000-4000-8000-000000000001'::uuid AS id UNION SELECT '00000000-0000-4000-8000-000000000005'::uuid) s ON o.id=s.id WHEN MATCHED THEN UPDATE SET type='M' WHEN NOT MATCHED THEN INSERT VALUES (s.id,'order','m','Merged','{}');
WITH d AS (DELETE FROM outbox WHERE id='00000000-0000-4000-8000-000000000005' RETURNING *) INSERT INTO outbox SELECT '00000000-0000-4000-8000-000000000006', aggregatetype, aggregateid, 'Again', payload FROM d;
COPY outbox FROM STDIN;
00000000-0000-4000-8000-000000000007	order	c	Copied	{"a": "\\\\x"}
00000000-0000-4000-8000-000000000008	order	c	Copied	\N
\.
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000030','order','a-1','OrderCreated','{"a": 1}');

INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}') ON CONFLICT (id) DO UPDATE SET type='x';
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}') ON CONFLICT DO NOTHING;
MERGE INTO outbox o USING (SELECT '00000000-0000-4000-8000-000000000005'::uuid AS id) s ON o.id=s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id,'order','m','T','{}');
COPY outbox FROM STDIN;
00000000-0000-4000-8000-000000000007	order	k	T	{"c": 1}
\.

UPDATE app.outbox_events SET aggregatetype = 'order';
BEGIN;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-3', 'invoice_v2', 'agg-2', 'order.paid', '\xdff870f44e9c7f18efb81643762071cf4d2ab4c5fa165b93258d42f1e214b58f3aef3cde17b9f7065c54b089c270f42ee071afcb8cc63d3aaf4c509ddc2307dad2d3e33e2be07291293862d111215cf1c448cbaf55c5adeb214288f850b6794ef75cfcd3d4359565a445a092c0e9ddf43e967cf4d16a7ae964e01468d0b4f5ec2636072b7d4cd5d978962f57811948f194c02b45c29b552101e6a3e76b1d52289de86a5de76bce668eb5a0d2004d34107cfa855c24029335649097ffbb070345636478af2e7c1c96', '{"a" : 1}', 50532845.50, '02:37:11', '{}', '{}', false, NULL, '{"2024-02-29 12:34:56.789+02"}');
COMMIT;
BEGIN;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-4', 'order', 'agg-3', 'OrderCreated', '\x9e5008e5ec', 'null', 10000000.00, '12:09:11.123', '{}', '{}', NULL, '{}', '{"2024-02-29 12:34:56.789+02"}');
SAVEPOINT s1;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-5', 'x.y', 'agg-1', 'order.paid', '{"a":1}', '{}', NULL, '03:18:04.123456', '{a,b}', NULL, NULL, '{"a" : 1, "bb":2, "c":1.50}', '{"2024-02-29 12:34:56.789+02"}');
ROLLBACK TO s1;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-7', 'invoice_v2', 'agg-2', 'OrderCreated', '\xfc', '[]', 0.00, '18:17:31.999999', '{"x y",NULL,"q\"q"}', '{a,b}', false, '{}', NULL);
COMMIT;
BEGIN;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-8', 'order', 'agg-5', 'OrderCreated', '\x', '{"a" : 1}', NULL, NULL, '{a,b}', '{a,b}', true, NULL, '{"2024-02-29 12:34:56.789+02"}');
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-9', 'x.y', 'agg-4', 'order.paid', '\x29', '{"b":[1, 2],"a":null}', 0.01, '21:41:16.000001', '{}', '{}', false, NULL, '{"2024-02-29 12:34:56.789+02"}');
COMMIT;
BEGIN;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-10', 'x.y', 'agg-3', 'order.paid', '\x', '"x"', -48020963.41, NULL, '{}', NULL, true, '{"a" : 1, "bb":2, "c":1.50}', '{"2024-02-29 12:34:56.789+02"}');
SAVEPOINT s1;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-11', 'order', 'agg-1', 'OrderCreated', '\x5a9e459fed', '[]', -62233618.67, '07:43:35.123', '{a,b}', '{"x y",NULL,"q\"q"}', true, NULL, '{"2024-02-29 12:34:56.789+02"}');
ROLLBACK TO s1;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-13', 'invoice_v2', 'agg-5', 'Ünï', '\xbb', NULL, NULL, '18:35:01.1', '{"x y",NULL,"q\"q"}', NULL, NULL, '[]', '{"2024-02-29 12:34:56.789+02"}');
COMMIT;
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-14', 'order', 'agg-1', 'OrderCreated', '\x', NULL, NULL, '09:43:04.5', '{}', '{"x y",NULL,"q\"q"}', true, '"x"', NULL),
  ('0000-15', 'order', 'agg-4', 'x y', '{"a":1}', '"x"', NULL, NULL, '{}', NULL, true, '{"a" : 1, "bb":2, "c":1.50}', '{"2024-02-29 12:34:56.789+02"}'),
  ('0000-16', 'invoice_v2', 'agg-1', 'order.paid', '\xd548016a46b715ee6a472a0bb9e812108fa51d3bc473a69288ca510d7b2fba5216a9aa59363599a086cfab4924b0d771ce350e12b0b037ad1cd2a6f719a1ffdfe493598f06f605bbb142feddbe212db464075a0df5f332457c704f0a50abaaa38cc3d0a4be9c738db52b527650ed6da1cb09b434b9740b059359214c191ea610f8906f1038e5d5e2b339b027d5867d74215548c8c5c39272240633a024014e917a2a980337b0b9cf5bb05debdfbf0a2b54358e3f25fd0d58c57a0987f83065c195b5a88d40878307', '{"b":[1, 2],"a":null}', 704.13, '04:39:33.123', '{a,b}', '{"x y",NULL,"q\"q"}', false, '{"a" : 1, "bb":2, "c":1.50}', '{"2024-02-29 12:34:56.789+02"}');
INSERT INTO public.orders SELECT coalesce(max(id),0)+1,'x' FROM public.orders;

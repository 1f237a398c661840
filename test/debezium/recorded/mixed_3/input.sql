BEGIN;
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000001', 'a', 'agg-1', '{}', '10.0.0.0/8', 'key=value', 'happy', '2024-10-26 04:33:28.123456', 5);
SAVEPOINT s1;
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000002', 'a', 'agg-3', '{}', '10.0.0.1', NULL, 'so-so, ok', '2024-08-04 03:21:11.123', NULL);
SAVEPOINT s2;
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000003', 'com.acme.Order', 'agg-1', '{"orderId": 552113723069, "customer": {"id": 254144, "name": "naïve café", "email": "a@b.c"}, "items": [{"sku": "SKU-927", "qty": 8, "price": 739.99}, {"sku": "SKU-696", "qty": 9, "price": 895.99}], "total": 0, "currency": "EUR", "createdAt": "2022-08-10T11:53:48+02:00", "paid": true, "tags": ["ü"], "shipping": null, "version": 3}', '10.0.0.0/8', 'Zoë', 'sad', '1999-03-16 23:49:04.999999', 0);
ROLLBACK TO s2;
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000004', 'order', 'agg-2', '{"_v": [1.5, 1.5, 1e3, 1.5], "schema": {"schema": {"payload":true}, "fieldName1": null}}', '::1', '12', 'sad', '1999-06-14 13:25:31.999999', 0);
COMMIT;
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000005', 'com.acme.Order', 'agg-1', '12', '10.0.0.0/8', 'O''Neil', 'sad', '1999-06-19 03:13:51.000001', 5);
INSERT INTO public.outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000006', 'a', 'agg-3', '{"orderId": 706829625121, "customer": {"id": 727594, "name": "12", "email": null}, "items": [{"sku": "SKU-702", "qty": 6, "price": 993.99}, {"sku": "SKU-778", "qty": 8, "price": 892.99}, {"sku": "SKU-650", "qty": 8, "price": 151.00}], "total": 1e3, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": ["ü"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 2}', '10.0.0.0/8', '${x}', 'sad', '1999-09-25 05:06:41.5', 1);
BEGIN;
INSERT INTO public.outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000007', 'com.acme.Order', 'agg-4', NULL, '::1', NULL, 'happy', '1999-12-20 20:52:52.000001', 1);
SAVEPOINT s1;
INSERT INTO public.outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000008', 'a', 'agg-4', '{"createdAt": 1700000000000, "orderId": 651483210224, "items": [{"sku": "SKU-750", "qty": 4, "price": 205.99}], "paid": true, "currency": "EUR", "tags": [null,"x"], "total": 12.50, "customer": {"id": 289299, "name": "😀 smile", "email": "a@b.c"}, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 2}', '10.0.0.1', '%s', 'happy', '2024-06-17 17:39:55.1', 5);
ROLLBACK TO s1;
INSERT INTO public.outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000010', 'a', 'agg-3', NULL, '::1', 'Bob', 'happy', '2025-07-11 03:48:34.123456', 1);
COMMIT;
BEGIN;
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000011', 'a', 'agg-1', NULL, '10.0.0.1', 'a,b', 'happy', '2025-04-05 22:21:17.123', 5);
SAVEPOINT s1;
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000012', 'order', 'agg-5', '{"amount":9007199254740993,"a.b":"f829a436-e22f-4431-9319-6932f53b883d","type":true,"ünï":[{"f0":1973,"f1":true,"f2":true,"f3":{"x":4,"y":"a"}}, {"f0":1544,"f1":false,"f2":false,"f3":{"x":0,"y":"b"}}, {"f0":879,"f1":false,"f2":true,"f3":{"x":0,"y":"b"}}, {"f0":3561,"f1":false,"f2":true,"f3":{"x":8,"y":"b"}}]}', '::1', NULL, 'so-so, ok', '2020-10-13 05:25:07.1', NULL);
ROLLBACK TO s1;
INSERT INTO public.outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000014', 'order', 'agg-2', '{"version": 1, "tags": ["ü"], "orderId": "fd71374e-00fc-430d-bc9b-99d75188375b", "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "customer": {"id": 839322, "name": "key=value", "email": "a@b.c"}, "paid": null, "createdAt": "2022-04-26T19:45:56+02:00", "total": 0, "items": [{"sku": "SKU-402", "qty": 8, "price": 518.5}], "currency": "EUR"}', '10.0.0.1', '%s', 'so-so, ok', '2025-02-12 23:47:14.123456', 3);
COMMIT;
UPDATE outbox_events SET "key" = '00000000-0000-4000-8000-000000000015' WHERE "key" = '00000000-0000-4000-8000-000000000008';
INSERT INTO outbox_events ("key", "agg-type", aggregateid, payload, c_0, source, version_no, occurred_at, part) VALUES
  ('00000000-0000-4000-8000-000000000016', 'a', 'agg-3', '{"n":9223372036854775808}', '10.0.0.1', '  padded  ', 'sad', NULL, NULL);

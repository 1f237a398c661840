CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'happy', 'so-so, ok');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN pos AS int CHECK (VALUE >= 0);
CREATE DOMAIN duuid AS uuid;
CREATE TABLE public.outbox (
  "größe" bytea DEFAULT '\x00',
  id timestamp PRIMARY KEY,
  aggregatetype varchar(255) DEFAULT 'order',
  source jsonb NOT NULL DEFAULT '[]'::jsonb,
  id2 oid,
  headers bytea,
  priority smallint,
  aggregate_id smallint NOT NULL,
  "Col8" timestamptz(3),
  "meta data" text[] NOT NULL,
  "Col1" uuid,
  type text,
  "user" int,
  priority_9 int DEFAULT 1,
  "event payload" jsonb
);
CREATE TABLE public."Outbox1" (
  "größe" bytea DEFAULT '\x00',
  id timestamp PRIMARY KEY,
  aggregatetype varchar(255) DEFAULT 'order',
  source jsonb NOT NULL DEFAULT '[]'::jsonb,
  id2 oid,
  headers bytea,
  priority smallint,
  aggregate_id smallint NOT NULL,
  "Col8" timestamptz(3),
  "meta data" text[] NOT NULL,
  "Col1" uuid,
  type text,
  "user" int,
  priority_9 int DEFAULT 1,
  "event payload" jsonb
);
CREATE TABLE public.outbox_2 (
  "größe" bytea DEFAULT '\x00',
  id timestamp PRIMARY KEY,
  aggregatetype varchar(255) DEFAULT 'order',
  source jsonb NOT NULL DEFAULT '[]'::jsonb,
  id2 oid,
  headers bytea,
  priority smallint,
  aggregate_id smallint NOT NULL,
  "Col8" timestamptz(3),
  "meta data" text[] NOT NULL,
  "Col1" uuid,
  type text,
  "user" int,
  priority_9 int DEFAULT 1,
  "event payload" jsonb
);
ALTER TABLE public.outbox REPLICA IDENTITY FULL;
ALTER TABLE public."Outbox1" REPLICA IDENTITY FULL;
ALTER TABLE public.outbox_2 REPLICA IDENTITY FULL;
INSERT INTO outbox ("größe", id, aggregatetype, source, id2, headers, priority, aggregate_id, "Col8", "meta data", "Col1", type, "user", priority_9, "event payload") VALUES
  ('\x', '2024-01-01 00:00:01.001', 'customer', '[]', 1, '\xce7fc3', 29, -3128, '2020-05-08 15:58:18.1+00', '{"x y",NULL,"q\"q"}', NULL, 'order.paid', 0, 2147483647, '{"schema": [true,true,false],
  "@type": ["<b>&amp;</b>", "\u65e5\u672c", "true", "\ud83d\ude00 smile"],
  "customer-id": 1234567.891}'),
  ('\x4f', '2024-01-01 00:00:02.002', 'x.y', '"x"', 1, '\x', 13082, -20583, '1999-10-22 16:34:17.123456+05:30', '{"x y",NULL,"q\"q"}', '69c27fb2-31fe-4e6a-85aa-87aa18da7088', NULL, NULL, 2147483647, NULL),
  ('\x9ea3c40a36a0d56d183a9627b08c57a067a7490b', '2024-01-01 00:00:03.003', 'customer', '{"b":[1, 2],"a":null}', 4294967295, NULL, 29858, -10860, '2020-08-28 15:36:14.000001+00', '{"x y",NULL,"q\"q"}', 'cbe0e919-4329-4315-8531-a5d8bf300b32', 'order.paid', NULL, 1, 'null'),
  ('\x809303', '2024-01-01 00:00:04.004', 'com.acme.Order', '{}', NULL, NULL, 26636, -10505, '2025-05-16 08:14:49+00', '{}', '608318ca-530c-4b40-b9f4-271f41b5c1cd', 'Ünï', -1, NULL, '{"orderId": 550429040691, "customer": {"id": 923437, "name": "{\"x\":1}", "email": null}, "items": [{"sku": "SKU-735", "qty": 7, "price": 603.10}, {"sku": "SKU-459", "qty": 6, "price": 415.99, "note": null}, {"sku": "SKU-697", "qty": 1, "price": 978.99, "note": "${x}"}], "total": 100, "currency": "EUR", "createdAt": "2026-08-03T22:48:51+02:00", "paid": null, "tags": [null,"x"], "shipping": {}, "version": 1}');
INSERT INTO "Outbox1" ("größe", id, aggregatetype, source, id2, headers, priority, aggregate_id, "Col8", "meta data", "Col1", type, "user", priority_9, "event payload") VALUES
  (NULL, '2024-01-01 00:00:05.005', 'x.y', '{}', 1, NULL, -28618, -114, '2025-11-20 15:47:33+00', '{"x y",NULL,"q\"q"}', '3098180d-8590-460d-b412-d91596fac396', 'Ünï', -1, 1, '{"x$y": 937, "type": {"customer-id" : true , "name" : " sep"}, "name": 1E+5, "amount": "true", "_v": {"amount":{"ünï": true, "id": 728, "Customer Id": "88412a67-06e9-4a1e-af3e-28fdae309737"}}}'),
  (NULL, '2024-01-01 00:00:06.006', 'customer', '"x"', NULL, '\x4aa0b6f4e1f7e6b93aac4b6621c588994e099b8d', 6197, 13973, NULL, '{a,b}', 'b6518f67-61e0-4db9-b31d-fcd44b3ac943', 'order.paid', -1, 835031, 'null'),
  ('\x', '2024-01-01 00:00:07.007', 'com.acme.Order', '{"a" : 1, "bb":2, "c":1.50}', 4294967295, '\xcb', 3523, -19648, '2024-01-10 16:54:15.999999+05:30', '{"x y",NULL,"q\"q"}', '0a6825e8-651c-4e84-a450-4d0cd3dbbc3f', 'Ünï', 2147483647, -2147483648, '{"a":{}}');
INSERT INTO public.outbox_2 ("größe", id, aggregatetype, source, id2, headers, priority, aggregate_id, "Col8", "meta data", "Col1", type, "user", priority_9, "event payload") VALUES
  ('\x24c111', '2024-01-01 00:00:08.008', 'x.y', '[]', 1, NULL, 15963, 30850, '2020-01-05 05:07:40.000001+00', '{}', '0987bb87-d371-44b7-9eea-03261360c501', 'OrderCreated', NULL, -2147483648, '{"version": 1, "currency": "EUR", "tags": ["ü"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "paid": null, "createdAt": "2023-11-25T14:17:35.000001Z", "total": 0, "items": [{"sku": "SKU-872", "qty": 8, "price": 721.00, "note": null}, {"sku": "SKU-691", "qty": 2, "price": 588.10}, {"sku": "SKU-102", "qty": 4, "price": 897.00}, {"sku": "SKU-815", "qty": 4, "price": 671.10}], "orderId": "517707ba-4361-4504-a2b2-303d7a2c01b0", "customer": {"id": 833807, "name": "日本", "email": "a@b.c"}}'),
  ('\x59', '2024-01-01 00:00:09.009', 'com.acme.Order', '{"a" : 1, "bb":2, "c":1.50}', 1, '\x', NULL, -24488, NULL, '{}', '7a4a478a-4e65-45b9-ab45-6d401e3b7ad9', 'order.paid', NULL, NULL, '{"createdAt":true,"amount":"2021-06-04T01:27:08.123Z"}'),
  (NULL, '2024-01-01 00:00:10.010', 'x.y', 'null', 4294967295, NULL, 11808, -8004, NULL, '{"x y",NULL,"q\"q"}', '5e39a4c7-ff73-4c1b-919d-0ae4f1661482', NULL, NULL, 2147483647, '{"orderId": 106549228927, "customer": {"id": 902906, "name": "semi;colon", "email": null}, "items": [], "total": 100, "currency": "EUR", "createdAt": 1700000000.123, "paid": null, "tags": [null,"x"], "shipping": null, "version": 1}'),
  ('\x124c8e', '2024-01-01 00:00:11.011', 'com.acme.Order', '{"b":[1, 2],"a":null}', 1, NULL, NULL, 31765, '1999-10-04 07:39:38+00', '{"x y",NULL,"q\"q"}', '3c0a4521-bc52-47b9-ac25-af494d519e13', NULL, NULL, NULL, '{"customer_id": 0.0001}');
CREATE TABLE public.orders (id int primary key, x text);

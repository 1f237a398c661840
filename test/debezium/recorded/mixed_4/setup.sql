CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'happy', 'so-so, ok');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN pos AS int CHECK (VALUE >= 0);
CREATE DOMAIN duuid AS uuid;
CREATE SCHEMA app;
CREATE TABLE app.outbox_events (
  id char(36) PRIMARY KEY,
  aggregatetype varchar(255) DEFAULT 'order',
  "kéy" varchar(255) NOT NULL,
  type varchar(255) NOT NULL,
  data bytea,
  "größe" json,
  id2 numeric(10,2),
  tenant_id time DEFAULT LOCALTIME,
  "a.b" text[] NOT NULL,
  "meta data" text[],
  "createdAt" boolean,
  headers jsonb DEFAULT '[]'::jsonb,
  "createdAt_7" timestamptz[]
);
INSERT INTO app.outbox_events (id, aggregatetype, "kéy", type, data, "größe", id2, tenant_id, "a.b", "meta data", "createdAt", headers, "createdAt_7") VALUES
  ('0000-1', 'x.y', 'agg-2', 'OrderCreated', '{"a":1}', '{"a" : 1}', NULL, '13:47:11.123456', '{a,b}', '{a,b}', true, '{"b":[1, 2],"a":null}', '{"2024-02-29 12:34:56.789+02"}'),
  ('0000-2', 'order', 'agg-5', 'OrderCreated', '\x', '{"b":[1, 2],"a":null}', NULL, NULL, '{a,b}', '{a,b}', true, '[]', NULL);
CREATE TABLE public.orders (id int primary key, x text);

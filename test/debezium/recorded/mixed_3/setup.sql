CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'happy', 'so-so, ok');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN pos AS int CHECK (VALUE >= 0);
CREATE DOMAIN duuid AS uuid;
CREATE TABLE public.outbox_events (
  "key" uuid PRIMARY KEY,
  "agg-type" text,
  aggregateid varchar(255) NOT NULL,
  payload text,
  c_0 inet NOT NULL,
  source text DEFAULT CURRENT_USER,
  version_no mood NOT NULL,
  occurred_at timestamp(0) DEFAULT now(),
  part int
);
CREATE TABLE public.orders (id int primary key, x text);

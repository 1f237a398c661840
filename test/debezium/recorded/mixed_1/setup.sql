CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TYPE mood AS ENUM ('sad', 'happy', 'so-so, ok');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN pos AS int CHECK (VALUE >= 0);
CREATE DOMAIN duuid AS uuid;
CREATE SCHEMA app;
CREATE TABLE app."événement" (
  id numeric(20) PRIMARY KEY,
  "AggregateType" varchar(255) DEFAULT 'order',
  aggregateid timestamptz NOT NULL,
  "eventType" varchar(255),
  payload json,
  "occurredAt" timestamp(3)
);
ALTER TABLE app."événement" REPLICA IDENTITY FULL;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (1, 'OrderLine', '2020-01-11 01:51:02-08:30', 'OrderCreated', '{"version": 1, "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000000}', '1999-01-06 21:44:46.999999');

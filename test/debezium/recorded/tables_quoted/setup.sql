-- before the slot
CREATE SCHEMA "My App"; CREATE TABLE "My App"."Out-Box.x" (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb);

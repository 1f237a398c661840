-- before the slot
CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE TYPE mood AS ENUM ('sad','happy','it''s "so"'); CREATE TYPE comp AS (a int, b text);
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, t text, v varchar(20), c char(5), ci citext, u uuid, x xml, j json, jb jsonb, l ltree, ip inet, cd cidr, ma macaddr, m8 macaddr8, e mood, tv tsvector, ch "char", bp bpchar, nm name);

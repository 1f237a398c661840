-- before the slot
CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE TYPE mood AS ENUM ('sad','happy','it''s "so"'); CREATE TYPE comp AS (a int, b text);CREATE TYPE fr AS RANGE (subtype=float4);
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, bx box, ln line, ls lseg, pa path, pg polygon, cr circle, mr int4multirange, dmr datemultirange, co comp, jp jsonpath, lsn pg_lsn, rc regclass, ti tid, tq tsquery, sn txid_snapshot, xi xid, x8 xid8, fr fr, nm name);

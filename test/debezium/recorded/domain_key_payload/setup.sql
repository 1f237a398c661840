-- before the slot
CREATE DOMAIN did AS uuid; CREATE DOMAIN dk AS varchar(20); CREATE DOMAIN dj AS jsonb; CREATE DOMAIN dt AS text; CREATE TABLE outbox (id did PRIMARY KEY, aggregatetype dt NOT NULL, aggregateid dk NOT NULL, type dt, payload dj);

-- before the slot
CREATE DOMAIN dn AS int NOT NULL; CREATE DOMAIN dd AS text DEFAULT 'dflt';CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, a dn, b dd, c dd DEFAULT 'own');

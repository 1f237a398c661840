-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, n1 numeric(10,2) DEFAULT 1.5, n2 numeric DEFAULT 1.50, n3 numeric(10,2) DEFAULT -0.5, n4 numeric(5) DEFAULT 12, mo money DEFAULT 1.5, mo2 money DEFAULT '12.34');

-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, n102 numeric(10,2), n380 numeric(38,0), n55 numeric(5,5), n24 numeric(2,4), n3m2 numeric(3,-2), n10 numeric(10), n4020 numeric(40,20), n numeric);

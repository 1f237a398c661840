-- before the slot
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET datestyle=''SQL, DMY''', current_database()); END $$;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone=''Asia/Kolkata''', current_database()); END $$;
CREATE FUNCTION mk() RETURNS void LANGUAGE sql SET datestyle='ISO' SET timezone='UTC' AS $f$ SELECT 1 $f$;
SET datestyle='ISO';SET timezone='UTC';SET extra_float_digits=1;
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, a date DEFAULT '2024-02-29', b timestamp DEFAULT '2024-02-29 12:34:56.789', c timestamptz DEFAULT '2024-02-29 12:34:56+02', d interval DEFAULT '1 day 02:00:00', e double precision DEFAULT 0.1, f timestamptz(3) DEFAULT '2024-07-01 00:00:00+00', g time DEFAULT '01:02:03');

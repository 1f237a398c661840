-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), aggregatetype text NOT NULL DEFAULT 'order', aggregateid text NOT NULL DEFAULT 'none', type text NOT NULL DEFAULT 'T', payload jsonb DEFAULT '{}', a int NOT NULL DEFAULT 5, b text NOT NULL DEFAULT 'x', c timestamptz NOT NULL DEFAULT now());

-- before the slot
CREATE TABLE outbox (id uuid DEFAULT '11111111-2222-4333-8444-555555555555', aggregatetype text NOT NULL, aggregateid text DEFAULT 'none', type text, payload jsonb DEFAULT '{"d": 1}', n int PRIMARY KEY);

-- before the slot
CREATE TABLE outbox ("Event Id" uuid PRIMARY KEY, "Agg Type" text, "agg-key" text, "Typ-e" text, "Pay.load" jsonb, "A.b" int);

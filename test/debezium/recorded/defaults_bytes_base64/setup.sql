-- before the slot
CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype varchar(255) NOT NULL, aggregateid varchar(255) NOT NULL, type varchar(255) NOT NULL, payload jsonb, y1 bytea DEFAULT '\x01ff', b1 bit(1) DEFAULT B'1', b3 bit(3) DEFAULT B'101', b9 bit(9) DEFAULT B'100000001', vb varbit DEFAULT B'101');

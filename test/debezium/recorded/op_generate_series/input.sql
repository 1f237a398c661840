INSERT INTO outbox SELECT ('00000000-0000-4000-8000-'||lpad(i::text,12,'0'))::uuid,'order','k'||(i%7),'T',jsonb_build_object('i',i) FROM generate_series(1,100) i;

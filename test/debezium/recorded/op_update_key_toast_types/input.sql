INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000001','order','k','T','{}',convert_to(repeat('x',9000),'UTF8'),to_jsonb(repeat('x',9000)),array_fill('xxxxxxxx'::text,array[1000]),array_fill(5,array[3000]),1,('<a>'||repeat('x',9000)||'</a>')::xml,hstore('k',repeat('x',9000)));
UPDATE outbox SET id='00000000-0000-4000-8000-000000000009';

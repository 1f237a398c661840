INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','k1','OrderCreated','{"o":[{"a":1,"b":1},{"b":2,"c":3},{"d":1}]}');

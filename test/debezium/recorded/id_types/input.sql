INSERT INTO outbox(aggregatetype,aggregateid,type,payload) VALUES ('order','k','T','{}'),('order','k','T','{}');

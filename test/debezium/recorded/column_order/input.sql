INSERT INTO outbox(z,payload,type,aggregateid,aggregatetype) VALUES (1,'{}','T','k','order');

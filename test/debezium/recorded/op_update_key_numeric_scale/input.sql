INSERT INTO outbox VALUES (1.0,'order','k','T','{}');UPDATE outbox SET id=1.00;UPDATE outbox SET id=1;UPDATE outbox SET id=2;

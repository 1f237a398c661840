INSERT INTO outbox VALUES ('abc','order','k','T','{}');UPDATE outbox SET id='ABC';UPDATE outbox SET id='ABC ';

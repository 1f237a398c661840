INSERT INTO outbox VALUES ('\x0102','order','k','T','{}');UPDATE outbox SET id='\xff';

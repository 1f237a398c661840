INSERT INTO outbox VALUES (0,'2024-01-01 00:00:00+00','order','k','T','{}');UPDATE outbox SET id='-0';UPDATE outbox SET t='2024-01-01 02:00:00+02';

BEGIN;
INSERT INTO "Outbox1" ("größe", id, aggregatetype, source, id2, headers, priority, aggregate_id, "Col8", "meta data", "Col1", type, "user", priority_9, "event payload") VALUES
  (NULL, '2024-01-01 00:00:12.012', 'customer', '[]', 1, '\xd93c98', 13094, -32042, '2020-08-20 21:15:36.1+00', '{}', NULL, NULL, 1, 0, '{"a":{}}');
INSERT INTO "Outbox1" ("größe", id, aggregatetype, source, id2, headers, priority, aggregate_id, "Col8", "meta data", "Col1", type, "user", priority_9, "event payload") VALUES
  (NULL, '2024-01-01 00:00:13.013', 'x.y', '{"a" : 1, "bb":2, "c":1.50}', 4294967295, '\x45ba95de3f5e5024329ad28da12ee73a03cd1500', -9502, -4509, '2020-04-21 19:00:54.5+05:30', '{"x y",NULL,"q\"q"}', '2ac28c01-52ca-410b-81ef-9a24bf47149b', 'x y', 473298, NULL, '"str"');
ROLLBACK;
INSERT INTO outbox ("größe", id, aggregatetype, source, id2, headers, priority, aggregate_id, "Col8", "meta data", "Col1", type, "user", priority_9, "event payload") VALUES
  (NULL, '2024-01-01 00:00:14.014', 'x.y', '{"a" : 1, "bb":2, "c":1.50}', 1, NULL, -12231, -13494, '2025-02-05 07:45:57.123+05:30', '{}', 'b046cc14-e236-4b73-8ef9-5c65658b7446', 'order.paid', -2147483648, NULL, 'true'),
  (NULL, '2024-01-01 00:00:15.015', 'x.y', 'null', NULL, '\x6f834c', 25102, 1516, NULL, '{a,b}', '015a6f42-c46a-439e-91cc-7f31a7a6c878', NULL, NULL, 0, '{"createdAt": 1700000000.123, "currency": "EUR", "version": 2, "items": [], "total": 1e3, "tags": ["ü"], "paid": false, "orderId": 107563185865, "customer": {"id": 213425, "name": "alpha", "email": null}, "shipping": null}');
BEGIN;
INSERT INTO outbox_2 ("größe", id, aggregatetype, source, id2, headers, priority, aggregate_id, "Col8", "meta data", "Col1", type, "user", priority_9, "event payload") VALUES
  (NULL, '2024-01-01 00:00:16.016', 'x.y', '{}', 4294967295, '\xd7', NULL, 22570, '2020-09-07 17:00:20+00', '{"x y",NULL,"q\"q"}', NULL, 'OrderCreated', NULL, -1, '{}');
ROLLBACK;
UPDATE outbox SET aggregatetype = 'com.acme.Order';

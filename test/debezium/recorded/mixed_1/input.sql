BEGIN;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (2, 'OrderLine', '2024-04-06 18:30:37.5+02', 'x y', '{"orderId": 417734268693, "customer": {"id": 124444, "name": "true", "email": "a@b.c"}, "items": [{"sku": "SKU-895", "qty": 9, "price": 447.00}, {"sku": "SKU-988", "qty": 6, "price": 226.99}, {"sku": "SKU-944", "qty": 8, "price": 54.00}, {"sku": "SKU-754", "qty": 8, "price": 199.10}], "total": 12.50, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": null, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 2}', '2025-10-09 07:30:56.5');
SAVEPOINT s1;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (3, 'order-line', '1999-07-17 07:43:34.123456+00', 'order.paid', '{"schema": {"ünï": "6dfc2104-6222-4b41-9f77-d56cc0d152fd"},
  "name": "alpha",
  "amount": 9223372036854775807,
  "9lives": false,
  "fieldName4": "  padded  ",
  "value": 150}', NULL);
SAVEPOINT s2;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (4, 'order-line', '2020-06-20 09:04:32.999999+00', NULL, '{"tags": null, "version": 1, "currency": "EUR", "customer": {"id": 257408, "name": "Zoë", "email": "a@b.c"}, "shipping": {}, "createdAt": 1700000000000, "orderId": 243923213527, "total": 99999999.99, "items": [{"sku": "SKU-464", "qty": 5, "price": 98.10}, {"sku": "SKU-44", "qty": 5, "price": 446.99}, {"sku": "SKU-132", "qty": 6, "price": 286.5, "note": null}], "paid": null}', '2025-11-07 21:51:24.000001');
ROLLBACK TO s2;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (5, 'order-line', '2024-02-16 20:06:00.123+02', 'x y', '{"orderId": 308595397672, "version": 3, "currency": "EUR", "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "total": 0.10, "customer": {"id": 283781, "name": "true", "email": null}, "createdAt": 1700000000000, "tags": [], "paid": false, "items": [{"sku": "SKU-44", "qty": 5, "price": 447.10}, {"sku": "SKU-642", "qty": 1, "price": 535.00}, {"sku": "SKU-606", "qty": 5, "price": 977.99, "note": null}]}', '2020-06-20 08:00:55');
COMMIT;
BEGIN;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (6, 'customer', '2020-11-27 23:18:13.123+00', NULL, '{"orderId": 622850141292, "customer": {"id": 714326, "name": "naïve café", "email": null}, "items": [{"sku": "SKU-701", "qty": 1, "price": 942.5}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000.123, "paid": false, "tags": ["ü"], "shipping": {}, "version": 3}', '2025-10-08 12:46:43');
COMMIT;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (7, 'OrderLine', '1999-10-08 04:03:47.000001-08:30', NULL, NULL, '2025-07-03 20:11:16.123');
UPDATE app."événement" SET "occurredAt" = '2025-01-19 00:15:41.123';
UPDATE app."événement" SET id = 8 WHERE id = 1;
INSERT INTO app."événement" (id, "AggregateType", aggregateid, "eventType", payload, "occurredAt") VALUES
  (9, 'order-line', '2024-11-28 06:18:41.1+00', 'OrderCreated', '{"orderId": 806801585757, "customer": {"id": 650832, "name": "ünïcödé", "email": "a@b.c"}, "items": [{"sku": "SKU-825", "qty": 7, "price": 291.99, "note": "${x}"}, {"sku": "SKU-772", "qty": 7, "price": 698.5, "note": null}], "total": 0, "currency": "EUR", "createdAt": 1700000000.123, "paid": false, "tags": ["a","b"], "shipping": {}, "version": 2}', '2020-11-11 09:57:02.123456'),
  (10, 'order-line', '2025-03-12 17:49:42.1+00', 'x y', '{"customer_id" : "alpha" , "schema" : {"\u00fcn\u00ef":{"ünï": 302, "9lives": {"amount": "12",
  "@type": 1e22,
  "日本": true}, "@type": null, "a.b": "%s", "value": "2021-10-12T00:51:53Z"},"k1":"a\"b","@type":896,"customer_id":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}', '2025-07-19 16:58:29.123'),
  (11, 'order-line', '2020-03-16 11:54:17.123-08:30', 'Ünï', '{"ünï" : {}}', '1999-07-12 05:21:44.000001');

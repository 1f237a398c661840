INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000001','order','k0','T','{"fieldName0": "2a10e1e8-2d5b-4db4-9ca2-45a7e5b17904",
  "x$y": true}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000002','order','k1','T','{"type": {"@type" : "" , "id" : {"fieldName0": {"k0": "line\nbreak", "type": 2147483648},
  "k1": 2147483648} , "fieldName2" : false , "schema" : [67,99,53] , "9lives" : -355},
  "9lives": "na\u00efve caf\u00e9",
  "\u00fcn\u00ef": "<b>&amp;</b>",
  "Customer Id": 500,
  "_v": {"id":{"_v":[2.0, 0.1, 0.1, 0.1],"createdAt":[23, 39],"日本":"line\nbreak"},"customer-id":"ünïcödé","value":[false, false],"type":123456789012345678901234567890,"type":{"amount" : [true, false, false] , "x$y" : {"customer-id": null, "id": "bcd7ddf6-ee11-4cdf-a778-599bbc20d19c"} , "createdAt" : [{"f0":4962,"f1":true,"f2":{"x":2,"y":"b"},"f3":701.09},{"f0":6822,"f1":true,"f2":{"x":5,"y":"c"},"f3":597.38}] , "name" : {"Customer Id":"$1","a.b":9223372036854775808}}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000003','order','k2','T','{"total": 1e3, "version": 1, "customer": {"id": 618419, "name": "ünïcödé", "email": "a@b.c"}, "currency": "EUR", "shipping": {}, "tags": [], "items": [{"sku": "SKU-951", "qty": 7, "price": 268.99}, {"sku": "SKU-305", "qty": 8, "price": 214.5, "remark": "$1"}, {"sku": "SKU-61", "qty": 9, "price": 776.10, "remark": null}, {"sku": "SKU-975", "qty": 5, "price": 715.99}], "orderId": "c4a7a1c5-57e6-4493-82e1-a9e4a07f2e5b", "paid": null, "createdAt": 1700000000000}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000004','order','k3','T','{"createdAt": "line\nbreak",
  "9lives": "95f917bf-dbba-405f-b2d5-283e2aa93714",
  "x$y": {},
  "value": "tab\there"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000005','order','k4','T','{"orderId": "31f3de98-e74e-45b7-abbd-816ecad9a455", "customer": {"id": 904614, "name": "{\"x\":1}", "email": "a@b.c"}, "items": [{"sku": "SKU-970", "qty": 2, "price": 441.5}, {"sku": "SKU-627", "qty": 6, "price": 542.00, "remark": "%s"}, {"sku": "SKU-374", "qty": 7, "price": 339.5}, {"sku": "SKU-3", "qty": 2, "price": 844.00}]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000006','order','k5','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000007','order','k6','T','{"value" : -17 , "schema" : {"name" : {} , "日本" : -0.0 , "_v" : [2, 2, 1] , "amount" : 123456789012345678901234567890 , "value" : "2024-01-18T11:32:02.123Z" , "fieldName5" : "semi;colon"} , "日本" : "ünïcödé" , "type" : {"日本": "😀 smile"} , "x$y" : 9223372036854775808}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000008','order','k7','T','{"orderId": "d4f6082a-836e-457c-ba6c-09e14834a053", "customer": {"id": 103531, "name": "a,b", "email": null}, "items": [{"sku": "SKU-117", "qty": 1, "price": 734.10, "remark": null}, {"sku": "SKU-52", "qty": 8, "price": 361.5}], "total": 1e3, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": [], "shipping": {}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000009','order','k8','T','{"version": 3, "currency": "EUR", "items": [{"sku": "SKU-589", "qty": 3, "price": 938.5}, {"sku": "SKU-83", "qty": 7, "price": 619.5}, {"sku": "SKU-623", "qty": 8, "price": 13.5}, {"sku": "SKU-217", "qty": 1, "price": 831.10}], "orderId": 619599229115, "customer": {"id": 450543, "name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "email": null}, "tags": [null,"x"], "total": 12.50, "shipping": {}, "createdAt": 1700000000.123, "paid": false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000010','order','k9','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000011','order','k10','T','{"amount": 318, "customer-id": 123456789012345678901234567890, "\u65e5\u672c": {"payload":[{"f0":"${x}","f1":"a,b","f2":117.45,"f3":352.33},{"f0":"O''Neil","f1":"Bob","f2":967.22,"f3":738.76}],"customer_id":"2023-03-01T15:11:23.000001Z","日本":{"type": "74aabf02-5706-4b32-a24f-3ec8e821143d"}}, "value": false, "type": {"type": 462, "a.b": 9223372036854775808, "createdAt": [43], "amount": true, "customer_id": ["12"], "Customer Id": 99.999}, "value": 123456789012345678901234567890}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000012','order','k11','T','{"payload":null,"_v":-2147483649}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000013','order','k12','T','{"日本": "2025-11-11T15:05:19.000001Z",
  "x$y": 9223372036854775808,
  "amount": {"schema": {"a.b":{"ünï": false},"ünï":1234567.891,"schema":true}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000014','order','k13','T','{"orderId": "f256ef2d-f124-4e6c-a4bf-250830fb58b1", "customer": {"id": 304768, "name": "${x}", "email": null}, "items": [], "total": 0.10, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": [null,"x"], "shipping": {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000015','order','k14','T','{"orderId": 702999091376, "customer": {"id": 128790, "name": " sep", "email": null}, "items": [{"sku": "SKU-379", "qty": 8, "price": 895.00}], "total": 0.10, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": [], "shipping": {}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000016','order','k15','T','{"orderId": 155680289182, "customer": {"id": 347824, "name": "{\"x\":1}", "email": null}, "items": [{"sku": "SKU-852", "qty": 6, "price": 284.10}, {"sku": "SKU-439", "qty": 4, "price": 210.99}, {"sku": "SKU-381", "qty": 9, "price": 716.99, "remark": "\u2028sep"}, {"sku": "SKU-700", "qty": 5, "price": 382.99, "remark": "\u2028sep"}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000.123, "paid": null, "tags": null, "shipping": null, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000017','order','k16','T','{"createdAt": 1700000000.123, "tags": ["a","b"], "orderId": 299057952442}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000018','order','k17','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000019','order','k18','T','{"fieldName0": [], "amount": {"x$y":"%s","a.b":"  padded  ","k2":"${x}","k3":["😀 smile"],"_v":{"amount": {"value":null}, "value": {"fieldName0":123456789012345678901234567890,"amount":-15,"createdAt":null}, "name": {"name" : false , "a.b" : null}, "Customer Id": 9223372036854775808, "\u65e5\u672c": [2147483648, "key=value", "2023-03-14T08:55:10"], "_v": {"id":9223372036854775808}}}, "_v": {"payload": "alpha",
  "createdAt": "2021-11-12T14:56:35.123Z",
  "schema": 1234567.891}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000020','order','k19','T','{"tags": [null,"x"], "items": [{"sku": "SKU-630", "qty": 8, "price": 82.00}], "total": 100, "paid": true, "shipping": null, "currency": "EUR", "orderId": 60069040623, "customer": {"id": 796171, "name": "a\"b", "email": "a@b.c"}, "createdAt": 1700000000.123, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000021','order','k20','T','{"createdAt":"日本"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000022','order','k21','T','{"orderId": "b1fd52b1-7561-43b4-8a8e-ab05076e94c9", "customer": {"id": 743654, "name": "Bob", "email": null}, "items": [{"sku": "SKU-908", "qty": 8, "price": 448.00, "remark": "alpha"}, {"sku": "SKU-400", "qty": 1, "price": 469.5}, {"sku": "SKU-705", "qty": 9, "price": 436.10, "remark": null}, {"sku": "SKU-182", "qty": 8, "price": 521.5}], "total": 1e3, "currency": "EUR"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000023','order','k22','T','{"n":9223372036854775808}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000024','order','k23','T','{"n":9223372036854775808}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000025','order','k24','T','{"orderId": 455123937422, "customer": {"id": 601237, "name": "a,b", "email": "a@b.c"}, "items": [{"sku": "SKU-355", "qty": 2, "price": 451.10}], "total": 1e3, "currency": "EUR", "createdAt": "2025-04-19T18:56:13Z", "paid": false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000026','order','k25','T',' {"a":1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000027','order','k26','T','{"name":[],"schema":true}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000028','order','k27','T','{"orderId": 842299803179, "customer": {"id": 392176, "name": "Bob", "email": "a@b.c"}, "items": [{"sku": "SKU-460", "qty": 5, "price": 516.5}], "total": 0, "currency": "EUR", "createdAt": "2022-02-26T13:59:51Z", "paid": true, "tags": [null,"x"], "shipping": null, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000029','order','k28','T','{"orderId": 556144314004, "customer": {"id": 591217, "name": "a,b", "email": null}, "items": [{"sku": "SKU-825", "qty": 8, "price": 268.10}]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000030','order','k29','T','[1,');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000031','order','k30','T','{"createdAt": true,
  "@type": [[7,1,7], [6,7], [9], [0,1]],
  "id": "2026-07-23T00:47:58+02:00"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000032','order','k31','T','{"name":[{"f0":238.96,"f1":true,"f2":5296,"f3":7877}, {"f0":661.48,"f1":false,"f2":8016,"f3":9240}, {"f0":212.91,"f1":false,"f2":8635,"f3":5043}],"customer-id":"😀 smile","9lives":100.00,"k4":"O''Neil"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000033','order','k32','T','{"orderId": "a5178c57-3c41-4c06-8714-47307431dd0e", "customer": {"id": 194374, "name": "true", "email": "a@b.c"}, "items": [{"sku": "SKU-888", "qty": 1, "price": 318.10, "remark": null}, {"sku": "SKU-177", "qty": 2, "price": 589.10, "remark": "O''Neil"}, {"sku": "SKU-170", "qty": 6, "price": 79.10}, {"sku": "SKU-712", "qty": 1, "price": 445.00, "remark": "back\\slash"}], "total": 12.50, "currency": "EUR", "createdAt": 1700000000.123, "paid": null}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000034','order','k33','T','{"schema" : 1700000000000 , "a.b" : false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000035','order','k34','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000036','order','k35','T','{"orderId": 193722272436, "customer": {"id": 585908, "name": "line\nbreak", "email": "a@b.c"}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000037','order','k36','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000038','order','k37','T','{"a":{}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000039','order','k38','T','{"type" : {"Customer Id": 9007199254740993, "\u00fcn\u00ef": [1, 2, null, 2], "payload": [{"f0":5942,"f1":911.08}, {"f0":4879,"f1":374.29}, {"f0":5162,"f1":41.95}, {"f0":8192,"f1":179.70}]} , "a.b" : true , "name" : true , "9lives" : ["back\\slash"] , "customer_id" : "Zoë"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000040','order','k39','T','{"a":[{}]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000041','order','k40','T','{"k0": {"9lives" : 2147483647 , "a.b" : "semi;colon" , "k2" : ["<b>&amp;</b>", "line\nbreak", "back\\slash"] , "createdAt" : -2147483649}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000042','order','k41','T','{"customer_id": -923, "value": -197, "日本": "f905e46f-ebdc-430b-953a-e02159bf8a4a", "Customer Id": {"value": {},
  "type": "cfc033ae-347a-42ed-842f-b93089b16d79",
  "customer_id": 0.0,
  "id": 1234567.891}, "9lives": [[5], [8,3,4]]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000043','order','k42','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000044','order','k43','T','{"orderId": 840295153580, "customer": {"id": 789935, "name": "日本", "email": null}, "items": [{"sku": "SKU-492", "qty": 5, "price": 698.99}, {"sku": "SKU-927", "qty": 2, "price": 306.00, "remark": "a\"b"}, {"sku": "SKU-122", "qty": 6, "price": 670.5}, {"sku": "SKU-534", "qty": 8, "price": 167.5, "remark": "null"}], "total": 100}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000045','order','k44','T','{"customer_id": true, "amount": "Zoë", "k2": {}, "a.b": "73d74109-98ea-44ee-9cd7-adda4184b050", "\u65e5\u672c": false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000046','order','k45','T','{"a":[{}]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000047','order','k46','T','{"orderId": 3786929675, "customer": {"id": 63084, "name": "a\"b", "email": "a@b.c"}, "items": [{"sku": "SKU-370", "qty": 8, "price": 568.99}, {"sku": "SKU-950", "qty": 7, "price": 0.00, "remark": "\u00fcn\u00efc\u00f6d\u00e9"}], "total": 100, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": null, "shipping": {}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000048','order','k47','T','{"orderId": 140721115842, "customer": {"id": 180976, "name": "  padded  ", "email": "a@b.c"}, "items": [{"sku": "SKU-663", "qty": 1, "price": 305.99}, {"sku": "SKU-310", "qty": 3, "price": 338.00, "remark": "{\"x\":1}"}, {"sku": "SKU-33", "qty": 3, "price": 799.5, "remark": "\u2028sep"}, {"sku": "SKU-995", "qty": 7, "price": 965.00}], "total": 0.10, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": [], "shipping": {}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000049','order','k48','T','{"payload":{"createdAt" : "18f1965c-665b-436b-870e-7b9f209484cd"},"name":true}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000050','order','k49','T','{"orderId": 679054038403, "customer": {"id": 610637, "name": "line\nbreak", "email": null}, "items": [{"sku": "SKU-507", "qty": 7, "price": 37.99}], "total": 1e3, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": ["a","b"], "shipping": {}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000051','order','k50','T','{"a.b":null}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000052','order','k51','T','[1,');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000053','order','k52','T','[{"a":1}]');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000054','order','k53','T','{"orderId": "74fe88d7-1d09-4808-b27d-c013686ecab5", "customer": {"id": 502954, "name": "naïve café", "email": null}, "items": [{"sku": "SKU-374", "qty": 7, "price": 409.10}], "total": 0.10, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": [null,"x"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000055','order','k54','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000056','order','k55','T','{"id":null,"type":false,"fieldName3":"O''Neil"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000057','order','k56','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000058','order','k57','T','{"orderId": 378056174085, "customer": {"id": 170983, "name": "naïve café", "email": null}, "items": [{"sku": "SKU-79", "qty": 8, "price": 436.00, "remark": ""}], "total": 0.10, "currency": "EUR", "createdAt": "2023-06-20T20:21:57", "paid": null, "tags": [null,"x"], "shipping": {}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000059','order','k58','T','{"payload": 2147483647, "9lives": {"_v": "2024-04-16T21:02:08.000001Z",
  "type": [2,2]}, "customer-id": 9223372036854775808}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000060','order','k59','T','{"value":{},"9lives":true,"x$y":123456789012345678901234567890,"name":9223372036854775808,"createdAt":{}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000061','order','k60','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000062','order','k61','T','{"@type": [9223372036854775807, "semi;colon"], "Customer Id": true, "k2": "2022-05-04T10:29:04+02:00"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000063','order','k62','T','{"orderId": "5529a7ea-b2dc-40c3-8a5e-40c2995ae918", "customer": {"id": 521256, "name": "Zoë", "email": "a@b.c"}, "items": [], "total": 99999999.99, "currency": "EUR", "createdAt": "2023-09-24T01:47:02", "paid": false, "tags": ["a","b"], "shipping": null, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000064','order','k63','T','{"\u00fcn\u00ef" : {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000065','order','k64','T','{"a.b": [[3,6],[9],[4],[4]], "k1": {"createdAt" : ["2023-01-27T02:22:45"] , "ünï" : [0.1,2.0,1e3,1.5] , "payload" : "2025-04-02T03:59:56+02:00"}, "customer_id": "2025-03-11T07:49:10.000001Z"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000066','order','k65','T','{"orderId": "d7f8d0bd-9b11-4f72-b047-efaaafc4ba1b", "customer": {"id": 298520, "name": "tab\there", "email": null}, "items": [], "total": 12.50, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": [], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000067','order','k66','T','{"orderId": "c0d8c9a8-3c15-430c-9f1a-8836e5d13e00", "customer": {"id": 109466, "name": " sep", "email": null}, "items": [{"sku": "SKU-497", "qty": 5, "price": 975.00, "remark": null}, {"sku": "SKU-960", "qty": 3, "price": 398.00}], "total": 12.50, "currency": "EUR", "createdAt": "2023-12-27T22:25:37Z", "paid": true, "tags": []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000068','order','k67','T','{"\u00fcn\u00ef" : 123456789012345678901234567890 , "schema" : {} , "value" : {"a.b": {"id": [2, null, 1],
  "日本": "日本",
  "Customer Id": {"payload": false},
  "schema": {"x$y": true, "a.b": " sep", "customer_id": "line\nbreak", "x$y": "2021-10-08T08:48:27+02:00"},
  "id": [null],
  "createdAt": [null, false, 1e3]}, "value": 76, "customer-id": {"name": {"a.b": null, "type": "75c20fb4-9383-4b25-abc9-6ef83c83284e", "amount": 123456789012345678901234567890, "name": "3e0c41b1-06cc-4e8c-84d9-be56eead339e", "Customer Id": null}, "name": {"amount": null,
  "type": 123456789012345678901234567890,
  "k2": false,
  "@type": 19.99,
  "id": -958}, "k2": false, "type": {}, "9lives": "2024-10-25T19:40:25.000001Z", "customer-id": false}, "payload": {"type" : {"amount" : null , "Customer Id" : false , "@type" : "{\"x\":1}"} , "fieldName1" : {"customer-id": "e9efe86b-f4db-4b33-8d1a-4a14dfcdb1d7"} , "customer-id" : "%s" , "\u00fcn\u00ef" : -2147483649 , "_v" : "alpha" , "createdAt" : 9223372036854775808}, "Customer Id": "a65854c4-9f14-4c7c-ae9c-92474a720ccb"} , "@type" : true , "name" : false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000069','order','k68','T','{"orderId": 900235024932, "customer": {"id": 196493, "name": "line\nbreak", "email": null}, "items": [{"sku": "SKU-342", "qty": 9, "price": 615.99}, {"sku": "SKU-360", "qty": 3, "price": 627.10}, {"sku": "SKU-396", "qty": 7, "price": 39.5, "remark": null}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000.123, "paid": false, "tags": [null,"x"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000070','order','k69','T','');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000071','order','k70','T','[{"a":1}]');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000072','order','k71','T','{"orderId": 594904816158, "customer": {"id": 82210, "name": "key=value", "email": null}, "items": [{"sku": "SKU-901", "qty": 6, "price": 517.99, "remark": null}, {"sku": "SKU-669", "qty": 6, "price": 784.10}], "total": 12.50, "currency": "EUR", "createdAt": "2021-08-10T13:35:30.123Z", "paid": null, "tags": ["a","b"], "shipping": null, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000073','order','k72','T','{"orderId": 308658544717, "customer": {"id": 433467, "name": "O''Neil", "email": "a@b.c"}, "items": [{"sku": "SKU-504", "qty": 2, "price": 590.99}, {"sku": "SKU-294", "qty": 7, "price": 184.00}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000.123, "paid": true, "tags": ["a","b"], "shipping": null, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000074','order','k73','T','{"paid": null, "customer": {"id": 181794, "name": "${x}", "email": null}, "createdAt": 1700000000000, "orderId": "0dd291bc-8857-43e1-a6d4-f69d92b39af4", "currency": "EUR", "tags": ["a","b"], "items": [], "version": 2, "total": 0.10, "shipping": {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000075','order','k74','T','{"orderId": 120991936048, "customer": {"id": 763918, "name": "%s", "email": "a@b.c"}, "items": [{"sku": "SKU-158", "qty": 6, "price": 659.10}], "total": 12.50, "currency": "EUR", "createdAt": 1700000000.123, "paid": true, "tags": null, "shipping": {}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000076','order','k75','T','{"x$y": 1e15, "fieldName1": {"customer-id": {"ünï": "2021-07-18T03:18:06.000001Z", "x$y": "na\u00efve caf\u00e9"},
  "a.b": {"customer-id": {"createdAt": 142, "\u65e5\u672c": "e943f370-f424-4dc5-8bdc-535547ad0292"}},
  "k2": {"value":1234567.891,"payload":"2022-08-26T14:59:34","9lives":3.0e10,"fieldName3":-2147483649,"Customer Id":{"9lives": "2021-10-16T22:35:56.123Z",
  "日本": false,
  "a.b": 9223372036854775808,
  "customer_id": "2026-08-06T19:28:13.000001Z",
  "schema": null}},
  "k3": -324,
  "customer_id": "2025-11-07T19:18:18.123Z"}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000077','order','k76','T','{"orderId": 377670862494, "customer": {"id": 927592, "name": "alpha", "email": null}, "items": [{"sku": "SKU-302", "qty": 6, "price": 677.99, "remark": "true"}], "total": 12.50, "currency": "EUR", "createdAt": 1700000000.123, "paid": true, "tags": []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000078','order','k77','T','{"orderId": 237397564329, "customer": {"id": 175158, "name": "$1", "email": "a@b.c"}, "items": [{"sku": "SKU-933", "qty": 9, "price": 488.99}], "total": 1e3, "currency": "EUR", "createdAt": 1700000000000, "paid": null, "tags": [], "shipping": {}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000079','order','k78','T','{broken');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000080','order','k79','T','{"a":{}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000081','order','k80','T','{"customer-id": false, "fieldName1": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000082','order','k81','T','12');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000083','order','k82','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000084','order','k83','T','{"id":["8d6d5f44-950c-42b4-8931-785661c52971", 1e3],"customer-id":"true","schema":123456789012345678901234567890}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000085','order','k84','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000086','order','k85','T','[]');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000087','order','k86','T','{"tags": [], "createdAt": 1700000000.123, "shipping": {}, "version": 2, "items": [{"sku": "SKU-623", "qty": 9, "price": 698.5, "remark": "key=value"}, {"sku": "SKU-886", "qty": 2, "price": 483.00, "remark": "\u65e5\u672c"}, {"sku": "SKU-553", "qty": 9, "price": 857.10}, {"sku": "SKU-774", "qty": 8, "price": 483.99, "remark": "a\"b"}], "currency": "EUR", "orderId": "8f6aaa95-87b9-4abf-b264-c3af123307ac", "customer": {"id": 107519, "name": "{\"x\":1}", "email": null}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000088','order','k87','T','{"name" : [1.5, 2.0, 1e3, 2.0] , "Customer Id" : 1e15 , "amount" : {"payload": true} , "_v" : 1700000000000}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000089','order','k88','T','{"id" : {"customer-id": "2024-08-26T00:27:21.000001Z",
  "ünï": {"createdAt": [[9,7], [2], [9,2,5]], "_v": {"value" : "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" , "fieldName1" : "dfa873d4-2a2e-49ea-add7-7a732c28ccb6" , "customer-id" : true , "a.b" : "2020-01-07T20:25:48.000001Z"}},
  "x$y": {"customer-id":{"x$y":"2022-01-02T21:21:01","name":-2147483649,"日本":9223372036854775808,"customer_id":"a\"b"},"value":" sep","9lives":"tab\there","k3":{"日本": "aee1efda-0809-414d-8656-2a99afcbcf80",
  "x$y": -0.0,
  "customer-id": "  padded  "},"fieldName4":"2021-11-21T20:34:09.000001Z","_v":{"payload" : null}},
  "customer_id": [false,true],
  "@type": [0.1, 2.0, 0.1]} , "schema" : "a,b" , "@type" : [] , "_v" : [0.1] , "k4" : {} , "customer-id" : 123456789012345678901234567890}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000090','order','k89','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000091','order','k90','T','{"createdAt": "0d4c1a8f-5279-4525-b65e-873bffca8914", "value": "Zoë", "日本": [null,2,null], "_v": -919, "@type": []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000092','order','k91','T','{broken');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000093','order','k92','T','{"orderId": "280232da-b305-40f2-bb37-5234d4d6aabe", "customer": {"id": 988179, "name": "<b>&amp;</b>", "email": null}, "items": [{"sku": "SKU-122", "qty": 2, "price": 262.10}, {"sku": "SKU-848", "qty": 7, "price": 931.5}, {"sku": "SKU-546", "qty": 9, "price": 338.00}, {"sku": "SKU-861", "qty": 8, "price": 121.5}], "total": 0, "currency": "EUR", "createdAt": 1700000000.123}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000094','order','k93','T','{"9lives" : [87, 98, 94]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000095','order','k94','T','{"k0":{"customer-id":"2024-08-05T20:06:50Z","id":[1e3],"Customer Id":true,"9lives":[1]},"日本":{"customer-id": 9223372036854775808,
  "Customer Id": "日本",
  "x$y": []}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000096','order','k95','T','"x"');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000097','order','k96','T','{"value": [], "amount": 9223372036854775808, "ünï": "2022-01-28T19:31:42.123Z", "a.b": {"@type": [1e3, 1e3, 1e3],
  "customer_id": "%s",
  "fieldName3": {"ünï":false,"name":{"9lives": 2147483648,
  "_v": 10000000.5,
  "payload": null},"schema":"2020-04-06T01:13:29.000001Z","customer_id":123456789012345678901234567890,"Customer Id":[false,false],"@type":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000098','order','k97','T','{"id":null,"k1":19.99,"schema":"2026-05-22T06:24:52+02:00"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000099','order','k98','T','12');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000100','order','k99','T','{"9lives": 9007199254740993, "name": "日本", "customer-id": [2.0,2.0,2.0,2.0], "id": "Bob", "fieldName4": ["true", 1700000000000, true, "key=value"]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000101','order','k100','T','{"currency": "EUR", "orderId": "fb2b08fe-e063-478d-899a-58861eb4a8b0", "createdAt": 1700000000000, "total": 0.10, "paid": null, "shipping": null, "tags": []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000102','order','k101','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000103','order','k102','T','{"ünï": 9223372036854775808, "type": [{"f0":{"x":6,"y":"c"},"f1":null}, {"f0":{"x":5,"y":"c"},"f1":null}], "createdAt": 100.00, "amount": -0.5}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000104','order','k103','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000105','order','k104','T','{"orderId": 912146104107, "customer": {"id": 590126, "name": "<b>&amp;</b>", "email": null}, "items": [], "total": 0.10, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": null, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000106','order','k105','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000107','order','k106','T','{"orderId": 490237115675, "customer": {"id": 327194, "name": "a,b", "email": null}, "items": [{"sku": "SKU-768", "qty": 6, "price": 166.99, "remark": "back\\slash"}, {"sku": "SKU-328", "qty": 2, "price": 811.99}, {"sku": "SKU-521", "qty": 9, "price": 853.5, "remark": null}, {"sku": "SKU-652", "qty": 6, "price": 260.00}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": [null,"x"], "shipping": null, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000108','order','k107','T','{"x$y" : false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000109','order','k108','T','{"customer-id": [[4,6],[3]],
  "k1": true,
  "payload": [0.1, "a,b", "<b>&amp;</b>"],
  "\u00fcn\u00ef": "4fe7ed78-095e-4f20-a2ac-103c4df45f51",
  "Customer Id": true}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000110','order','k109','T','{"items": [{"sku": "SKU-796", "qty": 3, "price": 678.00}], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "orderId": 918909307191, "customer": {"id": 990663, "name": "naïve café", "email": null}, "total": 12.50, "tags": [], "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000111','order','k110','T','{"currency": "EUR", "customer": {"id": 393460, "name": "a,b", "email": null}, "items": [{"sku": "SKU-77", "qty": 5, "price": 121.99}, {"sku": "SKU-756", "qty": 8, "price": 723.99}], "total": 0.10, "orderId": "3edf500c-d94c-41fc-bb49-9271a1256be6", "createdAt": "2026-04-28T18:23:49", "shipping": null, "version": 3, "paid": null, "tags": ["ü"]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000112','order','k111','T','{"orderId": "e3e9872f-16ae-42dd-9c71-6d3573563651", "customer": {"id": 315414, "name": "日本", "email": "a@b.c"}, "items": [{"sku": "SKU-152", "qty": 3, "price": 793.10}, {"sku": "SKU-306", "qty": 1, "price": 333.5}, {"sku": "SKU-420", "qty": 8, "price": 430.00}, {"sku": "SKU-410", "qty": 8, "price": 796.00}]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000113','order','k112','T','{"items": [{"sku": "SKU-144", "qty": 3, "price": 634.5}], "createdAt": 1700000000000, "tags": ["ü"], "paid": null, "orderId": 559352082493, "shipping": null, "customer": {"id": 367251, "name": "Bob", "email": null}, "version": 3, "currency": "EUR", "total": 1e3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000114','order','k113','T','{"amount":[true, true],"日本":null,"customer-id":[],"fieldName3":[[2,5,9], [7,7,2]]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000115','order','k114','T','[1,2]');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000116','order','k115','T','{"name" : 99.999 , "9lives" : true , "customer-id" : true , "Customer Id" : "2026-04-14T16:00:03.000001Z" , "a.b" : 2.5e-7}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000117','order','k116','T','{"value": "2022-09-16T18:37:41.000001Z",
  "x$y": [86,13],
  "k2": null,
  "日本": [2, null],
  "@type": "2020-06-25T01:51:39",
  "payload": {"a.b" : true}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000118','order','k117','T','{"a.b": "{\"x\":1}", "type": [82], "9lives": 506, "\u00fcn\u00ef": 9223372036854775808, "日本": "alpha"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000119','order','k118','T','{"amount": true,
  "9lives": -0.0,
  "fieldName2": 9223372036854775808,
  "@type": "a,b"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000120','order','k119','T','{"k0": "2024-11-14T19:07:12+02:00", "x$y": false, "a.b": {"9lives": false,
  "_v": "true"}, "schema": false}');

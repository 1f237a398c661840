INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000001','order','k0','T','{"createdAt": -2147483649,
  "customer_id": {"schema": "tab\there"},
  "id": true,
  "a.b": {"createdAt":"c504c782-bc1f-433e-9f04-514f7d5731e4","value":{"@type": {"payload": "",
  "customer-id": 9007199254740993,
  "id": 123456789.123456789,
  "k3": "2024-09-16T22:09:43.000001Z",
  "amount": 844}},"ünï":{"payload":"ünïcödé","\u00fcn\u00ef":"a\"b","\u00fcn\u00ef":[true, true],"Customer Id":9007199254740993},"k3":["","  padded  ","a\"b"],"9lives":"😀 smile","\u65e5\u672c":[]},
  "Customer Id": ["\u2028sep","  padded  "],
  "x$y": []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000002','order','k1','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000003','order','k2','T','{"@type":{"k0" : [null] , "customer_id" : "naïve café" , "ünï" : {"fieldName0" : [[5],[4,3],[2,6],[2,1,9]] , "a.b" : 0.1 , "fieldName2" : "line\nbreak" , "日本" : false , "ünï" : {}} , "createdAt" : "key=value" , "type" : "<b>&amp;</b>" , "fieldName5" : {"日本": "back\\slash", "createdAt": "a,b"}},"createdAt":["12"],"name":-2147483649,"value":true}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000004','order','k3','T','{"value" : 2147483647 , "a.b" : {"value": false, "amount": 1700000000000} , "createdAt" : {"a.b":{"ünï": {"customer_id":0.0,"customer-id":-966,"x$y":9223372036854775807},
  "value": [{"f0":"{\"x\":1}"},{"f0":"{\"x\":1}"}],
  "@type": {}},"customer-id":1e15,"fieldName2":"😀 smile","customer_id":{"日本": "$1",
  "createdAt": "null",
  "x$y": "\u00fcn\u00efc\u00f6d\u00e9"},"value":[]} , "name" : "{\"x\":1}" , "id" : "naïve café"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000005','order','k4','T','{"fieldName0":"  padded  ","schema":false,"type":{"@type": {"_v": 1700000000000,
  "customer_id": 2147483647,
  "ünï": null,
  "schema": []},
  "a.b": {"id": [null],
  "value": ["\u2028sep","null","\u65e5\u672c","O''Neil"],
  "k2": [73, 97, 56, 41]},
  "k2": 2147483647,
  "\u00fcn\u00ef": [1e3],
  "9lives": "926e20dc-8349-402c-8730-7a1fe766b1fa",
  "x$y": {"日本":{"schema":"256769b1-35f1-4a77-ae8d-8d4f8ea1c071","type":"true","amount":"4adc7557-27a3-45be-8244-90f58b1c4729"},"Customer Id":{"payload": false,
  "schema": null,
  "\u65e5\u672c": 12.50,
  "name": true,
  "type": null}}},"payload":[1, 2]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000006','order','k5','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000007','order','k6','T','{"shipping": {}, "version": 3, "currency": "EUR", "orderId": 638686130245, "paid": true, "customer": {"id": 572471, "name": "${x}", "email": null}, "items": [{"sku": "SKU-505", "qty": 2, "price": 802.10}, {"sku": "SKU-970", "qty": 8, "price": 606.10}, {"sku": "SKU-636", "qty": 1, "price": 908.99, "remark": null}], "createdAt": "2025-01-04T21:31:34+02:00", "tags": ["a","b"], "total": 0.10}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000008','order','k7','T','{"\u00fcn\u00ef": []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000009','order','k8','T','{"9lives" : 2147483647 , "_v" : "O''Neil"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000010','order','k9','T','{"customer_id": {"k0" : "2025-07-25T02:33:00.000001Z" , "schema" : {"Customer Id" : "12" , "customer-id" : null} , "_v" : {"type": [0.1],
  "日本": [{"f0":971.95,"f1":122.74}]} , "id" : [{"f0":{"x":5,"y":"b"}},{"f0":{"x":5,"y":"a"}},{"f0":{"x":1,"y":"c"}}] , "9lives" : null , "type" : 2147483647},
  "customer-id": false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000011','order','k10','T','{"customer_id":{"name": [6, 6, 10, 23],
  "_v": "alpha",
  "value": {"customer_id":{},"x$y":[],"a.b":[],"日本":"Bob","ünï":"\ud83d\ude00 smile","amount":"a,b"},
  "fieldName3": true},"9lives":[{"f0":"Zo\u00eb"}, {"f0":"true"}],"id":{"a.b": {"name" : {"customer-id": " sep",
  "schema": false,
  "x$y": 1e15,
  "type": 845,
  "x$y": 1700000000000,
  "\u65e5\u672c": "0b5fe34c-7cb2-454d-a4a9-1ffeedc0e55e"}}},"type":"O''Neil","@type":true}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000012','order','k11','T','{"shipping": null, "paid": null, "tags": null, "version": 1, "items": [], "customer": {"id": 682482, "name": "12", "email": null}, "currency": "EUR", "total": 0.10, "createdAt": 1700000000000, "orderId": 822574618163}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000013','order','k12','T','{"orderId": "7b50dd58-2360-4d3d-90db-829c136fdbd3", "customer": {"id": 345682, "name": "Zoë", "email": "a@b.c"}, "items": [{"sku": "SKU-374", "qty": 9, "price": 397.10}, {"sku": "SKU-818", "qty": 2, "price": 579.10}, {"sku": "SKU-104", "qty": 3, "price": 726.5}]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000014','order','k13','T','{"orderId": 715181395137}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000015','order','k14','T','{"orderId": "0a14f3b3-d3dd-44e5-9af3-722937324268", "customer": {"id": 970461, "name": " sep", "email": "a@b.c"}, "items": [{"sku": "SKU-526", "qty": 3, "price": 570.5, "remark": "semi;colon"}, {"sku": "SKU-74", "qty": 6, "price": 347.99}], "total": 99999999.99, "currency": "EUR", "createdAt": "2023-05-13T17:15:20Z", "paid": null, "tags": ["a","b"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000016','order','k15','T','12');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000017','order','k16','T','{"orderId": "25ef9d8a-0a4c-4aba-9ceb-ef82cbe4502b", "customer": {"id": 765598, "name": "alpha", "email": null}, "items": [{"sku": "SKU-920", "qty": 6, "price": 881.10}, {"sku": "SKU-315", "qty": 8, "price": 544.00, "remark": null}, {"sku": "SKU-882", "qty": 5, "price": 395.99}], "total": 1e3, "currency": "EUR", "createdAt": 1700000000.123, "paid": true, "tags": [null,"x"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000018','order','k17','T','{"createdAt": 1700000000000, "total": 1e3, "version": 1, "tags": ["a","b"], "customer": {"id": 449174, "name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "email": null}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000019','order','k18','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000020','order','k19','T','{"Customer Id":false,"value":"2022-05-28T22:59:58.000001Z"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000021','order','k20','T','{"orderId": 758909329498, "customer": {"id": 343777, "name": "tab\there", "email": null}, "items": [{"sku": "SKU-243", "qty": 6, "price": 687.10}, {"sku": "SKU-40", "qty": 7, "price": 872.00}, {"sku": "SKU-134", "qty": 1, "price": 425.5}], "total": 100, "currency": "EUR", "createdAt": "2025-10-26T06:59:19", "paid": null, "tags": [null,"x"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000022','order','k21','T','{"orderId": "a79c5492-86dd-421f-b783-6d951125bdc8", "customer": {"id": 598610, "name": " sep", "email": "a@b.c"}, "items": [{"sku": "SKU-40", "qty": 1, "price": 778.10, "remark": null}, {"sku": "SKU-974", "qty": 2, "price": 665.5}, {"sku": "SKU-746", "qty": 2, "price": 856.10}, {"sku": "SKU-338", "qty": 2, "price": 424.00}], "total": 0.10, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": [null,"x"], "shipping": {}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000023','order','k22','T','{"customer-id" : [2.0, 1e3, 2.0]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000024','order','k23','T','{"orderId": "6a816622-2d4b-4ec7-8655-d4c15b2253e6", "customer": {"id": 643096, "name": "日本", "email": "a@b.c"}, "items": [{"sku": "SKU-921", "qty": 2, "price": 167.99, "remark": ""}, {"sku": "SKU-763", "qty": 9, "price": 648.00}, {"sku": "SKU-17", "qty": 4, "price": 495.00}, {"sku": "SKU-721", "qty": 9, "price": 668.00}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": null, "shipping": {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000025','order','k24','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000026','order','k25','T','{"customer-id": {"createdAt" : true , "日本" : true , "type" : [null] , "schema" : -2147483649},
  "a.b": [1, 1, 2]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000027','order','k26','T','{"orderId": "2f5a2c10-7657-498c-bd5a-5029176f829a", "customer": {"id": 189977, "name": "semi;colon", "email": null}, "items": [{"sku": "SKU-323", "qty": 8, "price": 791.10}, {"sku": "SKU-512", "qty": 9, "price": 961.10, "remark": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}], "total": 1e3, "currency": "EUR", "createdAt": "2020-09-15T18:20:30Z", "paid": false, "tags": [], "shipping": {}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000028','order','k27','T','{"createdAt" : []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000029','order','k28','T','{"payload" : false , "amount" : "a,b"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000030','order','k29','T','{"orderId": "583f1a3d-2373-42fc-807d-894980133c73", "customer": {"id": 592348, "name": "$1", "email": "a@b.c"}, "items": [{"sku": "SKU-796", "qty": 4, "price": 631.99, "remark": null}], "total": 1e3, "currency": "EUR", "createdAt": "2026-08-05T02:31:26", "paid": true, "tags": [null,"x"], "shipping": {}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000031','order','k30','T','{"orderId": "3cbab1ea-1c40-47e4-b7e0-b3ef29ebb9f6", "customer": {"id": 412776, "name": " sep", "email": null}, "items": [{"sku": "SKU-772", "qty": 6, "price": 36.99}, {"sku": "SKU-106", "qty": 4, "price": 949.10}, {"sku": "SKU-408", "qty": 7, "price": 763.5}], "total": 0.10, "currency": "EUR", "createdAt": 1700000000000, "paid": null, "tags": ["a","b"], "shipping": {}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000032','order','k31','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000033','order','k32','T','{"amount": {"9lives" : "777dc90c-88d9-45e8-917a-aa3c2e1bb5fb" , "@type" : "${x}" , "customer-id" : "{\"x\":1}"},
  "type": {"payload":""},
  "k2": [0.1, 0.1, 2.0, 2.0],
  "schema": -0.0}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000034','order','k33','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000035','order','k34','T','{"orderId": 74667549899, "customer": {"id": 642804, "name": "ünïcödé", "email": null}, "items": [{"sku": "SKU-535", "qty": 5, "price": 245.99, "remark": null}], "total": 12.50, "currency": "EUR", "createdAt": 1700000000000, "paid": null, "tags": [null,"x"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000036','order','k35','T','{"orderId": 181629482573, "customer": {"id": 810429, "name": "alpha", "email": null}, "items": [{"sku": "SKU-231", "qty": 8, "price": 690.99, "remark": null}], "total": 99999999.99, "currency": "EUR", "createdAt": "2023-10-10T12:06:18", "paid": true, "tags": ["a","b"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000037','order','k36','T','{"orderId": 12368140912, "customer": {"id": 698347, "name": "back\\slash", "email": null}, "items": [], "total": 0, "currency": "EUR", "createdAt": 1700000000.123, "paid": true, "tags": ["ü"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000038','order','k37','T','{"payload": {"payload" : 4.35 , "createdAt" : false , "value" : "tab\there"}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000039','order','k38','T','{"customer-id": false,
  "fieldName1": {"type": ["Bob"],
  "k2": {"9lives": {"ünï" : "%s" , "9lives" : "\ud83d\ude00 smile" , "payload" : -2147483649 , "@type" : " sep" , "customer_id" : null}, "fieldName1": "Zoë", "x$y": 2147483648, "x$y": "2025-10-23T15:18:45+02:00"},
  "fieldName3": "true",
  "schema": " sep"},
  "k2": "f0eec615-b3bf-4668-8ce0-e43eff19207d",
  "x$y": -263,
  "k4": "c978726e-edc3-4b06-bc06-0ef99e25280d"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000040','order','k39','T','{"@type" : [] , "payload" : {"type": 2147483648,
  "日本": true,
  "x$y": {"fieldName0" : false , "9lives" : ["tab\there","tab\there","%s"]},
  "Customer Id": {"ünï" : false , "type" : 0.0001 , "name" : {"schema":true,"@type":123456789.123456789,"k2":true,"Customer Id":false,"value":"Zo\u00eb"} , "@type" : 4.35 , "x$y" : [[4,8,5], [2,6,5], [3,0], [8]]}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000041','order','k40','T','{"a":[]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000042','order','k41','T','[1,"x"]');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000043','order','k42','T','{"type":"semi;colon","customer-id":"<b>&amp;</b>"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000044','order','k43','T','{"_v": "d520ec97-fda9-4f8c-bb1c-9aee88e265fe", "value": "", "name": "$1", "k4": {"customer-id": null,
  "customer-id": [],
  "type": null}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000045','order','k44','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000046','order','k45','T','{"fieldName0": 2147483647, "payload": {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000047','order','k46','T','{"a":{}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000048','order','k47','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000049','order','k48','T','{"orderId": "a9bc8742-5306-45b3-bd0b-6e3e04fd06b6", "customer": {"id": 74948, "name": "😀 smile", "email": null}, "items": [{"sku": "SKU-852", "qty": 7, "price": 750.5, "remark": "O''Neil"}, {"sku": "SKU-386", "qty": 4, "price": 502.00, "remark": "O''Neil"}, {"sku": "SKU-254", "qty": 5, "price": 450.99, "remark": "back\\slash"}], "total": 100, "currency": "EUR", "createdAt": "2020-05-07T03:43:05+02:00", "paid": true, "tags": [], "shipping": null, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000050','order','k49','T','{"orderId": "9b91cc46-bc78-4610-af4c-8e2bde00c823", "customer": {"id": 862297, "name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "email": null}, "items": [{"sku": "SKU-580", "qty": 4, "price": 243.5, "remark": null}, {"sku": "SKU-876", "qty": 9, "price": 942.00}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000.123, "paid": true, "tags": ["ü"], "shipping": null, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000051','order','k50','T','{"orderId": "84d65579-e59d-4f21-b81c-abd743d091e3", "customer": {"id": 583705, "name": "a\"b", "email": "a@b.c"}, "items": [{"sku": "SKU-78", "qty": 1, "price": 563.5, "remark": null}, {"sku": "SKU-168", "qty": 8, "price": 139.99, "remark": "\u00fcn\u00efc\u00f6d\u00e9"}, {"sku": "SKU-483", "qty": 9, "price": 840.00, "remark": null}], "total": 12.50, "currency": "EUR", "createdAt": 1700000000000}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000052','order','k51','T','{"orderId": 915200533223, "customer": {"id": 794793, "name": "Zoë", "email": "a@b.c"}, "items": [{"sku": "SKU-415", "qty": 1, "price": 471.00}, {"sku": "SKU-679", "qty": 5, "price": 898.99, "remark": null}, {"sku": "SKU-968", "qty": 2, "price": 969.5}], "total": 1e3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000053','order','k52','T','{"orderId": 208225065655, "customer": {"id": 521738, "name": "Zoë", "email": null}, "items": [], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": [], "shipping": null, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000054','order','k53','T','{"9lives":533,"Customer Id":[{"f0":{"x":7,"y":"a"},"f1":717,"f2":true,"f3":"\u00fcn\u00efc\u00f6d\u00e9"},{"f0":{"x":1,"y":"c"},"f1":7193,"f2":false,"f3":"na\u00efve caf\u00e9"},{"f0":{"x":5,"y":"b"},"f1":4198,"f2":false,"f3":"tab\there"}],"createdAt":[]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000055','order','k54','T','{"日本": "",
  "k2": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000056','order','k55','T','{"orderId": "6640a247-7d2f-440e-be3f-c991ceb4f45b", "customer": {"id": 112831, "name": "Bob", "email": "a@b.c"}, "items": [], "total": 1e3, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": ["ü"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000057','order','k56','T','{"日本" : 9007199254740993 , "createdAt" : "${x}" , "k2" : {"@type": -387, "value": "Bob"} , "a.b" : {"k0": {"ünï" : [null] , "9lives" : {"@type": true,
  "9lives": "42af64b1-2679-4f22-9ceb-3df189f31d38",
  "name": "",
  "type": 12.50}}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000058','order','k57','T','{"日本":{"_v": 387,
  "日本": {"payload":9223372036854775807,"customer-id":["%s","null","\u00fcn\u00efc\u00f6d\u00e9","<b>&amp;</b>"],"x$y":true,"k3":2147483648,"value":300},
  "日本": -0.0,
  "id": {"id": [],
  "schema": null,
  "payload": "e2b87ff8-58c0-41b4-a954-d514cffe95f8",
  "value": false},
  "fieldName4": "naïve café"},"customer-id":-0.5,"@type":930}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000059','order','k58','T','{"items": [{"sku": "SKU-897", "qty": 2, "price": 156.10}, {"sku": "SKU-140", "qty": 9, "price": 543.10, "remark": "Bob"}, {"sku": "SKU-385", "qty": 2, "price": 683.99, "remark": null}, {"sku": "SKU-707", "qty": 2, "price": 552.5, "remark": null}], "version": 1, "createdAt": 1700000000.123, "shipping": null, "tags": ["a","b"], "customer": {"id": 584606, "name": "alpha", "email": "a@b.c"}, "orderId": 200486390655, "paid": false, "total": 0, "currency": "EUR"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000060','order','k59','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000061','order','k60','T','{"x$y": "2022-04-26T08:45:19.123Z", "amount": {"customer_id":[1.5,1e3,1e3,2.0],"fieldName1":[],"amount":[{"f0":"tab\there","f1":"","f2":true,"f3":true}],"@type":"  padded  ","createdAt":true,"_v":"semi;colon"}, "@type": "140d2003-7967-4449-b5d2-e29b50d23886", "type": "  padded  ", "customer-id": "2021-08-05T17:30:05Z", "k5": [{"f0":4509,"f1":654.27,"f2":{"x":7,"y":"b"},"f3":null}]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000062','order','k61','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000063','order','k62','T','{"日本":1e15}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000064','order','k63','T','{"total": 99999999.99, "version": 2, "paid": true, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "items": [{"sku": "SKU-93", "qty": 5, "price": 820.10}, {"sku": "SKU-100", "qty": 8, "price": 858.10}, {"sku": "SKU-140", "qty": 1, "price": 666.10}], "createdAt": 1700000000000, "orderId": "b3c4bc23-a2a2-4b48-abec-db64a941a241", "currency": "EUR", "customer": {"id": 33872, "name": "Bob", "email": "a@b.c"}, "tags": null}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000065','order','k64','T','{"name": null,
  "ünï": "309d7c76-9768-4166-9ce3-7e0aad00c1b2",
  "k2": 1700000000000,
  "value": "tab\there"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000066','order','k65','T','{"orderId": "6b2cf2ab-4207-4f63-b754-bde5f9a9fe17", "customer": {"id": 353816, "name": "alpha", "email": "a@b.c"}, "items": [{"sku": "SKU-641", "qty": 4, "price": 703.00}, {"sku": "SKU-835", "qty": 3, "price": 706.5, "remark": "  padded  "}, {"sku": "SKU-784", "qty": 4, "price": 878.10}], "total": 99999999.99, "currency": "EUR", "createdAt": 1700000000000, "paid": true}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000067','order','k66','T','{"k0": "a89fe842-8b95-4f7a-86aa-fc41957b4e84", "k1": "2020-07-11T14:51:39", "schema": [true], "createdAt": "7431213c-df42-47d4-8309-61d9372d6d99"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000068','order','k67','T','{"@type": "tab\there",
  "x$y": "line\nbreak",
  "payload": "<b>&amp;</b>",
  "x$y": false}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000069','order','k68','T','{"customer-id": "line\nbreak",
  "id": -922,
  "x$y": "",
  "Customer Id": {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000070','order','k69','T','{"shipping": {}, "orderId": 714888739873, "items": [{"sku": "SKU-874", "qty": 3, "price": 426.00}], "paid": false, "version": 3, "tags": [null,"x"], "total": 1e3, "currency": "EUR", "createdAt": 1700000000.123, "customer": {"id": 510949, "name": "<b>&amp;</b>", "email": null}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000071','order','k70','T','{"k0" : -2147483649 , "日本" : "df68905f-7b5a-45c9-85ad-22ea18287aa6"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000072','order','k71','T','{"customer-id": false,
  "createdAt": "c32a8d0a-ef1c-4b13-a464-32d36e43092f"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000073','order','k72','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000074','order','k73','T','{"paid": false, "tags": ["a","b"], "currency": "EUR", "customer": {"id": 475555, "name": "日本", "email": "a@b.c"}, "total": 12.50, "createdAt": 1700000000.123, "version": 1, "items": [{"sku": "SKU-503", "qty": 9, "price": 933.5, "remark": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, {"sku": "SKU-577", "qty": 5, "price": 121.99}], "orderId": 763916710581, "shipping": {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000075','order','k74','T','{"customer_id": []}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000076','order','k75','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000077','order','k76','T','{"orderId": "bc2257f1-d6b9-48c0-bd28-68c5d97e474b", "customer": {"id": 827325, "name": "O''Neil", "email": null}, "items": [{"sku": "SKU-454", "qty": 1, "price": 953.00}, {"sku": "SKU-696", "qty": 1, "price": 546.00}, {"sku": "SKU-822", "qty": 7, "price": 583.00}, {"sku": "SKU-792", "qty": 7, "price": 296.00}], "total": 1e3, "currency": "EUR", "createdAt": "2021-10-25T12:01:14", "paid": false, "tags": null, "shipping": null, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000078','order','k77','T','{"a":{}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000079','order','k78','T','{"customer_id":{"Customer Id": "alpha", "value": ["%s"]},"value":false,"schema":true,"9lives":{}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000080','order','k79','T','{"payload" : {"@type": [false], "a.b": "ünïcödé", "value": null, "_v": [89], "customer-id": null}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000081','order','k80','T','{"orderId": "9ca4cb5a-8214-4751-ac75-a6e150323c8a", "customer": {"id": 828434, "name": "key=value", "email": "a@b.c"}, "items": [{"sku": "SKU-413", "qty": 7, "price": 975.00}, {"sku": "SKU-247", "qty": 8, "price": 976.10, "remark": "na\u00efve caf\u00e9"}, {"sku": "SKU-967", "qty": 2, "price": 326.10, "remark": null}, {"sku": "SKU-781", "qty": 2, "price": 691.99, "remark": null}], "total": 12.50}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000082','order','k81','T','{"orderId": 106569624784, "customer": {"id": 133058, "name": "ünïcödé", "email": null}, "items": [{"sku": "SKU-56", "qty": 2, "price": 25.99, "remark": "  padded  "}], "total": 12.50, "currency": "EUR", "createdAt": 1700000000000, "paid": false, "tags": null, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000083','order','k82','T','{"_v": [0.1, 2.0, 1.5],
  "name": {"customer-id" : null , "k1" : null , "customer-id" : false},
  "a.b": "2025-09-10T13:46:42",
  "日本": "2024-11-22T19:11:23+02:00"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000084','order','k83','T','{"orderId": "97fd6216-d7dc-49d1-904e-e9c65ac99afa", "customer": {"id": 693635, "name": "key=value", "email": null}, "items": [{"sku": "SKU-43", "qty": 3, "price": 744.99}, {"sku": "SKU-432", "qty": 5, "price": 614.99}, {"sku": "SKU-970", "qty": 2, "price": 217.99}, {"sku": "SKU-367", "qty": 3, "price": 944.00}], "total": 1e3, "currency": "EUR", "createdAt": 1700000000000, "paid": true, "tags": null, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000085','order','k84','T','{"@type":"3c8c719c-8f17-4b61-9710-f547f8718482","日本":"true"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000086','order','k85','T','true');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000087','order','k86','T','{"total": 1e3, "tags": null, "orderId": "68370844-c252-408c-abd2-775f89badbfe", "currency": "EUR", "version": 3, "paid": null, "items": [{"sku": "SKU-377", "qty": 4, "price": 655.00, "remark": null}], "createdAt": "2026-01-07T05:09:59", "customer": {"id": 886799, "name": "  padded  ", "email": null}, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000088','order','k87','T','{"orderId": "18ca4712-6df9-412d-88e4-2b9418efb770", "customer": {"id": 914749, "name": "alpha", "email": null}, "items": [{"sku": "SKU-855", "qty": 5, "price": 829.10, "remark": null}], "total": 100}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000089','order','k88','T','{"9lives":{"9lives":"4022e006-0e8c-4116-80cf-22509b55b21f","customer_id":"f794f448-a22d-4ed7-aa48-4db64d804f7b","value":1700000000000},"@type":"naïve café","schema":2147483648,"a.b":{"日本": [{"f0":"","f1":false,"f2":{"x":0,"y":"a"},"f3":false},{"f0":"Bob","f1":true,"f2":{"x":1,"y":"a"},"f3":true},{"f0":"O''Neil","f1":false,"f2":{"x":4,"y":"a"},"f3":false}], "fieldName1": "Bob", "9lives": {"schema" : 2147483648 , "@type" : "2021-12-12T18:05:03Z" , "\u00fcn\u00ef" : -540 , "id" : 123456789.123456789 , "a.b" : false}, "ünï": "153add2c-a651-416a-8326-25d98ea435e7", "_v": 0.1},"日本":[1,2,2]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000090','order','k89','T','{"@type" : "key=value" , "日本" : "<b>&amp;</b>" , "ünï" : {} , "\u65e5\u672c" : "8a3b68e1-7310-426d-93e8-88b149e68e7a" , "customer_id" : "tab\there"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000091','order','k90','T','{"a":[]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000092','order','k91','T','{"\u65e5\u672c":[{"f0":3051},{"f0":7717},{"f0":2141}],"type":{"payload":null,"schema":{"a.b":-2147483649,"payload":{"customer_id":false},"createdAt":null},"ünï":{"createdAt": {"9lives":"  padded  "},
  "amount": [1.5, 2.0, 2.0, 0.1],
  "x$y": "Bob",
  "9lives": "Bob"},"9lives":856,"Customer Id":{"customer-id":false,"9lives":"12","x$y":[true,null,true,false],"_v":"12","id":{"@type":1e3,"createdAt":9223372036854775807,"type":"","a.b":""}}},"ünï":{"createdAt" : "{\"x\":1}" , "payload" : {"name": "7d383436-f9be-4f6c-9580-e90d7a017510",
  "schema": "key=value"}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000093','order','k92','T','{"orderId": "816b1995-7e81-49fa-bc10-199b0a9c8d95", "customer": {"id": 717029, "name": "", "email": null}, "tags": [null,"x"], "currency": "EUR", "items": [{"sku": "SKU-455", "qty": 8, "price": 302.5, "remark": "$1"}, {"sku": "SKU-658", "qty": 2, "price": 956.10}, {"sku": "SKU-30", "qty": 3, "price": 936.99}], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 1, "paid": null, "total": 1e3, "createdAt": 1700000000.123}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000094','order','k93','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000095','order','k94','T','{"items": [{"sku": "SKU-805", "qty": 6, "price": 93.99}, {"sku": "SKU-624", "qty": 8, "price": 639.5, "remark": null}, {"sku": "SKU-607", "qty": 4, "price": 904.5}, {"sku": "SKU-102", "qty": 1, "price": 113.10}], "currency": "EUR", "version": 1, "total": 99999999.99, "paid": null, "createdAt": 1700000000.123, "customer": {"id": 51110, "name": "Bob", "email": "a@b.c"}, "tags": ["ü"]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000096','order','k95','T','{"schema": {},
  "ünï": null}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000097','order','k96','T','{"currency": "EUR", "createdAt": 1700000000000, "paid": null, "items": [{"sku": "SKU-211", "qty": 8, "price": 528.5}], "customer": {"id": 704859, "name": "<b>&amp;</b>", "email": null}, "version": 1, "tags": [null,"x"], "orderId": 949475097159, "shipping": null, "total": 0.10}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000098','order','k97','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000099','order','k98','T','"str"');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000100','order','k99','T','{"日本" : null , "@type" : [null,null,1,2] , "type" : {"fieldName0": "a,b",
  "value": [],
  "k4": "d80ed6c8-d45e-45c8-9f24-d9cc8d233983",
  "name": {}}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000101','order','k100','T','{"paid": false, "shipping": null, "createdAt": "2022-02-17T20:52:23+02:00", "currency": "EUR", "total": 12.50, "version": 1, "orderId": 332534801075, "customer": {"id": 753024, "name": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "email": "a@b.c"}, "tags": ["a","b"]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000102','order','k101','T','{"a":[]}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000103','order','k102','T','{"createdAt": "2024-07-25T00:14:39"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000104','order','k103','T','{"orderId": "375337b0-4c30-4df5-ba02-77818582d0f1", "customer": {"id": 448322, "name": "line\nbreak", "email": null}, "items": [{"sku": "SKU-584", "qty": 6, "price": 997.5}], "total": 0.10, "currency": "EUR", "createdAt": "2020-02-25T22:16:29", "paid": false, "tags": [null,"x"], "shipping": {}, "version": 2}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000105','order','k104','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000106','order','k105','T','{}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000107','order','k106','T','{"total": 100, "orderId": 719351967324, "customer": {"id": 937067, "name": "naïve café", "email": null}, "paid": false, "version": 2, "tags": [], "items": [{"sku": "SKU-259", "qty": 6, "price": 266.10}, {"sku": "SKU-838", "qty": 1, "price": 557.10}, {"sku": "SKU-394", "qty": 8, "price": 468.99, "remark": null}, {"sku": "SKU-22", "qty": 3, "price": 0.00, "remark": null}], "shipping": {}, "currency": "EUR", "createdAt": "2023-11-06T00:59:11.000001Z"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000108','order','k107','T','{"fieldName0":"naïve café","\u00fcn\u00ef":null,"customer-id":"O''Neil"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000109','order','k108','T','{"orderId": 954135531168, "customer": {"id": 383753, "name": "日本", "email": "a@b.c"}, "items": [], "total": 12.50, "currency": "EUR", "createdAt": "2026-01-12T02:21:21", "paid": true, "tags": ["ü"], "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000110','order','k109','T','{"orderId": 207572068230, "customer": {"id": 228708, "name": "{\"x\":1}", "email": "a@b.c"}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000111','order','k110','T','{"fieldName0": "Bob",
  "customer_id": {"customer_id" : [{"f0":400.74}] , "schema" : [] , "x$y" : {"id":[]} , "id" : {"name":true,"\u65e5\u672c":[74],"@type":"90028551-8d48-4208-95f7-bed93a302fe6","9lives":"alpha","customer_id":{"createdAt": false,
  "\u65e5\u672c": -0.5,
  "payload": 740,
  "9lives": "na\u00efve caf\u00e9"}} , "type" : [{"f0":8894,"f1":{"x":3,"y":"b"},"f2":870.98,"f3":17.02}]},
  "9lives": "back\\slash",
  "type": "na\u00efve caf\u00e9"}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000112','order','k111','T','{"orderId": 422884915162, "paid": null, "items": [{"sku": "SKU-33", "qty": 5, "price": 983.00}, {"sku": "SKU-943", "qty": 8, "price": 132.10}, {"sku": "SKU-215", "qty": 1, "price": 127.00}, {"sku": "SKU-383", "qty": 1, "price": 817.00}], "createdAt": 1700000000.123, "currency": "EUR", "customer": {"id": 771909, "name": "ünïcödé", "email": "a@b.c"}, "total": 100, "shipping": null, "tags": [null,"x"], "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000113','order','k112','T',NULL);
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000114','order','k113','T','{"createdAt": 1700000000000, "paid": false, "items": [{"sku": "SKU-174", "qty": 9, "price": 796.00}], "total": 0.10, "customer": {"id": 544234, "name": "a\"b", "email": "a@b.c"}, "currency": "EUR", "version": 3, "orderId": 427282188844, "tags": ["a","b"], "shipping": {}}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000115','order','k114','T','{"orderId": 665071597522, "customer": {"id": 663726, "name": "Bob", "email": "a@b.c"}, "items": [{"sku": "SKU-632", "qty": 2, "price": 810.10}], "total": 100, "currency": "EUR", "createdAt": "2022-03-19T14:55:56.000001Z", "paid": true, "tags": [null,"x"], "shipping": {}, "version": 3}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000116','order','k115','T','{"orderId": 439745471056, "customer": {"id": 73987, "name": "null", "email": null}, "items": [{"sku": "SKU-673", "qty": 3, "price": 290.5, "remark": "key=value"}, {"sku": "SKU-127", "qty": 4, "price": 920.99}, {"sku": "SKU-718", "qty": 6, "price": 440.10, "remark": null}], "total": 0.10, "currency": "EUR", "createdAt": 1700000000.123, "paid": false, "tags": null, "shipping": {"street": "Main \"1\"", "zip": "01234", "geo": {"lat": 52.52, "lon": 13.405}}, "version": 1}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000117','order','k116','T','{"amount":["%s"],"fieldName1":"\u2028sep","a.b":[{"f0":994.63,"f1":{"x":8,"y":"c"},"f2":{"x":3,"y":"c"},"f3":true},{"f0":933.80,"f1":{"x":7,"y":"c"},"f2":{"x":4,"y":"b"},"f3":false}],"fieldName3":[0.1,1e3,0.1],"\u00fcn\u00ef":85}');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000118','order','k117','T','null');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000119','order','k118','T','12');
INSERT INTO outbox VALUES ('00000000-0000-4000-8000-000000000120','order','k119','T','{"orderId": "0055fce6-ec70-489d-84b5-2eb43973ad01", "customer": {"id": 42402, "name": "%s", "email": null}, "items": [{"sku": "SKU-292", "qty": 6, "price": 540.10}], "total": 100, "currency": "EUR", "createdAt": 1700000000000}');

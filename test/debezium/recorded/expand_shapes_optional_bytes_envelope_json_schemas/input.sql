INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000001','order','k1','OrderCreated','{"a": 1, "b": "x", "c": true, "d": null, "e": 1.5, "f": {"g": [1, 2], "h": {}}, "i": []}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000002','order','k2','OrderCreated','{"a":[1,2,null],"b":["x",null,"y"],"c":[true,null],"d":[1.5,2.0]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000003','order','k3','OrderCreated','{"o":[{"a":1},{"a":2}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000004','order','k4','OrderCreated','{"o":[{"a":1,"b":null},{"a":2,"b":null}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000005','order','k5','OrderCreated','{"aa":{"bb":{"cc":{"dd":{"ee":[{"ff":1}]}}}}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000006','order','k6','OrderCreated','{"n":[2147483647,-2147483648],"l":[2147483648,9223372036854775807,-9223372036854775808],"i":0,"z":-0}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000007','order','k7','OrderCreated','{"d":[0.1,1e2,1E-7,1.0,100000.0,1e7,12345678.9,-0.0,1e22,5e-324,123456789012345678901234567890.0]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000008','order','k8','OrderCreated','{"a":1,"b":2,"a":"x"}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000009','order','k9','OrderCreated','{"ü":1,"a b":2,"a.b":3,"😀":4,"A-1":5,"1x":6,"$":7,"_":8,"a/b":9,"\u00e9":10,"q\"q":11,"n\nn":12}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000010','order','k10','OrderCreated','{"e":"\u0041\n\t\\\"\/\b\f\r\ud83d\ude00\u2028\u007f"}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000011','order','k11','OrderCreated','{}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000012','order','k12','OrderCreated','{"a":{}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000013','order','k13','OrderCreated','{"a":{"b":{}},"c":[]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000014','order','k14','OrderCreated','{"a":[{}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000015','order','k15','OrderCreated','{"a":[[1],[2,3]]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000016','order','k16','OrderCreated','{"a":[["x"],["y"]]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000017','order','k17','OrderCreated','{"a":[[[1]]]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000018','order','k18','OrderCreated','{"a":[{"b":[1]},{"b":[2]}]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000019','order','k19','OrderCreated','{"a":"", "b":" ", "c":"null", "d":"[1]"}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000020','order','k20','OrderCreated','{"a":null}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000021','order','k21','OrderCreated','{"a":{"b":null,"c":null}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000022','order','k22','OrderCreated','{"a":{"b":{"c":null}}}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000023','order','k23','OrderCreated','{"t":"2024-01-01T00:00:00Z","u":"11111111-2222-4333-8444-555555555555"}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000024','order','k24','OrderCreated','{"a":false,"b":[false]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000025','order','k25','OrderCreated','  {"a":1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000026','order','k26','OrderCreated','
{"a":1}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000027','order','k27','OrderCreated','{"a":1} trailing');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000028','order','k28','OrderCreated','{"a":1}{"b":2}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000029','order','k29','OrderCreated','{"a" :	1 ,
 "b":
[ 1 , 2 ]}');
INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload) VALUES ('00000000-0000-4000-8000-000000000030','order','k30','OrderCreated','{"a":1,}');

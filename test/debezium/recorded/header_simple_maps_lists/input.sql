INSERT INTO outbox(id,aggregatetype,aggregateid,type,payload,a,h) VALUES ('00000000-0000-4000-8000-000000000001','order','a-1','OrderCreated','{"a": 1}','{"q\"x","b\\\\c","a,b",NULL,"null","","ü😀","l
n"}','"q\"x"=>"v\"w", n=>NULL, "a,b"=>"c=d"');

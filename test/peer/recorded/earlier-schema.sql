PRAGMA defer_foreign_keys=TRUE;
CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL);
INSERT INTO "d1_migrations" ("id","name","applied_at") VALUES(1,'0000_first.sql','2026-11-30 05:24:32');
INSERT INTO "d1_migrations" ("id","name","applied_at") VALUES(2,'0001_login_attempts.sql','2026-11-30 05:24:32');
INSERT INTO "d1_migrations" ("id","name","applied_at") VALUES(3,'0002_project_authorities.sql','2026-11-30 05:24:32');
CREATE TABLE `audit_events` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`time` text NOT NULL,
	`action` text NOT NULL,
	`outcome` text NOT NULL,
	`reason` text,
	`target_type` text NOT NULL,
	`target_id` text NOT NULL,
	`initiator_id` text,
	`initiator_project_id` text,
	`on_behalf_of` text,
	`request_id` text,
	`operation` text NOT NULL,
	`rule` text,
	`target_mac` text,
	`number` integer,
	`previous` text,
	`hash` text
, `initiator_address` text);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(1,'728234bf-b90b-4b2a-ab67-f6911d8a5400','the deployment','2026-11-30T05:24:32.892000','create','success',NULL,'data/security/account/user','03d2012af9524e9c902a15b9da8d6600',NULL,NULL,NULL,NULL,'Identity set-up',NULL,'Tt+vK3ZjMyGH6bdWj4yONFUqFL/q4o3ipidkwyE7yhc=',1,'0000000000000000000000000000000000000000000000000000000000000000','3cddf7a9ea3416fe7c404dabeb28826e8f93249552015cf328abaa95cbe63e32',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(2,'9f8affe1-2419-4011-a699-1bc91caafa00','the deployment','2026-11-30T05:24:32.892000','authenticate','success',NULL,'data/security/account/user','admin','admin',NULL,NULL,'req-90280a5c-0c71-4e40-857d-4a3761479b31','identity:authenticate',NULL,NULL,2,'3cddf7a9ea3416fe7c404dabeb28826e8f93249552015cf328abaa95cbe63e32','b11d5f67e66f45d33acf31b4f59dd7ffd773f31a6c72eece7e3d2702c686aa1c','local');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(3,'453f3b86-50d5-4c7e-884a-48323d36b400','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.139000','create','success',NULL,'data/security/project','655ec0a804844bbb9f1745ccae7aa300','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-586e8256-0610-4e55-bddf-37211f387e9d','identity:create_project','identity:create_project',NULL,1,'0000000000000000000000000000000000000000000000000000000000000000','c81152cc62ad730cabd50ed7d60fc38518fabd326fb8e5c8de61b151e516a451',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(4,'f33ff4e0-0dfa-4efa-8670-1bda162db500','the deployment','2026-11-30T05:24:33.163000','create','success',NULL,'data/security/account/user','b839725feb314d54aee624fff351b500','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-3619b612-8e11-4d07-ab16-ec1682cf2ad9','identity:create_user','identity:create_user',NULL,3,'b11d5f67e66f45d33acf31b4f59dd7ffd773f31a6c72eece7e3d2702c686aa1c','268811fecc89241566995562fcbf9fddfb6c3830de102581422c47bda2358275',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(5,'6fefa910-b45b-4bd4-ba17-b45b885b5d00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.262000','create','success',NULL,'data/security/role/assignment','b839725feb314d54aee624fff351b500/0915fccc64234bc2b27cb33c860be100','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-7ba00264-8a26-4448-9f32-00cd46d1152e','identity:create_grant','identity:create_grant',NULL,2,'c81152cc62ad730cabd50ed7d60fc38518fabd326fb8e5c8de61b151e516a451','a92c163b5b20537cd3b821e72f3f5b33ba05fa811285f45ceae409dc416fa89a',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(6,'8c935fd0-24c0-42b1-9171-4d4969187900','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.276000','create','success',NULL,'data/security/role/assignment','b839725feb314d54aee624fff351b500/27f7f713ff694014b62d3515864a6500','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-d15399a3-9770-4ec9-b70a-ba11e5711247','identity:create_grant','identity:create_grant',NULL,3,'a92c163b5b20537cd3b821e72f3f5b33ba05fa811285f45ceae409dc416fa89a','6d552559d7155b841ff5af31928fe07472a3c08967e8811cf7b039636eed159b',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(7,'f593401e-3410-48d9-ad65-34e64518d700','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.286000','create','success',NULL,'data/security/role/assignment','b839725feb314d54aee624fff351b500/2d99a56a421b4f2f9a45e003d839b000','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-e1111a9f-cbf7-494d-8fbc-c70ca5b1286b','identity:create_grant','identity:create_grant',NULL,4,'6d552559d7155b841ff5af31928fe07472a3c08967e8811cf7b039636eed159b','7c8346ece56288d884056f513902dbd2546cbc3ff9e00100a526c746647af081',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(8,'4a8e1926-b93c-494f-9e38-8697e05bce00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.296000','create','success',NULL,'data/security/role/assignment','b839725feb314d54aee624fff351b500/6351dca619bf4fb2a91211f354607f00','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-5736f4b4-4a77-4a16-a42f-8e215da60ca4','identity:create_grant','identity:create_grant',NULL,5,'7c8346ece56288d884056f513902dbd2546cbc3ff9e00100a526c746647af081','e509af72fcd29fda743644227f8717dceedd0e26f2eacc93647d951eb01f6a13',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(9,'525ef43e-e62c-48ad-8ced-55f6c638f100','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.304000','create','success',NULL,'data/security/role/assignment','b839725feb314d54aee624fff351b500/edcfe1f719d94e4abf768a3ed7b07c00','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-9e3b3bb8-56e6-416c-a86e-71cbc33f85f5','identity:create_grant','identity:create_grant',NULL,6,'e509af72fcd29fda743644227f8717dceedd0e26f2eacc93647d951eb01f6a13','90871e56cf231fa1f2429eb71d2e842f768ef479336e227ff67ba24925000fad',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(10,'fc7f9326-3988-408d-afe4-f4a3a6c7ae00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.315000','create','success',NULL,'data/security/role/assignment','b839725feb314d54aee624fff351b500/5f86b89258d64a9b83d2f79e59bfa700','03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400',NULL,'req-171db79b-3998-41d3-8d34-50c6e9e2ebde','identity:create_grant','identity:create_grant',NULL,7,'90871e56cf231fa1f2429eb71d2e842f768ef479336e227ff67ba24925000fad','58bc361f08ab812595bddb085c1e4fafedec05642e598674e1d7cc7df6fd9e79',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(11,'7e37de85-5454-4c45-8e58-31f1ef40d400','the deployment','2026-11-30T05:24:33.319000','authenticate','success',NULL,'data/security/account/user','b839725feb314d54aee624fff351b500','demo',NULL,NULL,'req-a332147c-b743-4c93-ac99-f0713bbb8dc5','identity:authenticate',NULL,NULL,4,'268811fecc89241566995562fcbf9fddfb6c3830de102581422c47bda2358275','19f31210fc6b34d0288b9a059f49cd8e0fa58ee909cd5d7e132ca23675b13be8','local');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(12,'b9211af0-ede5-4fdf-97a1-49d3add6ae00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.482000','create','success',NULL,'data/security/secret','9bdc2a9a-9cd5-4f2f-a6cc-a25684d5fb00','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-1354c18c-1885-4316-be10-6c68d3a1b263','Secret creation','secrets:post','02gzPxNbCOXJo+71mG/m+OeCuFGryvBnk44IHwfKq9E=',8,'58bc361f08ab812595bddb085c1e4fafedec05642e598674e1d7cc7df6fd9e79','edc373018f60605cc69e3a8fa6c68959163c1991a2616697f1a0c31048680c6d',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(13,'7f489f8d-b761-45e3-bee2-f1dc45c5fd00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.502000','create','success',NULL,'data/security/secret','93228e08-4af4-48f4-9044-27e74e786800','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-6c0c2645-1051-4430-b6a6-d75283985803','Secret creation','secrets:post','JPYl3xG13pu8DD+qmc96riJwu4jZiZGgbrsE40eYjc8=',9,'edc373018f60605cc69e3a8fa6c68959163c1991a2616697f1a0c31048680c6d','d8af42a56c3ade4d490016808525f69c71b1432649775766da155981b54dc99e',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(14,'54b93fe7-5807-4d1c-be5a-8fca9c6cf400','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.511000','create','success',NULL,'data/security/secret','a7f79151-3962-49b8-b933-883f315bb800','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-6d0d8895-ef0d-45ad-8ae8-e4f27077e3d8','Secret creation','secrets:post','ncVymE196luywPg84X/0Xl2AmQtLEmFEJPD8cI2a5W4=',10,'d8af42a56c3ade4d490016808525f69c71b1432649775766da155981b54dc99e','58971e78d0e7621abd14547f7b5696f5710c20660f43639f6150b58f5b4c7dd0',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(15,'7a2a3d26-1cda-4645-9bd7-25f352e68500','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.520000','create','success',NULL,'data/security/secret','a14a6d4c-aabe-44ee-bd89-fe141e18f500','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-4330fd29-5829-433a-af54-34af19e849cb','Secret creation','secrets:post','msLmUUiqakCja9orlOnEwDLn5roXxkpBJWxwwteuzSM=',11,'58971e78d0e7621abd14547f7b5696f5710c20660f43639f6150b58f5b4c7dd0','9a6c35cb4e0a17406e9c5ab0b532779a6ba51ef86a8ae29c65b0747a7f5d8013',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(16,'6e99a64d-b306-4cf0-a344-d27de9cbcf00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.531000','create','success',NULL,'data/security/secret','740e9734-bf32-4f03-81d4-dddda30ee900','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-a1c3decb-f3a4-46f9-8add-d9fef896a017','Secret creation','secrets:post','4fsXvmtSCoER9F+SUufTjrOH+mshAuT78Y8GbDAMqno=',12,'9a6c35cb4e0a17406e9c5ab0b532779a6ba51ef86a8ae29c65b0747a7f5d8013','fc2215754fe7856ef0126d4fa7174b936a0f844aef129900a0d05f2437840962',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(17,'3f91ad3d-36ae-4ade-8e59-4e4c618e6200','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.540000','create','success',NULL,'data/security/secret','2587bce2-8f39-48e6-bedb-8900e882b800','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-7b07a344-c60a-42dc-a091-5197e651a984','Secret creation','secrets:post','56f1mZiyn1Vw/V16cwmzTLDiqJ7laMxwyxD/1Xd2qkk=',13,'fc2215754fe7856ef0126d4fa7174b936a0f844aef129900a0d05f2437840962','299af8bce0d32e4c233c1fe9250f8a009905373f8a973091ea0f430893a05660',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(18,'d1d7d6c6-62f7-4a45-9b4e-5a491587d300','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.550000','create','success',NULL,'data/security/secret','7bc07566-5902-4b2b-94d5-bb11660b7400','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-770823f2-e7bc-4ced-b05d-dbc7594a8be1','Secret creation','secrets:post','GHDRM3OKW+JUb25FRSogceHxQrTR/8kcGPG28ne1EK4=',14,'299af8bce0d32e4c233c1fe9250f8a009905373f8a973091ea0f430893a05660','56d3a7f56f07dbe1e8c99112391fea2a8ad8b2b02dadc3975b8d2c7ab22670db',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(19,'9fc2d183-97f1-4d8b-be32-62b481928800','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.558000','create','success',NULL,'data/security/secret','06f34b1e-a293-4377-bf65-5b2571a99100','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-b3393269-3af4-484f-9c88-df5baa609c53','Secret creation','secrets:post','guTvVjrAoxBnL+xhJmSBuqFtAaGgyFJOG3mwjz9uDCM=',15,'56d3a7f56f07dbe1e8c99112391fea2a8ad8b2b02dadc3975b8d2c7ab22670db','dce34176125faa12362e8c0281c750251643b4f565b91b1aa0fbb2ce5e255fec',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(20,'e5430e61-6ae0-4985-91dd-9f02b41fbb00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.566000','create','success',NULL,'data/security/secret','6340bc7a-4ca5-40cb-871c-55ce16c44b00','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-aa84d8bb-31d0-46ee-8006-68a31b7c4b6f','Secret creation','secrets:post','0F+R+E5HfXlMUykHZWt5iy/XMwF8zwrJWSsh1dRa36Q=',16,'dce34176125faa12362e8c0281c750251643b4f565b91b1aa0fbb2ce5e255fec','d49753a6271c78bc15da6f1b7f2f4f2797e22deb2d51ffe8c38bf737109ad9aa',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(21,'3f3d057d-5da0-4e71-b1ca-08c62c121000','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.574000','create','success',NULL,'data/security/secret','249a9e59-7152-4cf9-8337-8fe0d4285300','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-733f97ae-4a43-4d3d-b3d8-d7a6bac9230f','Secret creation','secrets:post','39y22rCc3z220r9MM0n12x5qrEes7zgaOOOCztSewCY=',17,'d49753a6271c78bc15da6f1b7f2f4f2797e22deb2d51ffe8c38bf737109ad9aa','44a65672fb1c0027abe4e8b1f19740553cccdf32e15e98d3f3c030e116bceac6',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(22,'2b58127a-3ba2-465f-932c-9a8cadc22200','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.583000','create','success',NULL,'data/security/secret','730e3395-1a17-4b48-8e8b-0435000d3300','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-49ebb929-3d3c-40f1-90a8-4726074fd3a7','Secret creation','secrets:post','/8Fqysk9/jPfxVsSXu5DO7PDpllGlbfhmNkCFOdCDtM=',18,'44a65672fb1c0027abe4e8b1f19740553cccdf32e15e98d3f3c030e116bceac6','54bf5d73832ba55cb732151e3d5ecff450e35c27604701bd2c0f19559f4a565f',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(23,'b20a8e21-9eef-4457-ba67-ae6ca9153700','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.590000','create','success',NULL,'data/security/secret','846e2e9c-3d05-442b-b8d6-c8e7c428c500','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-5498923f-be6e-466c-9964-e8be8eed719e','Secret creation','secrets:post','SjMajIO0eW6XTkdl/ePpVdob5Aie9v9Hn01730MmRxA=',19,'54bf5d73832ba55cb732151e3d5ecff450e35c27604701bd2c0f19559f4a565f','0a85cb05c84675caa071497f565118b2b61c8d713c509e270864dd02aae8b7dd',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(24,'16353540-3b58-4d6f-bbd8-3640eea0b500','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.601000','create','success',NULL,'data/security/order','25e9febc-6c8d-47ad-8b62-1da195dc3000','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-7a315b46-0884-4d1a-9e86-0cc23108256f','Order creation','orders:post','E49+V4PWL9CsFd07zsdDFrmyyCJq8McHQxjdUJ/VezQ=',20,'0a85cb05c84675caa071497f565118b2b61c8d713c509e270864dd02aae8b7dd','3dc528560c585367a809fc7dbd0e233a1fd8b2e3c8e2880d237201202db49329',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(25,'67bb3649-ce4b-4dc4-a3d2-e571c2f06700','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.601000','create','success',NULL,'data/security/secret','6d8eaa6b-6eb3-4fe2-92b6-aaa1ad91ac00','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-7a315b46-0884-4d1a-9e86-0cc23108256f','Order creation','orders:post','4rAWsgYDobPQXSgfQOk44vmLe0OQFzWYqcHXdpMrY0g=',21,'3dc528560c585367a809fc7dbd0e233a1fd8b2e3c8e2880d237201202db49329','b117a0e8658693f2a663f982663333ad9df0ae7f0e85298bbf2f734f76f54c9f',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(26,'9797e7e5-14bc-4e4d-ab0b-e74870e29d00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.613000','create','success',NULL,'data/security/order','89740eab-030e-40fc-bae3-634468966000','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-080cd803-692b-40ef-b132-913467fa7899','Order creation','orders:post','Hk6J2xVhe6mpwSIAhwPYn7wDAYyQz5S6WirEdreU+Zg=',22,'b117a0e8658693f2a663f982663333ad9df0ae7f0e85298bbf2f734f76f54c9f','11019654966d10d2b262d2a00b294d750f2eb083d81973f6336bfe864f2e2a8a',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(27,'1b91d902-7d0e-460e-a0b2-5961394be700','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.613000','update','success',NULL,'data/security/order','89740eab-030e-40fc-bae3-634468966000',NULL,NULL,'b839725feb314d54aee624fff351b500','req-080cd803-692b-40ef-b132-913467fa7899','Order run',NULL,NULL,23,'11019654966d10d2b262d2a00b294d750f2eb083d81973f6336bfe864f2e2a8a','b2c43f69023e3649899ed0d48d4dca6f4f282845a1425d2c8fd4115d23341a65',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(28,'7a17f44a-f6e0-476f-a964-2ccdb01d4a00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.613000','create','success',NULL,'data/security/container','f6ceedbc-2fc5-4f5f-a823-ec907a3bfc00',NULL,NULL,'b839725feb314d54aee624fff351b500','req-080cd803-692b-40ef-b132-913467fa7899','Order run',NULL,'MLKzVvRE99u506S1a+ug5VZl4JfRVggJ6XD73PiCraA=',24,'b2c43f69023e3649899ed0d48d4dca6f4f282845a1425d2c8fd4115d23341a65','6e869a5ef8b7d609095bcbf81b0fef1372fa72bc5c823ac65c51dcb627f717da',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(29,'12776367-3e20-46d0-9e74-5f5b9662bd00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.613000','create','success',NULL,'data/security/secret','70d2f92b-a7ff-4914-8c9c-9b6641136c00',NULL,NULL,'b839725feb314d54aee624fff351b500','req-080cd803-692b-40ef-b132-913467fa7899','Order run',NULL,'X5SFIveJ4oU69g8BQF6zIo/MJxVNI6dSdCpj7CfnliQ=',25,'6e869a5ef8b7d609095bcbf81b0fef1372fa72bc5c823ac65c51dcb627f717da','3604e79304d4903a84dfae90adddb835c4751b5afddc965d4bf83b5f7374a87a',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(30,'c9f45618-152b-46a6-8a25-86f989212700','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.613000','create','success',NULL,'data/security/secret','8e7f7ba6-4ea1-4f57-8966-22c0c8775300',NULL,NULL,'b839725feb314d54aee624fff351b500','req-080cd803-692b-40ef-b132-913467fa7899','Order run',NULL,'/6PumZz5kz0cjjxAalXEFQWJgnJ95NmRb2265nYVhew=',26,'3604e79304d4903a84dfae90adddb835c4751b5afddc965d4bf83b5f7374a87a','40dba667b8026c2948b12f7afc39cd2eb34a2ec2454a6d6cc0b2317326c938e9',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(31,'0e245be9-e0a9-45cd-99a4-e79d37daed00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.630000','create','success',NULL,'data/security/container','3b59d337-4250-4a62-acdc-3402ea3f9000','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-4504882e-e801-4024-88ff-3ca69e6b6773','Container creation','containers:post','WazMMsLRzgxZvWzdFmtfVgY/WX/uanIBcL+EOJN7NKw=',27,'40dba667b8026c2948b12f7afc39cd2eb34a2ec2454a6d6cc0b2317326c938e9','40608f455a27820aed5645fdb1047b88c8eec9fc33ba88fe3e0c072e85175700',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(32,'3d2f160f-5521-4a6a-8874-211c3be50700','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.640000','update','success',NULL,'data/security/secret/acl','846e2e9c-3d05-442b-b8d6-c8e7c428c500','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-1ef6cfb2-75e1-4bd0-86fe-2bd77e52f6e3','SecretACL(s) Update','secret_acls:put_patch','Lv/647SZU1CQMw93/ix0d6A/BjwIV9s9jWt6/wJZO6E=',28,'40608f455a27820aed5645fdb1047b88c8eec9fc33ba88fe3e0c072e85175700','a664b457ecf2d6a4d8288dae940fa538f678260f2b0e8006b7314ef47c8ad073',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(33,'45f3088f-09c6-4ed3-a8c8-ff34563b4a00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.651000','create','success',NULL,'data/security/secret/consumer','846e2e9c-3d05-442b-b8d6-c8e7c428c500','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-f5ef8c23-900b-4266-9538-4bd345a79e0f','SecretConsumer creation','secret_consumers:post',NULL,29,'a664b457ecf2d6a4d8288dae940fa538f678260f2b0e8006b7314ef47c8ad073','06daa2bd0f5440e3f9508b80890fa599861913da10a44e7c5a120b2b7f634f5f',NULL);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash","initiator_address") VALUES(34,'fa1e8dd0-2957-476c-b76c-a07171ca6e00','655ec0a804844bbb9f1745ccae7aa300','2026-11-30T05:24:33.665000','update','success',NULL,'data/security/secret/metadata','846e2e9c-3d05-442b-b8d6-c8e7c428c500','b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300',NULL,'req-dfa152eb-35e9-47e9-be0b-863f5c8a9c4c','Secret metadata creation','secret_meta:put',NULL,30,'06daa2bd0f5440e3f9508b80890fa599861913da10a44e7c5a120b2b7f634f5f','0bc85388fc1ac35dbc416bcdfa353dd1aec148b3ee3936ddcf4f0d98090734f2',NULL);
CREATE TABLE `identity_projects` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`folded` text NOT NULL,
	`created` text NOT NULL,
	`description` text NOT NULL,
	`enabled` integer NOT NULL,
	`administrative` integer DEFAULT false NOT NULL,
	`extra` text NOT NULL,
	`mac` text NOT NULL,
	CONSTRAINT `identity_projects_id` UNIQUE(`id`),
	CONSTRAINT `identity_projects_folded` UNIQUE(`folded`)
);
INSERT INTO "identity_projects" ("seq","id","name","folded","created","description","enabled","administrative","extra","mac") VALUES(1,'6eb5f7e11407494c9e33d1fcd0f40400','admin','admin','2026-11-30T05:24:32.892000','Its administrators administer the identity.',1,1,'{}','NGzj/5Zrr4AuCMFQSHtAW2j6Dnr6/+Tz/h07QA5RleM=');
INSERT INTO "identity_projects" ("seq","id","name","folded","created","description","enabled","administrative","extra","mac") VALUES(2,'655ec0a804844bbb9f1745ccae7aa300','demo','demo','2026-11-30T05:24:33.139000','',1,0,'{}','1vDbS3pnkchNafQs5LSm2GzN76HPj776XHvKrCwUUek=');
CREATE TABLE `identity_roles` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`folded` text NOT NULL,
	`created` text NOT NULL,
	`description` text,
	`immutable` integer DEFAULT false NOT NULL,
	`mac` text NOT NULL,
	CONSTRAINT `identity_roles_id` UNIQUE(`id`),
	CONSTRAINT `identity_roles_folded` UNIQUE(`folded`)
);
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(1,'0915fccc64234bc2b27cb33c860be100','admin','admin','2026-11-30T05:24:32.892000',NULL,1,'HpWlU2Noqx41SJTjiMxEg+SMzTwEKnZ9o9stWaWldjo=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(2,'27f7f713ff694014b62d3515864a6500','member','member','2026-11-30T05:24:32.892000',NULL,1,'BbyR8iCPnOpMwZmRbSQL58p+mDa5WqfRMhMHqjF2tfQ=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(3,'2d99a56a421b4f2f9a45e003d839b000','reader','reader','2026-11-30T05:24:32.892000',NULL,1,'nU7KMem4tXPIpFFc0ur2jRhUvZED3oVKlUunDXhLwiE=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(4,'e54ac950d7d845e79bf57aed0645d200','service','service','2026-11-30T05:24:32.892000',NULL,1,'Kb9fk0Ai+lyvuSBv274RQkq1MyzR6mAoEpv4IgTmxck=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(5,'6351dca619bf4fb2a91211f354607f00','creator','creator','2026-11-30T05:24:32.892000',NULL,1,'ROa5aPKP1Q4BPqET9XMEwsl9KHJSBnohxx/L6V/Z8jA=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(6,'edcfe1f719d94e4abf768a3ed7b07c00','observer','observer','2026-11-30T05:24:32.892000',NULL,1,'QWjpTtVkmJXKWyEap6C9du19etZXAyleEc5n5Q0kwFM=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(7,'5f86b89258d64a9b83d2f79e59bfa700','audit','audit','2026-11-30T05:24:32.892000',NULL,1,'KphTEK5Y6X6wUn474XugLeqLstdfhjj3i151tVTevOs=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(8,'0046559b27834f028e7c904e74579b00','key-manager:service-admin','key-manager:service-admin','2026-11-30T05:24:32.892000',NULL,1,'N+bTon590l97Zfmys+0XJtdm18Qk28b+dwzHWEHI/RA=');
CREATE TABLE `identity_users` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`folded` text NOT NULL,
	`created` text NOT NULL,
	`password_hash` text,
	`token_epoch` integer DEFAULT 0 NOT NULL,
	`enabled` integer NOT NULL,
	`default_project_id` text,
	`extra` text NOT NULL,
	`mac` text NOT NULL,
	CONSTRAINT `identity_users_id` UNIQUE(`id`),
	CONSTRAINT `identity_users_folded` UNIQUE(`folded`)
);
INSERT INTO "identity_users" ("seq","id","name","folded","created","password_hash","token_epoch","enabled","default_project_id","extra","mac") VALUES(1,'03d2012af9524e9c902a15b9da8d6600','admin','admin','2026-11-30T05:24:32.892000','pbkdf2-sha256$6x100000$yN1gbzjVan23mRf0q0bb1A==$lxtQDrt6Jpb5aZbw8LMUojP7cdgNe1Yqq4JpskGhrtU=',0,1,NULL,'{}','Tt+vK3ZjMyGH6bdWj4yONFUqFL/q4o3ipidkwyE7yhc=');
INSERT INTO "identity_users" ("seq","id","name","folded","created","password_hash","token_epoch","enabled","default_project_id","extra","mac") VALUES(2,'b839725feb314d54aee624fff351b500','demo','demo','2026-11-30T05:24:33.163000','pbkdf2-sha256$6x100000$DBoRuXmzF+ar+Ub4JVI65g==$bRjT8EGfreM+owW4mRRzxj7irOfFYjElHDPqfrZaOT0=',0,1,'655ec0a804844bbb9f1745ccae7aa300','{}','6lPIqS3JkrnpAkgA8sCgS7pUMjKPcFKw0fOsNLdNotQ=');
CREATE TABLE `revoked_tokens` (
	`audit_id` text PRIMARY KEY NOT NULL,
	`expires` text NOT NULL
);
CREATE TABLE `certificate_authorities` (
	`id` text PRIMARY KEY NOT NULL,
	`generation` integer NOT NULL,
	`root` blob NOT NULL,
	`issuing` blob NOT NULL,
	`expiration` text NOT NULL,
	`created` text NOT NULL,
	`store` text NOT NULL,
	`key_version` integer NOT NULL,
	`mac` text NOT NULL,
	`root_sealed` blob NOT NULL,
	`issuing_sealed` blob NOT NULL, `project_id` text DEFAULT 'certificate authority' NOT NULL,
	CONSTRAINT `certificate_authorities_generation` UNIQUE(`generation`)
);
CREATE TABLE `containers` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`creator_id` text,
	`name` text,
	`type` text NOT NULL,
	`created` text NOT NULL,
	`updated` text NOT NULL,
	`acl_project_access` integer,
	`acl_users` text,
	`acl_created` text,
	`acl_updated` text,
	`mac` text NOT NULL,
	CONSTRAINT `containers_id` UNIQUE(`id`)
);
INSERT INTO "containers" ("seq","id","project_id","creator_id","name","type","created","updated","acl_project_access","acl_users","acl_created","acl_updated","mac") VALUES(1,'f6ceedbc-2fc5-4f5f-a823-ec907a3bfc00','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','pair','generic','2026-11-30T05:24:33.613000','2026-11-30T05:24:33.613000',NULL,NULL,NULL,NULL,'MLKzVvRE99u506S1a+ug5VZl4JfRVggJ6XD73PiCraA=');
INSERT INTO "containers" ("seq","id","project_id","creator_id","name","type","created","updated","acl_project_access","acl_users","acl_created","acl_updated","mac") VALUES(2,'3b59d337-4250-4a62-acdc-3402ea3f9000','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','bundle','generic','2026-11-30T05:24:33.630000','2026-11-30T05:24:33.630000',NULL,NULL,NULL,NULL,'WazMMsLRzgxZvWzdFmtfVgY/WX/uanIBcL+EOJN7NKw=');
CREATE TABLE `issued_certificates` (
	`serial` text PRIMARY KEY NOT NULL,
	`authority_id` text NOT NULL,
	`project_id` text NOT NULL,
	`container_id` text NOT NULL,
	`expiration` text NOT NULL,
	`created` text NOT NULL,
	`revoked` text,
	`mac` text NOT NULL
);
CREATE TABLE `orders` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`creator_id` text NOT NULL,
	`type` text NOT NULL,
	`meta` text NOT NULL,
	`status` text NOT NULL,
	`sub_status` text,
	`sub_status_message` text,
	`error_status_code` text,
	`error_reason` text,
	`secret_id` text,
	`container_id` text,
	`created` text NOT NULL,
	`updated` text NOT NULL,
	`content_type` text,
	`attempts` integer DEFAULT 0 NOT NULL,
	`due` text,
	`store` text,
	`key_version` integer,
	`mac` text NOT NULL,
	`sealed` blob, `requester_id` text,
	CONSTRAINT `orders_id` UNIQUE(`id`)
);
INSERT INTO "orders" ("seq","id","project_id","creator_id","type","meta","status","sub_status","sub_status_message","error_status_code","error_reason","secret_id","container_id","created","updated","content_type","attempts","due","store","key_version","mac","sealed","requester_id") VALUES(1,'25e9febc-6c8d-47ad-8b62-1da195dc3000','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','key','{"name":"ordered","algorithm":"aes","mode":"gcm","bit_length":256,"expiration":null}','ACTIVE','Unknown','Unknown',NULL,NULL,'6d8eaa6b-6eb3-4fe2-92b6-aaa1ad91ac00',NULL,'2026-11-30T05:24:33.601000','2026-11-30T05:24:33.601000',NULL,0,NULL,NULL,NULL,'E49+V4PWL9CsFd07zsdDFrmyyCJq8McHQxjdUJ/VezQ=',NULL,'b839725feb314d54aee624fff351b500');
INSERT INTO "orders" ("seq","id","project_id","creator_id","type","meta","status","sub_status","sub_status_message","error_status_code","error_reason","secret_id","container_id","created","updated","content_type","attempts","due","store","key_version","mac","sealed","requester_id") VALUES(2,'89740eab-030e-40fc-bae3-634468966000','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','asymmetric','{"name":"pair","algorithm":"ec","bit_length":256,"expiration":null}','ACTIVE','Unknown','Unknown',NULL,NULL,NULL,'f6ceedbc-2fc5-4f5f-a823-ec907a3bfc00','2026-11-30T05:24:33.613000','2026-11-30T05:24:33.613000','application/octet-stream',1,NULL,NULL,NULL,'Hk6J2xVhe6mpwSIAhwPYn7wDAYyQz5S6WirEdreU+Zg=',NULL,'b839725feb314d54aee624fff351b500');
CREATE TABLE `preferred_stores` (
	`project_id` text PRIMARY KEY NOT NULL,
	`store` text NOT NULL
);
CREATE TABLE `project_counts` (
	`project_id` text PRIMARY KEY NOT NULL,
	`secrets` integer DEFAULT 0 NOT NULL,
	`orders` integer DEFAULT 0 NOT NULL,
	`containers` integer DEFAULT 0 NOT NULL,
	`secret_consumers` integer DEFAULT 0 NOT NULL,
	`container_consumers` integer DEFAULT 0 NOT NULL
);
INSERT INTO "project_counts" ("project_id","secrets","orders","containers","secret_consumers","container_consumers") VALUES('655ec0a804844bbb9f1745ccae7aa300',15,2,2,1,0);
CREATE TABLE `project_destructions` (
	`project_id` text PRIMARY KEY NOT NULL,
	`due` text NOT NULL,
	`finished` text
);
CREATE TABLE `project_keys` (
	`project_id` text NOT NULL,
	`store` text NOT NULL,
	`version` integer NOT NULL,
	`master_key_id` text NOT NULL,
	`wrapped` blob NOT NULL,
	`created` text NOT NULL,
	`superseded` text,
	PRIMARY KEY(`project_id`, `store`, `version`)
);
INSERT INTO "project_keys" ("project_id","store","version","master_key_id","wrapped","created","superseded") VALUES('row authentication','deployment',1,'first',X'0105666972737481353493d8102a919b63310c43a6319d752a45ff643029fd8d0a776dc749b65c9129e212366363ae6cfbb441583e8819f699df136d4b289b08394fb2','2026-11-30T05:24:32.892000',NULL);
INSERT INTO "project_keys" ("project_id","store","version","master_key_id","wrapped","created","superseded") VALUES('655ec0a804844bbb9f1745ccae7aa300','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'first',X'0105666972737423b6aa10dcbf5b1f099a9335f776f63f1039f012463109ac887424b6df4347a7307a1758f5baed834dd53165ecd00b5a1c275a3e2587bed3f14c2247','2026-11-30T05:24:33.482000',NULL);
CREATE TABLE `project_quotas` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`project_id` text NOT NULL,
	`secrets` integer,
	`orders` integer,
	`containers` integer,
	`consumers` integer,
	`cas` integer,
	CONSTRAINT `project_quotas_project` UNIQUE(`project_id`)
);
CREATE TABLE `secrets` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`creator_id` text,
	`name` text,
	`secret_type` text NOT NULL,
	`algorithm` text,
	`mode` text,
	`bit_length` integer,
	`expiration` text,
	`created` text NOT NULL,
	`updated` text NOT NULL,
	`acl_project_access` integer,
	`acl_users` text,
	`acl_created` text,
	`acl_updated` text,
	`content_type` text,
	`store` text NOT NULL,
	`key_version` integer,
	`mac` text NOT NULL,
	`sealed` blob,
	CONSTRAINT `secrets_id` UNIQUE(`id`)
);
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(1,'9bdc2a9a-9cd5-4f2f-a6cc-a25684d5fb00','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 1','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.482000','2026-11-30T05:24:33.482000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'02gzPxNbCOXJo+71mG/m+OeCuFGryvBnk44IHwfKq9E=',X'01000000010147d17b27c9ccebb6f429fb90f0540297dd8843c54fe1d750cda9fa85ea0becb9811f9a1083d96274b766fdf48098efdd397076fcff4c');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(2,'93228e08-4af4-48f4-9044-27e74e786800','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 2','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.502000','2026-11-30T05:24:33.502000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'JPYl3xG13pu8DD+qmc96riJwu4jZiZGgbrsE40eYjc8=',X'01000000015395126a378703e64e31b9ebc3b86b5ac8379c81e51cc2a00322fe0442dd693adc4e1b9ecf37ec6d8bd7442db43df93164307de431653a');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(3,'a7f79151-3962-49b8-b933-883f315bb800','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 3','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.511000','2026-11-30T05:24:33.511000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'ncVymE196luywPg84X/0Xl2AmQtLEmFEJPD8cI2a5W4=',X'0100000001947357ba9fd7965cb507d46543556df73b7c36fa2bffbc5978b4e1f47a7a20e56fb1bf4e88e6412e9312d52059d1f2fdf8291dbf51642e');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(4,'a14a6d4c-aabe-44ee-bd89-fe141e18f500','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 4','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.520000','2026-11-30T05:24:33.520000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'msLmUUiqakCja9orlOnEwDLn5roXxkpBJWxwwteuzSM=',X'0100000001102750f8dbc002afc93c4ea5c6e03fa6d1d76fa0f71b300091b9cf9fee68cd220188b3b473ac90b8a532ad941d31389558cc18461a1c0d');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(5,'740e9734-bf32-4f03-81d4-dddda30ee900','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 5','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.531000','2026-11-30T05:24:33.531000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'4fsXvmtSCoER9F+SUufTjrOH+mshAuT78Y8GbDAMqno=',X'01000000019360ff6c84a5a591ac421af812562d6ea8ea4a81c1e46bd0676698da84f24ac1bf9c6519f070e90d27a11170cb0ea5374370ce1f413d43');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(6,'2587bce2-8f39-48e6-bedb-8900e882b800','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 6','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.540000','2026-11-30T05:24:33.540000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'56f1mZiyn1Vw/V16cwmzTLDiqJ7laMxwyxD/1Xd2qkk=',X'01000000016ea8d42f208186caff6b51beefe5658ab49d1f0b1fcd2bbae3c27aaefa988e14616080161179ecd27fa6c4d0dcb3134ad11d10b8fda727');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(7,'7bc07566-5902-4b2b-94d5-bb11660b7400','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 7','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.550000','2026-11-30T05:24:33.550000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'GHDRM3OKW+JUb25FRSogceHxQrTR/8kcGPG28ne1EK4=',X'01000000015e0883d7f246eb7aa7bd6a9f068740cf23db66ebf59b6a8b26a575b8b77069e0726e7f078dd067b284b5142781cd8ff1e00565a654f368');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(8,'06f34b1e-a293-4377-bf65-5b2571a99100','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 8','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.558000','2026-11-30T05:24:33.558000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'guTvVjrAoxBnL+xhJmSBuqFtAaGgyFJOG3mwjz9uDCM=',X'01000000014e5a22e83f83dd084539ee3156e5d2e1d1c7e946c37b81dcc579049147d4d6fb97d59164c9dd5db5f293898d6a6738131cda947197d6a3');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(9,'6340bc7a-4ca5-40cb-871c-55ce16c44b00','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 9','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.566000','2026-11-30T05:24:33.566000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'0F+R+E5HfXlMUykHZWt5iy/XMwF8zwrJWSsh1dRa36Q=',X'01000000014959e3c9f2b6d707fa617726de382100c95e46e67596d52be730f03cb15d7e7f0ca8f9b005b031987e8a4f425b8e59289d9e7dc76ce647');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(10,'249a9e59-7152-4cf9-8337-8fe0d4285300','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 10','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.574000','2026-11-30T05:24:33.574000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'39y22rCc3z220r9MM0n12x5qrEes7zgaOOOCztSewCY=',X'01000000011c52171f65d12f09468690043216ad44b1ec1cd1e71f94a8be980791e555e9ec7c67f5aa2add2819f012f5d97c8588cc1cd0da4174b8d101');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(11,'730e3395-1a17-4b48-8e8b-0435000d3300','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 11','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.583000','2026-11-30T05:24:33.583000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'/8Fqysk9/jPfxVsSXu5DO7PDpllGlbfhmNkCFOdCDtM=',X'0100000001cecc9caabf03028db773b4f90053e76e9c01df7de8182f8d580a8a450f739835b99441b4819f1eb0d8136183d88e230143748217038551a2');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(12,'846e2e9c-3d05-442b-b8d6-c8e7c428c500','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','kept 12','opaque',NULL,NULL,NULL,NULL,'2026-11-30T05:24:33.590000','2026-11-30T05:24:33.651000',0,'["somebody"]','2026-11-30T05:24:33.640000','2026-11-30T05:24:33.640000','text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'Lv/647SZU1CQMw93/ix0d6A/BjwIV9s9jWt6/wJZO6E=',X'0100000001b57c6c34c4d446e1c72aeb383040824fc4b82bc6e9c05c4e82eae928879049e0094d79b6dfa23b62063d5ba1eeb1c37dc83455ce4dac2bc7');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(13,'6d8eaa6b-6eb3-4fe2-92b6-aaa1ad91ac00','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','ordered','symmetric','aes','gcm',256,NULL,'2026-11-30T05:24:33.601000','2026-11-30T05:24:33.601000',NULL,NULL,NULL,NULL,'application/octet-stream','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'4rAWsgYDobPQXSgfQOk44vmLe0OQFzWYqcHXdpMrY0g=',X'01000000016dc63e45b5f2c46626716b8c23e20024f3d10fcb1c883f8c212567f5e91253e05a133f912d784ece3754c403493277b27938d8d83b417aabd92dfe19');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(14,'70d2f92b-a7ff-4914-8c9c-9b6641136c00','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','pair','private','ec',NULL,256,NULL,'2026-11-30T05:24:33.613000','2026-11-30T05:24:33.613000',NULL,NULL,NULL,NULL,'application/octet-stream','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'X5SFIveJ4oU69g8BQF6zIo/MJxVNI6dSdCpj7CfnliQ=',X'0100000001a1d8cc85d83c042dc3742550d4bac4898be42e16b6d65ebcefa49f317ad04afbaec8e28a8b6adcbab4ebad9c076f74257530100a1b309d183ea0fad98585763006fcf1e3f7f6348d86da3777c3f948086846622b42511f1307d55bbaf3343012c2af8d60c9f80ba7849ce1b4441c605997e7f35bd6843dd1b847b7bc63b31449cb5d9c83acc115d7f118bad5fb7b4a95321d545554d3f8820da926136c235afb0929e036d99407b369b48660b48471ceb2ecaf5e07eec802e0f7be1d52baba0f260a729c19a16149461258f24b6375c06ecdada7e554a209930df35e5b2596adbd1d1b48af2c5177aa122bb7398def89746b6038e76e8467f165fd218326a058bca74e3faadefbcab9e5ad9171');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(15,'8e7f7ba6-4ea1-4f57-8966-22c0c8775300','655ec0a804844bbb9f1745ccae7aa300','b839725feb314d54aee624fff351b500','pair','public','ec',NULL,256,NULL,'2026-11-30T05:24:33.613000','2026-11-30T05:24:33.613000',NULL,NULL,NULL,NULL,'application/octet-stream','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'/6PumZz5kz0cjjxAalXEFQWJgnJ95NmRb2265nYVhew=',X'010000000101c105cbaa2c686dcba240e416a5e9327103976c90781539cb45e5d4da20e53bab1645933c284698a8628b662f1370a9348943a5b8d2820c20e8e1d2d56f582f175139d6c5317cad67d58182100e9469a2a6568beb6b2182bc5d7f4094b4ab360bbbc3a9edd8cbe7b7fcb14f1534ae9bc47480b8be60a5e102850048e7b840ca995b37e0d0372dbd10a6c507292c199147d2c58d375a363672d5a68777026659ddef5985a0d0a897a14019dfd9263673b47050eabdec0333c6e5579df7a1a328f55bca7b2887a02d529f802dfc40');
CREATE TABLE `application_credentials` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`user_id` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`secret_hash` text NOT NULL,
	`role_ids` text NOT NULL,
	`unrestricted` integer NOT NULL,
	`expires` text,
	`created` text NOT NULL,
	`mac` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `identity_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`project_id`) REFERENCES `identity_projects`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT `application_credentials_id` UNIQUE(`id`),
	CONSTRAINT `application_credentials_name` UNIQUE(`user_id`,`name`)
);
CREATE TABLE `role_assignments` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` text NOT NULL,
	`project_id` text NOT NULL,
	`role_id` text NOT NULL,
	`mac` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `identity_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`project_id`) REFERENCES `identity_projects`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`role_id`) REFERENCES `identity_roles`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT `role_assignments_identity` UNIQUE(`user_id`,`project_id`,`role_id`)
);
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(1,'03d2012af9524e9c902a15b9da8d6600','6eb5f7e11407494c9e33d1fcd0f40400','0915fccc64234bc2b27cb33c860be100','330R3cv2Mi/uR8auO07j/ze9DwqJ76qemr/b7fvtqtA=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(2,'b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300','0915fccc64234bc2b27cb33c860be100','GlCD7eLXUPCsoSU65MAImS4oRtUDlvKYkVFX2nKt4JI=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(3,'b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300','27f7f713ff694014b62d3515864a6500','lqho4qienA9CYfiH+AJlvlpjQneS38qsnYWW3SvboSY=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(4,'b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300','2d99a56a421b4f2f9a45e003d839b000','RsIGzhNkTGT55+MsgcD4RfQey9YNYpmb7TuOCdaYdSM=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(5,'b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300','6351dca619bf4fb2a91211f354607f00','p71j+48ju3HDfsyLVI41+ErdR4iUIFgHS4BwYgaLLtM=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(6,'b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300','edcfe1f719d94e4abf768a3ed7b07c00','7Rk4Y8hOww/+zaLLBbg8nNtzkyTb3GQ4/ZRpih9mZAA=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(7,'b839725feb314d54aee624fff351b500','655ec0a804844bbb9f1745ccae7aa300','5f86b89258d64a9b83d2f79e59bfa700','WXBOHysuc92Jn+SV+n15H97twlHEajAMqHbSzX43A48=');
CREATE TABLE `container_consumers` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`container_id` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`url` text NOT NULL,
	`created` text NOT NULL,
	`updated` text NOT NULL,
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT `container_consumers_id` UNIQUE(`id`),
	CONSTRAINT `container_consumers_identity` UNIQUE(`container_id`,`name`,`url`)
);
CREATE TABLE `container_secrets` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`container_id` text NOT NULL,
	`secret_id` text NOT NULL,
	`name` text,
	`mac` text NOT NULL,
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
INSERT INTO "container_secrets" ("seq","container_id","secret_id","name","mac") VALUES(1,'f6ceedbc-2fc5-4f5f-a823-ec907a3bfc00','70d2f92b-a7ff-4914-8c9c-9b6641136c00','private_key','FKtfmUsgtaP2NHfOh80GDBx2UY/gGHQ1KI+vUeY8hj0=');
INSERT INTO "container_secrets" ("seq","container_id","secret_id","name","mac") VALUES(2,'f6ceedbc-2fc5-4f5f-a823-ec907a3bfc00','8e7f7ba6-4ea1-4f57-8966-22c0c8775300','public_key','x4/k725hoPZpqasMWFDH2IIKVPnSOBO5gLT1/9wWpQI=');
INSERT INTO "container_secrets" ("seq","container_id","secret_id","name","mac") VALUES(3,'3b59d337-4250-4a62-acdc-3402ea3f9000','846e2e9c-3d05-442b-b8d6-c8e7c428c500','a','it4SgplYfzxfkXFeGBG+29ne27yH6Dcl5QbI9xYlJYM=');
CREATE TABLE `secret_consumers` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`secret_id` text NOT NULL,
	`project_id` text NOT NULL,
	`service` text NOT NULL,
	`resource_type` text NOT NULL,
	`resource_id` text NOT NULL,
	`created` text NOT NULL,
	`updated` text NOT NULL,
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT `secret_consumers_id` UNIQUE(`id`),
	CONSTRAINT `secret_consumers_identity` UNIQUE(`secret_id`,`service`,`resource_type`,`resource_id`)
);
INSERT INTO "secret_consumers" ("seq","id","secret_id","project_id","service","resource_type","resource_id","created","updated") VALUES(1,'bf4dddae-508e-41a0-8060-ca2915aec500','846e2e9c-3d05-442b-b8d6-c8e7c428c500','655ec0a804844bbb9f1745ccae7aa300','image','image','registered','2026-11-30T05:24:33.651000','2026-11-30T05:24:33.651000');
CREATE TABLE `secret_metadata` (
	`secret_id` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`secret_id`, `key`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
INSERT INTO "secret_metadata" ("secret_id","key","value") VALUES('846e2e9c-3d05-442b-b8d6-c8e7c428c500','since','the first schema');
CREATE TABLE `secret_readers` (
	`user_id` text NOT NULL,
	`secret_id` text NOT NULL,
	PRIMARY KEY(`user_id`, `secret_id`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
INSERT INTO "secret_readers" ("user_id","secret_id") VALUES('somebody','846e2e9c-3d05-442b-b8d6-c8e7c428c500');
CREATE TABLE `login_attempts` (
	`subject` text PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`allowance` integer NOT NULL,
	`refused_until` integer NOT NULL,
	`told` integer NOT NULL,
	`expires` integer NOT NULL
);
INSERT INTO "login_attempts" ("subject","failures","allowance","refused_until","told","expires") VALUES('B4vhdEZRHvxhhUQq4dIo7SOPHQygCuraf8B8dC47AUg=',0,30,0,0,1796019873319);
INSERT INTO "login_attempts" ("subject","failures","allowance","refused_until","told","expires") VALUES('D2OlqK6xGmB9uZrcCJ47rgTep5GPjUC41lpt/99stUE=',0,2147483648,0,0,1796019872892);
INSERT INTO "login_attempts" ("subject","failures","allowance","refused_until","told","expires") VALUES('b7ZKMQaTTta/4A4gJiBSMKTnyxyc6XQE+23lovG4Hbw=',0,2147483648,0,0,1796019873319);
DELETE FROM sqlite_sequence;
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('d1_migrations',3);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('identity_users',2);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('audit_events',34);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('identity_roles',8);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('identity_projects',2);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('role_assignments',7);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('secrets',15);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('orders',2);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('containers',2);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('container_secrets',3);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('secret_consumers',1);
CREATE INDEX `audit_events_unsealed` ON `audit_events` (`project_id`) WHERE number is null;
CREATE UNIQUE INDEX `audit_events_number` ON `audit_events` (`project_id`,`number`) WHERE number is not null;
CREATE INDEX `application_credentials_project` ON `application_credentials` (`project_id`);
CREATE UNIQUE INDEX `identity_projects_administrative` ON `identity_projects` (`administrative`) WHERE administrative = 1;
CREATE INDEX `identity_users_default_project` ON `identity_users` (`default_project_id`);
CREATE INDEX `revoked_tokens_expires` ON `revoked_tokens` (`expires`);
CREATE INDEX `role_assignments_project` ON `role_assignments` (`project_id`);
CREATE INDEX `role_assignments_role` ON `role_assignments` (`role_id`);
CREATE INDEX `container_consumers_project` ON `container_consumers` (`project_id`);
CREATE INDEX `container_secrets_container` ON `container_secrets` (`container_id`);
CREATE INDEX `container_secrets_secret` ON `container_secrets` (`secret_id`);
CREATE INDEX `containers_project` ON `containers` (`project_id`);
CREATE INDEX `issued_certificates_container` ON `issued_certificates` (`container_id`);
CREATE INDEX `issued_certificates_revoked` ON `issued_certificates` (`authority_id`,`expiration`) WHERE revoked is not null;
CREATE INDEX `orders_project` ON `orders` (`project_id`);
CREATE INDEX `orders_key` ON `orders` (`project_id`,`store`,`key_version`) WHERE key_version is not null;
CREATE INDEX `orders_due` ON `orders` (`project_id`,`due`) WHERE due is not null;
CREATE INDEX `project_destructions_due` ON `project_destructions` (`due`) WHERE finished is null;
CREATE INDEX `project_keys_master` ON `project_keys` (`master_key_id`);
CREATE UNIQUE INDEX `project_keys_sealing` ON `project_keys` (`project_id`,`store`) WHERE superseded is null;
CREATE INDEX `project_keys_age` ON `project_keys` (`created`) WHERE superseded is null;
CREATE INDEX `project_keys_superseded` ON `project_keys` (`superseded`) WHERE superseded is not null;
CREATE INDEX `secret_consumers_project` ON `secret_consumers` (`project_id`);
CREATE INDEX `secret_readers_secret` ON `secret_readers` (`secret_id`);
CREATE INDEX `secrets_project` ON `secrets` (`project_id`);
CREATE INDEX `secrets_name` ON `secrets` (`project_id`,`name`);
CREATE INDEX `secrets_key` ON `secrets` (`project_id`,`store`,`key_version`) WHERE key_version is not null;
CREATE INDEX `secrets_expiration` ON `secrets` (`expiration`) WHERE expiration is not null;
CREATE INDEX `secrets_expired` ON `secrets` (`project_id`,`expiration`) WHERE expiration is not null;
CREATE INDEX `login_attempts_expires` ON `login_attempts` (`expires`);
CREATE INDEX `certificate_authorities_project` ON `certificate_authorities` (`project_id`,`generation`);
CREATE INDEX `issued_certificates_project` ON `issued_certificates` (`project_id`,`authority_id`,`created`);
CREATE TRIGGER secrets_counted AFTER INSERT ON secrets BEGIN
  INSERT INTO project_counts (project_id, secrets) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secrets = secrets + 1;
END;
CREATE TRIGGER secrets_uncounted AFTER DELETE ON secrets BEGIN
  UPDATE project_counts SET secrets = secrets - 1 WHERE project_id = OLD.project_id;
END;
CREATE TRIGGER secrets_recounted AFTER UPDATE OF project_id ON secrets BEGIN
  UPDATE project_counts SET secrets = secrets - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, secrets) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secrets = secrets + 1;
END;
CREATE TRIGGER orders_counted AFTER INSERT ON orders BEGIN
  INSERT INTO project_counts (project_id, orders) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET orders = orders + 1;
END;
CREATE TRIGGER orders_uncounted AFTER DELETE ON orders BEGIN
  UPDATE project_counts SET orders = orders - 1 WHERE project_id = OLD.project_id;
END;
CREATE TRIGGER orders_recounted AFTER UPDATE OF project_id ON orders BEGIN
  UPDATE project_counts SET orders = orders - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, orders) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET orders = orders + 1;
END;
CREATE TRIGGER containers_counted AFTER INSERT ON containers BEGIN
  INSERT INTO project_counts (project_id, containers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET containers = containers + 1;
END;
CREATE TRIGGER containers_uncounted AFTER DELETE ON containers BEGIN
  UPDATE project_counts SET containers = containers - 1 WHERE project_id = OLD.project_id;
END;
CREATE TRIGGER containers_recounted AFTER UPDATE OF project_id ON containers BEGIN
  UPDATE project_counts SET containers = containers - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, containers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET containers = containers + 1;
END;
CREATE TRIGGER secret_consumers_counted AFTER INSERT ON secret_consumers BEGIN
  INSERT INTO project_counts (project_id, secret_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secret_consumers = secret_consumers + 1;
END;
CREATE TRIGGER secret_consumers_uncounted AFTER DELETE ON secret_consumers BEGIN
  UPDATE project_counts SET secret_consumers = secret_consumers - 1 WHERE project_id = OLD.project_id;
END;
CREATE TRIGGER secret_consumers_recounted AFTER UPDATE OF project_id ON secret_consumers BEGIN
  UPDATE project_counts SET secret_consumers = secret_consumers - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, secret_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secret_consumers = secret_consumers + 1;
END;
CREATE TRIGGER container_consumers_counted AFTER INSERT ON container_consumers BEGIN
  INSERT INTO project_counts (project_id, container_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET container_consumers = container_consumers + 1;
END;
CREATE TRIGGER container_consumers_uncounted AFTER DELETE ON container_consumers BEGIN
  UPDATE project_counts SET container_consumers = container_consumers - 1 WHERE project_id = OLD.project_id;
END;
CREATE TRIGGER container_consumers_recounted AFTER UPDATE OF project_id ON container_consumers BEGIN
  UPDATE project_counts SET container_consumers = container_consumers - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, container_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET container_consumers = container_consumers + 1;
END;
CREATE TRIGGER secrets_inserted BEFORE INSERT ON secrets
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
CREATE TRIGGER secrets_resealed BEFORE UPDATE OF sealed ON secrets
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
CREATE TRIGGER orders_inserted BEFORE INSERT ON orders
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
CREATE TRIGGER orders_resealed BEFORE UPDATE OF sealed ON orders
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
CREATE TRIGGER certificate_authorities_inserted BEFORE INSERT ON certificate_authorities
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
CREATE TRIGGER certificate_authorities_resealed BEFORE UPDATE OF issuing_sealed ON certificate_authorities
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
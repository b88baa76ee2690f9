PRAGMA defer_foreign_keys=TRUE;
CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL);
INSERT INTO "d1_migrations" ("id","name","applied_at") VALUES(1,'0000_first.sql','2026-11-30 04:10:20');
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
);
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(1,'f52a3b7b-a0c2-47fb-af67-473b10d42800','the deployment','2026-11-30T04:10:21.059000','create','success',NULL,'data/security/account/user','78ddbd86bace4d7d873ad158be43b800',NULL,NULL,NULL,NULL,'Identity set-up',NULL,'pcjRFGH0sS5vfSci0cor2VYMjOqoZLzts5J0pHS6KLs=',1,'0000000000000000000000000000000000000000000000000000000000000000','a87c7359bd0a09740d1656b7b03d372b4d28b03d9bc3866a2155e21ec5add755');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(2,'a6dd73ed-e1c7-4691-814d-2977cc3ff900','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:22.251000','create','success',NULL,'data/security/project','a00abe26f15c469db6a1114ae3feef00','78ddbd86bace4d7d873ad158be43b800','fa4dfb38ed6443f6b886039a03e8bf00',NULL,'req-48d1cd85-30d2-439e-b2d2-905186435d54','identity:create_project','identity:create_project',NULL,1,'0000000000000000000000000000000000000000000000000000000000000000','06f1ec387e6e84b0d4e1e85f7aded257b4dfd52aa519a2292aeed7e1fb76c0eb');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(3,'4834392a-8c08-4904-8c3f-eaea94c1e500','the deployment','2026-11-30T04:10:22.327000','create','success',NULL,'data/security/account/user','ebbd344605d944dcb1565ab6fdba3d00','78ddbd86bace4d7d873ad158be43b800','fa4dfb38ed6443f6b886039a03e8bf00',NULL,'req-288e2362-50da-45e6-b85a-ad019d4c8edc','identity:create_user','identity:create_user',NULL,2,'a87c7359bd0a09740d1656b7b03d372b4d28b03d9bc3866a2155e21ec5add755','9ad642bec551999cc2eb4da4aeb326c60eeef0cb4d67c65d89439e441dfb90e7');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(4,'2b6b6b9f-23b1-4d51-973b-347432f84100','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:22.555000','create','success',NULL,'data/security/role/assignment','ebbd344605d944dcb1565ab6fdba3d00/bac258b94541471aaf219e5457b4a300','78ddbd86bace4d7d873ad158be43b800','fa4dfb38ed6443f6b886039a03e8bf00',NULL,'req-283d1000-017a-471e-9004-75ba649de030','identity:create_grant','identity:create_grant',NULL,2,'06f1ec387e6e84b0d4e1e85f7aded257b4dfd52aa519a2292aeed7e1fb76c0eb','269a4a427c424e5564a54cd9b92144732ef4e5bcad22bfbe9f898bb91eea9de2');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(5,'d8ca7ddc-3f91-4d0d-ba0e-b2d4f58c8500','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:22.611000','create','success',NULL,'data/security/role/assignment','ebbd344605d944dcb1565ab6fdba3d00/fedda500cd684753be2ae0bd04834b00','78ddbd86bace4d7d873ad158be43b800','fa4dfb38ed6443f6b886039a03e8bf00',NULL,'req-1e336c00-c9c3-4aad-b5e4-92f439584f56','identity:create_grant','identity:create_grant',NULL,3,'269a4a427c424e5564a54cd9b92144732ef4e5bcad22bfbe9f898bb91eea9de2','6078e172549cbed6b99d0d708594c4a833f25e255ff49ab874c481d29ae91847');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(6,'80944a4a-9bbd-491c-aaf9-dcb905f89900','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:22.678000','create','success',NULL,'data/security/role/assignment','ebbd344605d944dcb1565ab6fdba3d00/628d590a790b495ebe861db3b7222f00','78ddbd86bace4d7d873ad158be43b800','fa4dfb38ed6443f6b886039a03e8bf00',NULL,'req-174de8a3-cf6f-4c46-87e5-d48439be1166','identity:create_grant','identity:create_grant',NULL,4,'6078e172549cbed6b99d0d708594c4a833f25e255ff49ab874c481d29ae91847','246f643ee19e8adca23dba156e3678d0da299443ab1b4c1da52de8ebc16c5c34');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(7,'c2e0ac23-4038-4a22-8f78-a93ee1b26b00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:22.746000','create','success',NULL,'data/security/role/assignment','ebbd344605d944dcb1565ab6fdba3d00/7dcea3d358f84a75866279590412e100','78ddbd86bace4d7d873ad158be43b800','fa4dfb38ed6443f6b886039a03e8bf00',NULL,'req-50ef7f81-19f3-44d0-8f03-33534540f7e5','identity:create_grant','identity:create_grant',NULL,5,'246f643ee19e8adca23dba156e3678d0da299443ab1b4c1da52de8ebc16c5c34','e478b34faaab9989a15a9ebf22e626b0d87f4d6127004b06562fa0a7b7140be8');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(8,'57a65c36-f44c-4402-bb3b-80e57b5a3500','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.531000','create','success',NULL,'data/security/secret','95128f23-d766-48de-ae6b-403cdd6b5b00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-e2aaf76b-f918-4d55-a247-0cc68187c3dd','Secret creation','secrets:post','3iBz1nfBK7JjyU56N04C2iv1oq0QmwPqZ5ohKcHmrhg=',6,'e478b34faaab9989a15a9ebf22e626b0d87f4d6127004b06562fa0a7b7140be8','6e2aa58f0e36f7cd4446e6dc8216ccc68ff486fbe10d252e5aad247c8c5525f0');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(9,'4d8441d8-c92b-4c9c-a9b9-7e31d98f1400','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.641000','create','success',NULL,'data/security/secret','823e157e-e0e7-454e-9f31-a70f8357ce00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-dfd86691-7723-404f-a396-f05cf06be647','Secret creation','secrets:post','pW//S4jIHGJjv5SiosoMMDf4OUDoMSxZ9JgKxz1enFo=',7,'6e2aa58f0e36f7cd4446e6dc8216ccc68ff486fbe10d252e5aad247c8c5525f0','e19b5b395e152b303225f202279f6e0dbdea677266409199a4e56a6cbc7b1c87');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(10,'fba878df-ff57-4a31-8f54-5add6c99de00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.675000','create','success',NULL,'data/security/secret','a57742aa-ad88-406c-ad51-713cac275600','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-805a953e-300d-4a0e-b811-38ae045a35ca','Secret creation','secrets:post','vVlJom3E40L7sJ+VDxAZUeb1PQUryNCO1UN1hmNUrbU=',8,'e19b5b395e152b303225f202279f6e0dbdea677266409199a4e56a6cbc7b1c87','14092079e852cae4377f0e41e98f5c8b9ac7092671646a8c7a4f58246993dc56');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(11,'6a09265f-4ddf-4ab5-8e22-63f4d654b800','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.702000','create','success',NULL,'data/security/secret','6d617f6f-e2a6-4e46-bc17-6abf1af56100','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-29f6a9e7-b71d-4dd2-8c37-a104fff681c2','Secret creation','secrets:post','SVUP7hYtugmOYJRsAahssN3g9sJJ7RAU7aOrYXnziBg=',9,'14092079e852cae4377f0e41e98f5c8b9ac7092671646a8c7a4f58246993dc56','d982eb65b88a735aaba4e3dad424876396dc0fa95b357ed27117c511d7094cf6');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(12,'503582b4-1749-40a8-8af8-a558e7391000','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.741000','create','success',NULL,'data/security/secret','6afe6bb5-aca9-41c3-9bb4-f5c3c438b700','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-b6448b23-bd30-4d64-8a9b-6533bc583c43','Secret creation','secrets:post','W5ItBsrU1bFnC4qqNXo0u2FbIMQhn8cWG+e71+uyNiE=',10,'d982eb65b88a735aaba4e3dad424876396dc0fa95b357ed27117c511d7094cf6','ae14c5118442f2d4fa706c58a9029620c7649f200d62cc095a7b0f3aed124b18');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(13,'cd6a3537-6ba6-498a-9578-6f104e45f600','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.780000','create','success',NULL,'data/security/secret','7547222a-e56d-4ff2-95ad-79a69aca1000','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-c24230d0-f2b2-4747-84ad-a190254d0ffd','Secret creation','secrets:post','9XknzxhaCtLRe00SncJMGZ19hlDZWVMCtu1QG+HOqu0=',11,'ae14c5118442f2d4fa706c58a9029620c7649f200d62cc095a7b0f3aed124b18','50a1147ab21ef63a8ffaf785cc17c4586464bbd8b1bfeb78908f393c208821dd');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(14,'3dba749e-462a-4ce9-b0cd-2dee1dea6200','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.873000','create','success',NULL,'data/security/secret','55e50181-d54a-4d77-9660-438ae486ae00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-af26e913-e725-410c-b77b-014b0855df28','Secret creation','secrets:post','iWo74QlaVqRxMALBxq10zTUi7ngwMWIycF8Tmx304T4=',12,'50a1147ab21ef63a8ffaf785cc17c4586464bbd8b1bfeb78908f393c208821dd','62f41734a8aa83dd56a082a2376ebef0ebbf04b169dac32dbc6bc944636e778b');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(15,'1f827f4f-efca-4f38-82f9-7e288f914b00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.923000','create','success',NULL,'data/security/secret','9286671d-41ce-4058-ad56-2802bbd3ed00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-2224c8c3-00b9-491d-b3ed-52f5a4a4e6d6','Secret creation','secrets:post','M6gqv4aNvTws3XXVLCvfL0+v2v2ZLM+fS1hJwut218w=',13,'62f41734a8aa83dd56a082a2376ebef0ebbf04b169dac32dbc6bc944636e778b','cecc769a17cd135bdcba1320b534815889871fadc8b4d27758a56001bf12d972');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(16,'becde6c5-83f8-44d8-b83a-d4920d781b00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:24.990000','create','success',NULL,'data/security/secret','d998ec1c-7c2e-45a7-ae8c-60c99d442700','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-51ada838-b998-419a-a1ff-ab7a8ccd5698','Secret creation','secrets:post','tzm5yxmmy50Zdn8J7TKhfRBBT61dNivmSO5QIY/tuJQ=',14,'cecc769a17cd135bdcba1320b534815889871fadc8b4d27758a56001bf12d972','f27fcb4500d80a4ce6d2ad517f02ba2a745b71bcca10382de150dec333dfbf4b');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(17,'31c54421-bf73-4189-9481-f17360581700','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.023000','create','success',NULL,'data/security/secret','25deb88e-580b-4feb-a22b-f97dddb94100','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-e576007e-b40c-46b2-8661-74ffba43877f','Secret creation','secrets:post','ALVECvecXKxTcagsCdoGHiPdZH07ewzfXErdipOCjBU=',15,'f27fcb4500d80a4ce6d2ad517f02ba2a745b71bcca10382de150dec333dfbf4b','2a8b05e8f523f75a785d1ebea58793e8a5fde60ca342a9eb8553a43189f9ea61');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(18,'ece252cc-b418-4c2f-b439-1702f6ec6c00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.074000','create','success',NULL,'data/security/secret','e0f4c295-4762-4097-8636-6fc932b46400','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-291b3ac4-e51d-4ad3-986c-81845bb3d645','Secret creation','secrets:post','+8DwcomarG/17Gf9aBv/1CzciCxEv58ViSwnhU9lihY=',16,'2a8b05e8f523f75a785d1ebea58793e8a5fde60ca342a9eb8553a43189f9ea61','6fdc888a9a6f7755a921bb4ba8c9654f7c7c83963bb64f169855914eb23b0284');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(19,'f9c89485-a18d-4721-a58a-f47363470200','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.109000','create','success',NULL,'data/security/secret','034afea4-caf5-4c89-b0a8-fffa119ecb00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-2d4ee8bc-7689-4557-aea9-3c8233bbd06a','Secret creation','secrets:post','MPCR0vy+z5ie+BaoTZE3+9uiaZ/9bzymB2b1rhFDqPo=',17,'6fdc888a9a6f7755a921bb4ba8c9654f7c7c83963bb64f169855914eb23b0284','ab768db3778f1d8e9780707d328dc8e32841eb628efab9b754086e8563fcb99e');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(20,'f2c015b0-ac6a-4ce0-a84a-1db1009ce500','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.158000','create','success',NULL,'data/security/order','0d0f4fa9-816b-4a4f-972f-2721dbffb800','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-3082a4f3-46aa-4a9c-8f88-4006c7a7916b','Order creation','orders:post','mADcPDTWEnnQ9YyVPp8tQXHlRkeju5w0WW2OyOSkndE=',18,'ab768db3778f1d8e9780707d328dc8e32841eb628efab9b754086e8563fcb99e','0704e0a84fa49b35ecca4c1f8b95879ecee424213a5d535154437f601c880549');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(21,'b2d95296-8982-44d9-a231-a7e728d9dc00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.158000','create','success',NULL,'data/security/secret','ac6131f4-c62c-4ab2-b8ac-cb5130f7c800','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-3082a4f3-46aa-4a9c-8f88-4006c7a7916b','Order creation','orders:post','f9yB1bX6e+ftUqKG5NdBG7yuCqP+DGDqcF5pvd6ruBw=',19,'0704e0a84fa49b35ecca4c1f8b95879ecee424213a5d535154437f601c880549','e5ef5cae482ab9a70c434addbba0affebca89719c97df702e81ab2c9db80edd9');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(22,'8c06410f-9f2c-44c6-80c2-b5de00cb8100','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.227000','create','success',NULL,'data/security/order','bfe7d7b4-ee10-464a-85ba-47cf4cc13100','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-ae45613b-c96e-408a-8ee1-54218c189637','Order creation','orders:post','jrkUyDjMbztPfH/03uYKOkWDdnH7ZOdvYri0zL5Wtn0=',20,'e5ef5cae482ab9a70c434addbba0affebca89719c97df702e81ab2c9db80edd9','3525b3d0762b903e9e491b68c7a30ba3c99180e56f12e3590e1051d52db76167');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(23,'4873b2ed-5d54-4423-8e12-e6491c2cd400','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.227000','update','success',NULL,'data/security/order','bfe7d7b4-ee10-464a-85ba-47cf4cc13100',NULL,NULL,'ebbd344605d944dcb1565ab6fdba3d00','req-ae45613b-c96e-408a-8ee1-54218c189637','Order run',NULL,NULL,21,'3525b3d0762b903e9e491b68c7a30ba3c99180e56f12e3590e1051d52db76167','e688c871d4ddba9f2dbca0cfa45647f785c5571760148eabf7329fdcfb2979c9');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(24,'4be2b637-df8b-417d-bed2-b6d38da74100','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.227000','create','success',NULL,'data/security/container','d82b6c2d-5d0e-4e88-8568-407cb4162500',NULL,NULL,'ebbd344605d944dcb1565ab6fdba3d00','req-ae45613b-c96e-408a-8ee1-54218c189637','Order run',NULL,'RSLQ0BOA76gMhxRA2Y3TrQZTGZvha9V9zAPtMjCbvqI=',22,'e688c871d4ddba9f2dbca0cfa45647f785c5571760148eabf7329fdcfb2979c9','6f3b42550046d94b10734e7564fb919d260f764e19d55fadde12a63ced40dde5');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(25,'8bd5a4ea-7555-47f2-bd69-8961d8ee4f00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.227000','create','success',NULL,'data/security/secret','a431c46a-0b04-4358-80e2-8dd120ae7000',NULL,NULL,'ebbd344605d944dcb1565ab6fdba3d00','req-ae45613b-c96e-408a-8ee1-54218c189637','Order run',NULL,'RA3xRZC+wGS6cHvWSLB/8aeqeA5vYZF7m0sFERGwqX0=',23,'6f3b42550046d94b10734e7564fb919d260f764e19d55fadde12a63ced40dde5','9964d74899ca5582f158e98845cca18456224d2061744a0de23cb2fb1a811812');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(26,'f6bd8dce-7091-4d33-ae19-d9ff3b64ab00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.227000','create','success',NULL,'data/security/secret','870b8e55-cca3-48e0-a947-3afaf6becc00',NULL,NULL,'ebbd344605d944dcb1565ab6fdba3d00','req-ae45613b-c96e-408a-8ee1-54218c189637','Order run',NULL,'JGkEjY2UoSOgGU5MrYQR0qageDpwFF63RI6pVhU+Yp8=',24,'9964d74899ca5582f158e98845cca18456224d2061744a0de23cb2fb1a811812','49042aed121b1351635c227a904ff6f32dac686696ed20af642a542c1a9afbb8');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(27,'8dfa32fd-8bed-474d-8483-d77cbc675000','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.309000','create','success',NULL,'data/security/container','01fb8fa4-6186-4933-8829-bae3824a0400','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-4ea989e1-c512-406b-b2fc-f5ddc0491d91','Container creation','containers:post','UUzpEn8+l7ixq3+kN5PFDLYXNc1cv1hL1GfXJj7xF5c=',25,'49042aed121b1351635c227a904ff6f32dac686696ed20af642a542c1a9afbb8','578265e7c25e94433dd2368ce59aaf12e14b08103c45f5baae092498bd7182cc');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(28,'04976b33-6b27-41d7-ad5b-f9fde061b900','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.355000','update','success',NULL,'data/security/secret/acl','034afea4-caf5-4c89-b0a8-fffa119ecb00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-2124b48c-0375-46fa-aeb2-21bf37149c69','SecretACL(s) Update','secret_acls:put_patch','ofAED+mQasnGzxc0AImhqe4LsSxAjQYVPmINMdGNgl0=',26,'578265e7c25e94433dd2368ce59aaf12e14b08103c45f5baae092498bd7182cc','df9fe7df90c6a7ffdab9a7c8af0132dd47192c9695ee2132a2afdb64ddd8420f');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(29,'a826b8ce-a686-4cfe-9536-43bee6152900','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.404000','create','success',NULL,'data/security/secret/consumer','034afea4-caf5-4c89-b0a8-fffa119ecb00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-33d79517-7d81-4ab3-b725-38dd1f4f6f6e','SecretConsumer creation','secret_consumers:post',NULL,27,'df9fe7df90c6a7ffdab9a7c8af0132dd47192c9695ee2132a2afdb64ddd8420f','36e01bb58340590f7960db527bab1baee1ed8dd673e1c8734baace02cfdbc464');
INSERT INTO "audit_events" ("seq","id","project_id","time","action","outcome","reason","target_type","target_id","initiator_id","initiator_project_id","on_behalf_of","request_id","operation","rule","target_mac","number","previous","hash") VALUES(30,'601b968b-7121-4577-982c-315a5d906b00','a00abe26f15c469db6a1114ae3feef00','2026-11-30T04:10:25.478000','update','success',NULL,'data/security/secret/metadata','034afea4-caf5-4c89-b0a8-fffa119ecb00','ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00',NULL,'req-e7434889-b4f8-4bbb-958b-776d5cdc79ef','Secret metadata creation','secret_meta:put',NULL,28,'36e01bb58340590f7960db527bab1baee1ed8dd673e1c8734baace02cfdbc464','fef19823ab05d78df0237ba4e3e0962e360d3089962e3784f21e209e5f8ebda8');
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
INSERT INTO "identity_projects" ("seq","id","name","folded","created","description","enabled","administrative","extra","mac") VALUES(1,'fa4dfb38ed6443f6b886039a03e8bf00','admin','admin','2026-11-30T04:10:21.059000','Its administrators administer the identity.',1,1,'{}','uBNd7Nc4Zu8Jr+1k2wq7LfZmaITc75pX5sjbYmHaVDw=');
INSERT INTO "identity_projects" ("seq","id","name","folded","created","description","enabled","administrative","extra","mac") VALUES(2,'a00abe26f15c469db6a1114ae3feef00','demo','demo','2026-11-30T04:10:22.251000','',1,0,'{}','SpbR/ivoAtEpUrHgWXtswpR32WIM0+IUC4RCHWx7p1c=');
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
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(1,'bac258b94541471aaf219e5457b4a300','admin','admin','2026-11-30T04:10:21.059000',NULL,1,'QVtpexPZzA9+aBMDJYx/QrHvzIucECK/UCJRs8Wn+mI=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(2,'628d590a790b495ebe861db3b7222f00','member','member','2026-11-30T04:10:21.059000',NULL,1,'/V2T2fvuEOcu9KJa48dAngbRE0jxOPB1kf4/mYJcFmU=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(3,'2fcf858216504952895ee62e414b4c00','reader','reader','2026-11-30T04:10:21.059000',NULL,1,'+5Zjnok2X74tx5EmiJ2OtlozjIjnVNqalZ/dp+9GadY=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(4,'76a22bd0b133413d93340c30e3035000','service','service','2026-11-30T04:10:21.059000',NULL,1,'DlBzOFPBoHZ4ndMJKDvK7WXkg7cAFc7OkofB5cUOl/M=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(5,'fedda500cd684753be2ae0bd04834b00','creator','creator','2026-11-30T04:10:21.059000',NULL,1,'WhAFbCYAfj0nerQjwl/hsIZBVqUsK1nNe/DJ42fSVfU=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(6,'2df176df759748069358f92830440d00','observer','observer','2026-11-30T04:10:21.059000',NULL,1,'NrR3NEppQI1o+x9ha9v36ukvcYeSLkIuFVA5zL/9LpA=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(7,'7dcea3d358f84a75866279590412e100','audit','audit','2026-11-30T04:10:21.059000',NULL,1,'2XOluaaVeJ4m5s5CR65uNWjtmXiWSAlpa5pjrDShraQ=');
INSERT INTO "identity_roles" ("seq","id","name","folded","created","description","immutable","mac") VALUES(8,'0b1e63390a11424b940229c36f60eb00','key-manager:service-admin','key-manager:service-admin','2026-11-30T04:10:21.059000',NULL,1,'Gqp0znUMProWyttUsyALAKpX8Gn6mgsjDPN76uU/XmY=');
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
INSERT INTO "identity_users" ("seq","id","name","folded","created","password_hash","token_epoch","enabled","default_project_id","extra","mac") VALUES(1,'78ddbd86bace4d7d873ad158be43b800','admin','admin','2026-11-30T04:10:21.059000','pbkdf2-sha256$6x100000$NDGMkEPiT4HvhvK3zuVznA==$PlzPwWsQtVZK9agMpiUMpVkf557s2HieKX1uyITpE70=',0,1,NULL,'{}','pcjRFGH0sS5vfSci0cor2VYMjOqoZLzts5J0pHS6KLs=');
INSERT INTO "identity_users" ("seq","id","name","folded","created","password_hash","token_epoch","enabled","default_project_id","extra","mac") VALUES(2,'ebbd344605d944dcb1565ab6fdba3d00','demo','demo','2026-11-30T04:10:22.327000','pbkdf2-sha256$6x100000$bvlE7FXOk/5wEFVdYjZlkA==$QWG5Z52Sfws9Ku/JRmNSH6mnzrfeW1hRrv8NmDnlByI=',0,1,'a00abe26f15c469db6a1114ae3feef00','{}','1kzmOY246oXR5c2EdoKLVo+rmzGDIzJUkYtLCquZC60=');
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
	`issuing_sealed` blob NOT NULL,
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
INSERT INTO "containers" ("seq","id","project_id","creator_id","name","type","created","updated","acl_project_access","acl_users","acl_created","acl_updated","mac") VALUES(1,'d82b6c2d-5d0e-4e88-8568-407cb4162500','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','pair','generic','2026-11-30T04:10:25.227000','2026-11-30T04:10:25.227000',NULL,NULL,NULL,NULL,'RSLQ0BOA76gMhxRA2Y3TrQZTGZvha9V9zAPtMjCbvqI=');
INSERT INTO "containers" ("seq","id","project_id","creator_id","name","type","created","updated","acl_project_access","acl_users","acl_created","acl_updated","mac") VALUES(2,'01fb8fa4-6186-4933-8829-bae3824a0400','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','bundle','generic','2026-11-30T04:10:25.309000','2026-11-30T04:10:25.309000',NULL,NULL,NULL,NULL,'UUzpEn8+l7ixq3+kN5PFDLYXNc1cv1hL1GfXJj7xF5c=');
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
	`sealed` blob,
	CONSTRAINT `orders_id` UNIQUE(`id`)
);
INSERT INTO "orders" ("seq","id","project_id","creator_id","type","meta","status","sub_status","sub_status_message","error_status_code","error_reason","secret_id","container_id","created","updated","content_type","attempts","due","store","key_version","mac","sealed") VALUES(1,'0d0f4fa9-816b-4a4f-972f-2721dbffb800','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','key','{"name":"ordered","algorithm":"aes","mode":"gcm","bit_length":256,"expiration":null}','ACTIVE','Unknown','Unknown',NULL,NULL,'ac6131f4-c62c-4ab2-b8ac-cb5130f7c800',NULL,'2026-11-30T04:10:25.158000','2026-11-30T04:10:25.158000',NULL,0,NULL,NULL,NULL,'mADcPDTWEnnQ9YyVPp8tQXHlRkeju5w0WW2OyOSkndE=',NULL);
INSERT INTO "orders" ("seq","id","project_id","creator_id","type","meta","status","sub_status","sub_status_message","error_status_code","error_reason","secret_id","container_id","created","updated","content_type","attempts","due","store","key_version","mac","sealed") VALUES(2,'bfe7d7b4-ee10-464a-85ba-47cf4cc13100','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','asymmetric','{"name":"pair","algorithm":"ec","bit_length":256,"expiration":null}','ACTIVE','Unknown','Unknown',NULL,NULL,NULL,'d82b6c2d-5d0e-4e88-8568-407cb4162500','2026-11-30T04:10:25.227000','2026-11-30T04:10:25.227000','application/octet-stream',1,NULL,NULL,NULL,'jrkUyDjMbztPfH/03uYKOkWDdnH7ZOdvYri0zL5Wtn0=',NULL);
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
INSERT INTO "project_counts" ("project_id","secrets","orders","containers","secret_consumers","container_consumers") VALUES('a00abe26f15c469db6a1114ae3feef00',15,2,2,1,0);
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
INSERT INTO "project_keys" ("project_id","store","version","master_key_id","wrapped","created","superseded") VALUES('row authentication','deployment',1,'first',X'01056669727374890481ec7cf403327d3d3a998f05ee964ba2bb9732be92a175fd30afb738aa8751ca859abb8e6118d13ff454361902ee1adcc286313c294fd72ecfac','2026-11-30T04:10:21.059000',NULL);
INSERT INTO "project_keys" ("project_id","store","version","master_key_id","wrapped","created","superseded") VALUES('a00abe26f15c469db6a1114ae3feef00','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'first',X'0105666972737493a35354649000219f54d5125b41a2443da18e3efde4163411630539141aafa687b7039e08cd9de273955b5e7a32efff012cddb6aa138d7b25d1b780','2026-11-30T04:10:24.531000',NULL);
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
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(1,'95128f23-d766-48de-ae6b-403cdd6b5b00','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 1','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.531000','2026-11-30T04:10:24.531000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'3iBz1nfBK7JjyU56N04C2iv1oq0QmwPqZ5ohKcHmrhg=',X'01000000018b3fc97a757f65c20400234b343286171671e211c57954e36b6e6dca67ff53a2fd22c2f4a0367c92a7a700f3b705222a20f47fd6866926');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(2,'823e157e-e0e7-454e-9f31-a70f8357ce00','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 2','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.641000','2026-11-30T04:10:24.641000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'pW//S4jIHGJjv5SiosoMMDf4OUDoMSxZ9JgKxz1enFo=',X'0100000001ae01dcd4cd3363b642825bd297e6937f52f52432cf6a49b1a870a7c6b81be6f7f5e555d626bfed9183ad0b056a8c1dd0a56e87f5243ec0');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(3,'a57742aa-ad88-406c-ad51-713cac275600','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 3','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.675000','2026-11-30T04:10:24.675000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'vVlJom3E40L7sJ+VDxAZUeb1PQUryNCO1UN1hmNUrbU=',X'01000000019d76b02dfd9ea1467f102b0836158a2bbe270e8ba8607c9eed1c401ae486e2ef17b8799e3b4b3f3ac9c3892c5365b4d228ca50d7cb5de4');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(4,'6d617f6f-e2a6-4e46-bc17-6abf1af56100','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 4','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.702000','2026-11-30T04:10:24.702000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'SVUP7hYtugmOYJRsAahssN3g9sJJ7RAU7aOrYXnziBg=',X'01000000018a9e2d1e2c7e96141c718e87b9036516c87477fee605a91a17514b5d44308a366355b4fbf26f155e0ee3a95b77b1a409fa9d25a6596a2b');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(5,'6afe6bb5-aca9-41c3-9bb4-f5c3c438b700','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 5','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.741000','2026-11-30T04:10:24.741000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'W5ItBsrU1bFnC4qqNXo0u2FbIMQhn8cWG+e71+uyNiE=',X'0100000001fb9555be16ac3772510d577ad616ae0d67994cc5c8415213038708d6ed75e174839ae3984ef09356309db8cf29dbf85ca1853372474ec4');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(6,'7547222a-e56d-4ff2-95ad-79a69aca1000','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 6','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.780000','2026-11-30T04:10:24.780000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'9XknzxhaCtLRe00SncJMGZ19hlDZWVMCtu1QG+HOqu0=',X'0100000001779fc725d101998878ee963a9e846cd51774d8ae3cf5fb399fb92da66e44852966a31320265821a17f74cbac55c65ae032da04ec43c7ab');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(7,'55e50181-d54a-4d77-9660-438ae486ae00','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 7','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.873000','2026-11-30T04:10:24.873000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'iWo74QlaVqRxMALBxq10zTUi7ngwMWIycF8Tmx304T4=',X'01000000018ce29c6cba6ed338115580a3509c8d4ff547f02a891ed8fef731684227f36a0c8b3a845e31fe5541257f3c1630cbb8b8fd5467ab063521');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(8,'9286671d-41ce-4058-ad56-2802bbd3ed00','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 8','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.923000','2026-11-30T04:10:24.923000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'M6gqv4aNvTws3XXVLCvfL0+v2v2ZLM+fS1hJwut218w=',X'010000000171777d778b15696f575b2148da0e9ae1c7a1048e1692798896fbaa44bab1bb25cb4fc31dcb1bc3eaa05586a4bfd463fa8d0b4019ae6675');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(9,'d998ec1c-7c2e-45a7-ae8c-60c99d442700','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 9','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:24.990000','2026-11-30T04:10:24.990000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'tzm5yxmmy50Zdn8J7TKhfRBBT61dNivmSO5QIY/tuJQ=',X'0100000001825061a103ae2df62338b775e21f106269771a45d95a4623f7a03af6eec42ee26c06fb297fb636c67b5bcf3c2f0d2fcf0b84b6d954dc68');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(10,'25deb88e-580b-4feb-a22b-f97dddb94100','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 10','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:25.023000','2026-11-30T04:10:25.023000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'ALVECvecXKxTcagsCdoGHiPdZH07ewzfXErdipOCjBU=',X'01000000012ef23c92ae8f332f7c02705d1ec26d4511953c6b60e127b6238ecc7b08892e958c3bb5015f6dc8d6c3c62cf9667dea0455b8267fc702a863');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(11,'e0f4c295-4762-4097-8636-6fc932b46400','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 11','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:25.074000','2026-11-30T04:10:25.074000',NULL,NULL,NULL,NULL,'text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'+8DwcomarG/17Gf9aBv/1CzciCxEv58ViSwnhU9lihY=',X'01000000012085d81c5096d1ee925bd1525ce08397ee592a6dba5b418ba55d57f0b474b05c1f14d3a54d8e41d635ea3ce539dc112ce437a876686ffd0e');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(12,'034afea4-caf5-4c89-b0a8-fffa119ecb00','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','kept 12','opaque',NULL,NULL,NULL,NULL,'2026-11-30T04:10:25.109000','2026-11-30T04:10:25.404000',0,'["somebody"]','2026-11-30T04:10:25.355000','2026-11-30T04:10:25.355000','text/plain','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'ofAED+mQasnGzxc0AImhqe4LsSxAjQYVPmINMdGNgl0=',X'0100000001dfbf5b9f84a17b75628180a49f42502b9724b5e0c9005c28e9a98a43242522d2d684781936ff06c19a33adca8d17e76d044b31466dbe1693');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(13,'ac6131f4-c62c-4ab2-b8ac-cb5130f7c800','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','ordered','symmetric','aes','gcm',256,NULL,'2026-11-30T04:10:25.158000','2026-11-30T04:10:25.158000',NULL,NULL,NULL,NULL,'application/octet-stream','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'f9yB1bX6e+ftUqKG5NdBG7yuCqP+DGDqcF5pvd6ruBw=',X'0100000001d68c7c09f2c74395dda7ec20b949d63e9bf3754161ad91de0fa884f0ed34a8d4798889abc8c2dbf7a6ec1b40ef8c27d5bc80c8061b87d8f6cdce9037');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(14,'a431c46a-0b04-4358-80e2-8dd120ae7000','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','pair','private','ec',NULL,256,NULL,'2026-11-30T04:10:25.227000','2026-11-30T04:10:25.227000',NULL,NULL,NULL,NULL,'application/octet-stream','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'RA3xRZC+wGS6cHvWSLB/8aeqeA5vYZF7m0sFERGwqX0=',X'0100000001040afde94b25f8e03cc961db735e3005ac04bb815de331cd48c14e033469a051b08977098bfbaea41795187411359cb45019464371c21087f28c47f149ecfb8b155237a75ad94b90b88640193b404deef9c26415b31604ce286a9d7132a308edef8e09843fba1a8ba256cda5dfcf66d4b9a38be34b2867b9c386539691057492e79f7e3d6ef27468bfa2d608509479fa34bfb6e562cbdc2ad5890380eb8aa03ba8845cb8b872b7641f5e168ed9c4ff7991505bdefdb68a79479eeace1bab1fd692044321b28b5acb4fa01455522458fa8a28bd4d204e7f1fff60d52dedb82d9297e77288dab96f773f42f8cf23dee25e34c541a1f14801d3ddb86dcc1f064edcb7b2885d8ed9e26e4644686c1d');
INSERT INTO "secrets" ("seq","id","project_id","creator_id","name","secret_type","algorithm","mode","bit_length","expiration","created","updated","acl_project_access","acl_users","acl_created","acl_updated","content_type","store","key_version","mac","sealed") VALUES(15,'870b8e55-cca3-48e0-a947-3afaf6becc00','a00abe26f15c469db6a1114ae3feef00','ebbd344605d944dcb1565ab6fdba3d00','pair','public','ec',NULL,256,NULL,'2026-11-30T04:10:25.227000','2026-11-30T04:10:25.227000',NULL,NULL,NULL,NULL,'application/octet-stream','7b1f2f0e-5f0c-4c3b-9a53-0a1d7d2c8a01',1,'JGkEjY2UoSOgGU5MrYQR0qageDpwFF63RI6pVhU+Yp8=',X'01000000012ed915873416fc2bcc743c7d841c5540fd8b62751e6a6f64ae4f44d8a0dae6bc9401d3b4c504171d7ea8b7c53f6118890f8b1918b2bc84347740004858152e59c4adfc02ae2feccbbd8cd69c41aba148d7ec392cd9f2045e09176303495b2e8410a1df396ceb3c902b9d007639f3408e1ccca1e150d0b4f80ea36a38a00d322e24a27c829ba7b80e751698cfa301b8a6817da14bd24fcc65140f03491467bc0af06ba4221731535bb41e24e332f5839a9244942b20be513b5420ceb5b687d19acb863558f31f7cf3ee136a69df61');
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
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(1,'78ddbd86bace4d7d873ad158be43b800','fa4dfb38ed6443f6b886039a03e8bf00','bac258b94541471aaf219e5457b4a300','/eplGbCvTyLEz95M35dmdKr2tkyN6t8uWKimc+Yl+zA=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(2,'ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00','bac258b94541471aaf219e5457b4a300','381EVWDy3526YnmMm9roolXoJhcLaaihGtGOPM9THcs=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(3,'ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00','fedda500cd684753be2ae0bd04834b00','Ab+kIL6eH3+y5XXAoVeTJ4fOna0iuHwbWzR1dcQ9D74=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(4,'ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00','628d590a790b495ebe861db3b7222f00','szUanvZrvjrHDBEMChEpK8gkCGpCQrYKbVQHgUAl7SU=');
INSERT INTO "role_assignments" ("seq","user_id","project_id","role_id","mac") VALUES(5,'ebbd344605d944dcb1565ab6fdba3d00','a00abe26f15c469db6a1114ae3feef00','7dcea3d358f84a75866279590412e100','oT44/0h7BmXhKD+kARtbs9AM52P1DgVabjW8Q5XVWgg=');
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
INSERT INTO "container_secrets" ("seq","container_id","secret_id","name","mac") VALUES(1,'d82b6c2d-5d0e-4e88-8568-407cb4162500','a431c46a-0b04-4358-80e2-8dd120ae7000','private_key','dm70VC58keRKgpg+Hp73MqvWmyGlZ9iffhMToBmquoY=');
INSERT INTO "container_secrets" ("seq","container_id","secret_id","name","mac") VALUES(2,'d82b6c2d-5d0e-4e88-8568-407cb4162500','870b8e55-cca3-48e0-a947-3afaf6becc00','public_key','I7esqXfbO5Dqr06xypKy1ltMgtj9TiilSDrKHBKsh0k=');
INSERT INTO "container_secrets" ("seq","container_id","secret_id","name","mac") VALUES(3,'01fb8fa4-6186-4933-8829-bae3824a0400','034afea4-caf5-4c89-b0a8-fffa119ecb00','a','bSV3DOuirGnIRDprfyET0RaUd/mKnVV/Gp9p/HdeKCs=');
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
INSERT INTO "secret_consumers" ("seq","id","secret_id","project_id","service","resource_type","resource_id","created","updated") VALUES(1,'03332d10-909e-42ab-ba4d-24ed2dcb5100','034afea4-caf5-4c89-b0a8-fffa119ecb00','a00abe26f15c469db6a1114ae3feef00','image','image','registered','2026-11-30T04:10:25.404000','2026-11-30T04:10:25.404000');
CREATE TABLE `secret_metadata` (
	`secret_id` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`secret_id`, `key`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
INSERT INTO "secret_metadata" ("secret_id","key","value") VALUES('034afea4-caf5-4c89-b0a8-fffa119ecb00','since','the first schema');
CREATE TABLE `secret_readers` (
	`user_id` text NOT NULL,
	`secret_id` text NOT NULL,
	PRIMARY KEY(`user_id`, `secret_id`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
INSERT INTO "secret_readers" ("user_id","secret_id") VALUES('somebody','034afea4-caf5-4c89-b0a8-fffa119ecb00');
DELETE FROM sqlite_sequence;
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('d1_migrations',1);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('identity_users',2);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('audit_events',30);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('identity_roles',8);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('identity_projects',2);
INSERT INTO "sqlite_sequence" ("name","seq") VALUES('role_assignments',5);
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
  WHERE project_id = 'certificate authority' AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
CREATE TRIGGER certificate_authorities_resealed BEFORE UPDATE OF issuing_sealed ON certificate_authorities
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = 'certificate authority' AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
CREATE TABLE IF NOT EXISTS `deployments` (
	`place` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`objects` text,
	`requires` text,
	`mac` text
);
--> statement-breakpoint
INSERT OR IGNORE INTO `deployments` (`place`, `id`) VALUES ('this', lower(hex(randomblob(16))));

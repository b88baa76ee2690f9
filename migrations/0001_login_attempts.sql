CREATE TABLE IF NOT EXISTS `login_attempts` (
	`subject` text PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`allowance` integer NOT NULL,
	`refused_until` integer NOT NULL,
	`told` integer NOT NULL,
	`expires` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `login_attempts_expires` ON `login_attempts` (`expires`);
--> statement-breakpoint
ALTER TABLE `audit_events` ADD `initiator_address` text;

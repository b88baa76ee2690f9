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
--> statement-breakpoint
CREATE INDEX `audit_events_unsealed` ON `audit_events` (`project_id`) WHERE number is null;--> statement-breakpoint
CREATE UNIQUE INDEX `audit_events_number` ON `audit_events` (`project_id`,`number`) WHERE number is not null;
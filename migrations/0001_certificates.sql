CREATE TABLE `certificate_authorities` (
	`id` text PRIMARY KEY NOT NULL,
	`generation` integer NOT NULL,
	`root` blob NOT NULL,
	`issuing` blob NOT NULL,
	`expiration` text NOT NULL,
	`created` text NOT NULL,
	`store` text NOT NULL,
	`key_version` integer NOT NULL,
	`root_sealed` blob NOT NULL,
	`issuing_sealed` blob NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `certificate_authorities_generation` ON `certificate_authorities` (`generation`);--> statement-breakpoint
CREATE TABLE `issued_certificates` (
	`serial` text PRIMARY KEY NOT NULL,
	`authority_id` text NOT NULL,
	`project_id` text NOT NULL,
	`container_id` text NOT NULL,
	`expiration` text NOT NULL,
	`created` text NOT NULL,
	`revoked` text
);
--> statement-breakpoint
CREATE INDEX `issued_certificates_container` ON `issued_certificates` (`container_id`);--> statement-breakpoint
CREATE INDEX `issued_certificates_revoked` ON `issued_certificates` (`authority_id`,`expiration`) WHERE revoked is not null;
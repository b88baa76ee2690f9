CREATE TABLE IF NOT EXISTS `secret_versions` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`secret_id` text NOT NULL,
	`project_id` text NOT NULL,
	`version` integer NOT NULL,
	`enabled` integer NOT NULL,
	`created` text NOT NULL,
	`creator_id` text,
	`origin` text NOT NULL,
	`content_type` text,
	`destroyed` text,
	`store` text NOT NULL,
	`key_version` integer,
	`mac` text NOT NULL,
	`sealed` blob,
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT `secret_versions_id` UNIQUE(`id`),
	CONSTRAINT `secret_versions_number` UNIQUE(`secret_id`,`version`)
);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secret_versions_project` ON `secret_versions` (`project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secret_versions_key` ON `secret_versions` (`project_id`,`store`,`key_version`) WHERE key_version is not null;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `version` integer;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `version_created` text;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `version_creator` text;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `version_origin` text;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `put` text;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `keep` integer;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `rotate_days` integer;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `rotate_consumed` integer;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `rotation_due` text;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secrets_rotation` ON `secrets` (`rotation_due`) WHERE rotation_due is not null;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secret_versions_inserted BEFORE INSERT ON secret_versions
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL) AND NOT EXISTS (SELECT 1 FROM secrets
  WHERE id = NEW.secret_id AND store = NEW.store AND key_version = NEW.key_version AND sealed = NEW.sealed)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secret_versions_resealed BEFORE UPDATE OF sealed ON secret_versions
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;

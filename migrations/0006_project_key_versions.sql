CREATE TABLE `project_destructions` (
	`project_id` text PRIMARY KEY NOT NULL,
	`due` text NOT NULL,
	`finished` text
);
--> statement-breakpoint
CREATE INDEX `project_destructions_due` ON `project_destructions` (`due`) WHERE finished is null;--> statement-breakpoint
ALTER TABLE `project_keys` ADD `superseded` text;--> statement-breakpoint
CREATE UNIQUE INDEX `project_keys_sealing` ON `project_keys` (`project_id`,`store`) WHERE superseded is null;--> statement-breakpoint
CREATE INDEX `project_keys_age` ON `project_keys` (`created`) WHERE superseded is null;--> statement-breakpoint
CREATE INDEX `project_keys_superseded` ON `project_keys` (`superseded`) WHERE superseded is not null;--> statement-breakpoint
CREATE INDEX `orders_key` ON `orders` (`project_id`,`store`,`key_version`) WHERE key_version is not null;--> statement-breakpoint
CREATE INDEX `secrets_key` ON `secrets` (`project_id`,`store`,`key_version`) WHERE key_version is not null;--> statement-breakpoint
CREATE TRIGGER `secrets_inserted` BEFORE INSERT ON `secrets`
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `project_keys` WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER `secrets_resealed` BEFORE UPDATE OF `sealed` ON `secrets`
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `project_keys` WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER `orders_inserted` BEFORE INSERT ON `orders`
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `project_keys` WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER `orders_resealed` BEFORE UPDATE OF `sealed` ON `orders`
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `project_keys` WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER `certificate_authorities_inserted` BEFORE INSERT ON `certificate_authorities`
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `project_keys` WHERE project_id = 'certificate authority' AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER `certificate_authorities_resealed` BEFORE UPDATE OF `issuing_sealed` ON `certificate_authorities`
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `project_keys` WHERE project_id = 'certificate authority' AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;

ALTER TABLE `certificate_authorities` ADD `project_id` text DEFAULT 'certificate authority' NOT NULL;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `certificate_authorities_project` ON `certificate_authorities` (`project_id`,`generation`);
--> statement-breakpoint
ALTER TABLE `orders` ADD `requester_id` text;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `issued_certificates_project` ON `issued_certificates` (`project_id`,`authority_id`,`created`);
--> statement-breakpoint
DROP TRIGGER IF EXISTS certificate_authorities_inserted;
--> statement-breakpoint
DROP TRIGGER IF EXISTS certificate_authorities_resealed;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS certificate_authorities_inserted BEFORE INSERT ON certificate_authorities
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS certificate_authorities_resealed BEFORE UPDATE OF issuing_sealed ON certificate_authorities
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;

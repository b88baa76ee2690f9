CREATE TABLE `attestations` (
	`mac` text PRIMARY KEY NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `application_credentials` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `identity_projects` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `identity_roles` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `identity_users` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `role_assignments` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `certificate_authorities` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `container_secrets` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `containers` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `issued_certificates` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `orders` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `preferred_stores` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `project_quotas` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE `secrets` ADD `mac` text NOT NULL DEFAULT '';--> statement-breakpoint
CREATE TRIGGER `application_credentials_changed` AFTER UPDATE OF `mac` ON `application_credentials` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `application_credentials_deleted` AFTER DELETE ON `application_credentials`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `identity_projects_changed` AFTER UPDATE OF `mac` ON `identity_projects` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `identity_projects_deleted` AFTER DELETE ON `identity_projects`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `identity_roles_changed` AFTER UPDATE OF `mac` ON `identity_roles` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `identity_roles_deleted` AFTER DELETE ON `identity_roles`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `identity_users_changed` AFTER UPDATE OF `mac` ON `identity_users` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `identity_users_deleted` AFTER DELETE ON `identity_users`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `role_assignments_changed` AFTER UPDATE OF `mac` ON `role_assignments` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `role_assignments_deleted` AFTER DELETE ON `role_assignments`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `certificate_authorities_changed` AFTER UPDATE OF `mac` ON `certificate_authorities` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `certificate_authorities_deleted` AFTER DELETE ON `certificate_authorities`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `container_secrets_changed` AFTER UPDATE OF `mac` ON `container_secrets` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `container_secrets_deleted` AFTER DELETE ON `container_secrets`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `containers_changed` AFTER UPDATE OF `mac` ON `containers` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `containers_deleted` AFTER DELETE ON `containers`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `issued_certificates_changed` AFTER UPDATE OF `mac` ON `issued_certificates` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `issued_certificates_deleted` AFTER DELETE ON `issued_certificates`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `orders_changed` AFTER UPDATE OF `mac` ON `orders` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `orders_deleted` AFTER DELETE ON `orders`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `preferred_stores_changed` AFTER UPDATE OF `mac` ON `preferred_stores` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `preferred_stores_deleted` AFTER DELETE ON `preferred_stores`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `project_quotas_changed` AFTER UPDATE OF `mac` ON `project_quotas` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `project_quotas_deleted` AFTER DELETE ON `project_quotas`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `secrets_changed` AFTER UPDATE OF `mac` ON `secrets` WHEN OLD.mac <> NEW.mac
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;--> statement-breakpoint
CREATE TRIGGER `secrets_deleted` AFTER DELETE ON `secrets`
BEGIN DELETE FROM attestations WHERE mac = OLD.mac; END;

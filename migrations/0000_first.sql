CREATE TABLE IF NOT EXISTS `audit_events` (
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
CREATE TABLE IF NOT EXISTS `identity_projects` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `identity_roles` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `identity_users` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `revoked_tokens` (
	`audit_id` text PRIMARY KEY NOT NULL,
	`expires` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `certificate_authorities` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `containers` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `issued_certificates` (
	`serial` text PRIMARY KEY NOT NULL,
	`authority_id` text NOT NULL,
	`project_id` text NOT NULL,
	`container_id` text NOT NULL,
	`expiration` text NOT NULL,
	`created` text NOT NULL,
	`revoked` text,
	`mac` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `orders` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `preferred_stores` (
	`project_id` text PRIMARY KEY NOT NULL,
	`store` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `project_counts` (
	`project_id` text PRIMARY KEY NOT NULL,
	`secrets` integer DEFAULT 0 NOT NULL,
	`orders` integer DEFAULT 0 NOT NULL,
	`containers` integer DEFAULT 0 NOT NULL,
	`secret_consumers` integer DEFAULT 0 NOT NULL,
	`container_consumers` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `project_destructions` (
	`project_id` text PRIMARY KEY NOT NULL,
	`due` text NOT NULL,
	`finished` text
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `project_keys` (
	`project_id` text NOT NULL,
	`store` text NOT NULL,
	`version` integer NOT NULL,
	`master_key_id` text NOT NULL,
	`wrapped` blob NOT NULL,
	`created` text NOT NULL,
	`superseded` text,
	PRIMARY KEY(`project_id`, `store`, `version`)
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `project_quotas` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`project_id` text NOT NULL,
	`secrets` integer,
	`orders` integer,
	`containers` integer,
	`consumers` integer,
	`cas` integer,
	CONSTRAINT `project_quotas_project` UNIQUE(`project_id`)
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `secrets` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `application_credentials` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `role_assignments` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `container_consumers` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `container_secrets` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`container_id` text NOT NULL,
	`secret_id` text NOT NULL,
	`name` text,
	`mac` text NOT NULL,
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `secret_consumers` (
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
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `secret_metadata` (
	`secret_id` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`secret_id`, `key`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE IF NOT EXISTS `secret_readers` (
	`user_id` text NOT NULL,
	`secret_id` text NOT NULL,
	PRIMARY KEY(`user_id`, `secret_id`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `audit_events_unsealed` ON `audit_events` (`project_id`) WHERE number is null;
--> statement-breakpoint
CREATE UNIQUE INDEX IF NOT EXISTS `audit_events_number` ON `audit_events` (`project_id`,`number`) WHERE number is not null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `application_credentials_project` ON `application_credentials` (`project_id`);
--> statement-breakpoint
CREATE UNIQUE INDEX IF NOT EXISTS `identity_projects_administrative` ON `identity_projects` (`administrative`) WHERE administrative = 1;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `identity_users_default_project` ON `identity_users` (`default_project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `revoked_tokens_expires` ON `revoked_tokens` (`expires`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `role_assignments_project` ON `role_assignments` (`project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `role_assignments_role` ON `role_assignments` (`role_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `container_consumers_project` ON `container_consumers` (`project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `container_secrets_container` ON `container_secrets` (`container_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `container_secrets_secret` ON `container_secrets` (`secret_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `containers_project` ON `containers` (`project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `issued_certificates_container` ON `issued_certificates` (`container_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `issued_certificates_revoked` ON `issued_certificates` (`authority_id`,`expiration`) WHERE revoked is not null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `orders_project` ON `orders` (`project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `orders_key` ON `orders` (`project_id`,`store`,`key_version`) WHERE key_version is not null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `orders_due` ON `orders` (`project_id`,`due`) WHERE due is not null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `project_destructions_due` ON `project_destructions` (`due`) WHERE finished is null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `project_keys_master` ON `project_keys` (`master_key_id`);
--> statement-breakpoint
CREATE UNIQUE INDEX IF NOT EXISTS `project_keys_sealing` ON `project_keys` (`project_id`,`store`) WHERE superseded is null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `project_keys_age` ON `project_keys` (`created`) WHERE superseded is null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `project_keys_superseded` ON `project_keys` (`superseded`) WHERE superseded is not null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secret_consumers_project` ON `secret_consumers` (`project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secret_readers_secret` ON `secret_readers` (`secret_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secrets_project` ON `secrets` (`project_id`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secrets_name` ON `secrets` (`project_id`,`name`);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secrets_key` ON `secrets` (`project_id`,`store`,`key_version`) WHERE key_version is not null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secrets_expiration` ON `secrets` (`expiration`) WHERE expiration is not null;
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS `secrets_expired` ON `secrets` (`project_id`,`expiration`) WHERE expiration is not null;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secrets_counted AFTER INSERT ON secrets BEGIN
  INSERT INTO project_counts (project_id, secrets) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secrets = secrets + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secrets_uncounted AFTER DELETE ON secrets BEGIN
  UPDATE project_counts SET secrets = secrets - 1 WHERE project_id = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secrets_recounted AFTER UPDATE OF project_id ON secrets BEGIN
  UPDATE project_counts SET secrets = secrets - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, secrets) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secrets = secrets + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS orders_counted AFTER INSERT ON orders BEGIN
  INSERT INTO project_counts (project_id, orders) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET orders = orders + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS orders_uncounted AFTER DELETE ON orders BEGIN
  UPDATE project_counts SET orders = orders - 1 WHERE project_id = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS orders_recounted AFTER UPDATE OF project_id ON orders BEGIN
  UPDATE project_counts SET orders = orders - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, orders) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET orders = orders + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS containers_counted AFTER INSERT ON containers BEGIN
  INSERT INTO project_counts (project_id, containers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET containers = containers + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS containers_uncounted AFTER DELETE ON containers BEGIN
  UPDATE project_counts SET containers = containers - 1 WHERE project_id = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS containers_recounted AFTER UPDATE OF project_id ON containers BEGIN
  UPDATE project_counts SET containers = containers - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, containers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET containers = containers + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secret_consumers_counted AFTER INSERT ON secret_consumers BEGIN
  INSERT INTO project_counts (project_id, secret_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secret_consumers = secret_consumers + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secret_consumers_uncounted AFTER DELETE ON secret_consumers BEGIN
  UPDATE project_counts SET secret_consumers = secret_consumers - 1 WHERE project_id = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secret_consumers_recounted AFTER UPDATE OF project_id ON secret_consumers BEGIN
  UPDATE project_counts SET secret_consumers = secret_consumers - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, secret_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET secret_consumers = secret_consumers + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS container_consumers_counted AFTER INSERT ON container_consumers BEGIN
  INSERT INTO project_counts (project_id, container_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET container_consumers = container_consumers + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS container_consumers_uncounted AFTER DELETE ON container_consumers BEGIN
  UPDATE project_counts SET container_consumers = container_consumers - 1 WHERE project_id = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS container_consumers_recounted AFTER UPDATE OF project_id ON container_consumers BEGIN
  UPDATE project_counts SET container_consumers = container_consumers - 1 WHERE project_id = OLD.project_id;
  INSERT INTO project_counts (project_id, container_consumers) VALUES (NEW.project_id, 1)
    ON CONFLICT (project_id) DO UPDATE SET container_consumers = container_consumers + 1;
END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secrets_inserted BEFORE INSERT ON secrets
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS secrets_resealed BEFORE UPDATE OF sealed ON secrets
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS orders_inserted BEFORE INSERT ON orders
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS orders_resealed BEFORE UPDATE OF sealed ON orders
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = NEW.project_id AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS certificate_authorities_inserted BEFORE INSERT ON certificate_authorities
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = 'certificate authority' AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;
--> statement-breakpoint
CREATE TRIGGER IF NOT EXISTS certificate_authorities_resealed BEFORE UPDATE OF issuing_sealed ON certificate_authorities
WHEN NEW.key_version IS NOT NULL AND NOT EXISTS (SELECT 1 FROM project_keys
  WHERE project_id = 'certificate authority' AND store = NEW.store AND version = NEW.key_version AND superseded IS NULL)
BEGIN SELECT RAISE(ABORT, 'superseded project key'); END;

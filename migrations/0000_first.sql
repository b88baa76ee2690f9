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
	FOREIGN KEY (`user_id`) REFERENCES `identity_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`project_id`) REFERENCES `identity_projects`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `application_credentials_id` ON `application_credentials` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `application_credentials_name` ON `application_credentials` (`user_id`,`name`);--> statement-breakpoint
CREATE INDEX `application_credentials_project` ON `application_credentials` (`project_id`);--> statement-breakpoint
CREATE TABLE `identity_projects` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`folded` text NOT NULL,
	`created` text NOT NULL,
	`description` text NOT NULL,
	`enabled` integer NOT NULL,
	`administrative` integer DEFAULT false NOT NULL,
	`extra` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `identity_projects_id` ON `identity_projects` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `identity_projects_folded` ON `identity_projects` (`folded`);--> statement-breakpoint
CREATE UNIQUE INDEX `identity_projects_administrative` ON `identity_projects` (`administrative`) WHERE administrative = 1;--> statement-breakpoint
CREATE TABLE `identity_roles` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`folded` text NOT NULL,
	`created` text NOT NULL,
	`description` text,
	`immutable` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `identity_roles_id` ON `identity_roles` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `identity_roles_folded` ON `identity_roles` (`folded`);--> statement-breakpoint
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
	`extra` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `identity_users_id` ON `identity_users` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `identity_users_folded` ON `identity_users` (`folded`);--> statement-breakpoint
CREATE INDEX `identity_users_default_project` ON `identity_users` (`default_project_id`);--> statement-breakpoint
CREATE TABLE `revoked_tokens` (
	`audit_id` text PRIMARY KEY NOT NULL,
	`expires` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `revoked_tokens_expires` ON `revoked_tokens` (`expires`);--> statement-breakpoint
CREATE TABLE `role_assignments` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`user_id` text NOT NULL,
	`project_id` text NOT NULL,
	`role_id` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `identity_users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`project_id`) REFERENCES `identity_projects`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`role_id`) REFERENCES `identity_roles`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `role_assignments_identity` ON `role_assignments` (`user_id`,`project_id`,`role_id`);--> statement-breakpoint
CREATE INDEX `role_assignments_project` ON `role_assignments` (`project_id`);--> statement-breakpoint
CREATE INDEX `role_assignments_role` ON `role_assignments` (`role_id`);--> statement-breakpoint
CREATE TABLE `container_consumers` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`container_id` text NOT NULL,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`url` text NOT NULL,
	`created` text NOT NULL,
	`updated` text NOT NULL,
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `container_consumers_id` ON `container_consumers` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `container_consumers_identity` ON `container_consumers` (`container_id`,`name`,`url`);--> statement-breakpoint
CREATE INDEX `container_consumers_project` ON `container_consumers` (`project_id`);--> statement-breakpoint
CREATE TABLE `container_secrets` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`container_id` text NOT NULL,
	`secret_id` text NOT NULL,
	`name` text,
	FOREIGN KEY (`container_id`) REFERENCES `containers`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `container_secrets_container` ON `container_secrets` (`container_id`);--> statement-breakpoint
CREATE INDEX `container_secrets_secret` ON `container_secrets` (`secret_id`);--> statement-breakpoint
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
	`acl_updated` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `containers_id` ON `containers` (`id`);--> statement-breakpoint
CREATE INDEX `containers_project` ON `containers` (`project_id`);--> statement-breakpoint
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
	`sealed` blob
);
--> statement-breakpoint
CREATE UNIQUE INDEX `orders_id` ON `orders` (`id`);--> statement-breakpoint
CREATE INDEX `orders_project` ON `orders` (`project_id`);--> statement-breakpoint
CREATE INDEX `orders_due` ON `orders` (`project_id`,`due`) WHERE due is not null;--> statement-breakpoint
CREATE TABLE `preferred_stores` (
	`project_id` text PRIMARY KEY NOT NULL,
	`store` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `project_keys` (
	`project_id` text NOT NULL,
	`store` text NOT NULL,
	`version` integer NOT NULL,
	`master_key_id` text NOT NULL,
	`wrapped` blob NOT NULL,
	`created` text NOT NULL,
	PRIMARY KEY(`project_id`, `store`, `version`)
);
--> statement-breakpoint
CREATE TABLE `project_quotas` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`project_id` text NOT NULL,
	`secrets` integer,
	`orders` integer,
	`containers` integer,
	`consumers` integer,
	`cas` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `project_quotas_project` ON `project_quotas` (`project_id`);--> statement-breakpoint
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
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `secret_consumers_id` ON `secret_consumers` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `secret_consumers_identity` ON `secret_consumers` (`secret_id`,`service`,`resource_type`,`resource_id`);--> statement-breakpoint
CREATE INDEX `secret_consumers_project` ON `secret_consumers` (`project_id`);--> statement-breakpoint
CREATE TABLE `secret_metadata` (
	`secret_id` text NOT NULL,
	`key` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`secret_id`, `key`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `secret_readers` (
	`user_id` text NOT NULL,
	`secret_id` text NOT NULL,
	PRIMARY KEY(`user_id`, `secret_id`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `secret_readers_secret` ON `secret_readers` (`secret_id`);--> statement-breakpoint
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
	`sealed` blob
);
--> statement-breakpoint
CREATE UNIQUE INDEX `secrets_id` ON `secrets` (`id`);--> statement-breakpoint
CREATE INDEX `secrets_project` ON `secrets` (`project_id`);--> statement-breakpoint
CREATE INDEX `secrets_name` ON `secrets` (`project_id`,`name`);--> statement-breakpoint
CREATE INDEX `secrets_expiration` ON `secrets` (`expiration`) WHERE expiration is not null;
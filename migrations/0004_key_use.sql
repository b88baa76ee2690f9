ALTER TABLE `secrets` ADD `extractable` integer;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `usages` text;
--> statement-breakpoint
ALTER TABLE `secrets` ADD `use_grants` text;

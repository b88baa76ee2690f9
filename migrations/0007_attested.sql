-- WITHOUT ROWID, so that a code is stored once and not in an index besides.
CREATE TABLE `codes` AS SELECT `mac` FROM `attestations`;
--> statement-breakpoint
DROP TABLE `attestations`;
--> statement-breakpoint
CREATE TABLE `attestations` (
	`mac` text PRIMARY KEY NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `attestations` SELECT `mac` FROM `codes` ORDER BY `mac`;
--> statement-breakpoint
DROP TABLE `codes`;
--> statement-breakpoint
CREATE TRIGGER `audit_events_attested` AFTER INSERT ON `audit_events` WHEN NEW.target_mac IS NOT NULL BEGIN
	INSERT INTO `attestations` (`mac`) VALUES (NEW.target_mac) ON CONFLICT (`mac`) DO NOTHING;
END;

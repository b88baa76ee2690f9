CREATE TABLE IF NOT EXISTS `heartbeats` (
	`place` text PRIMARY KEY NOT NULL,
	`at` text NOT NULL,
	`mac` text NOT NULL
);

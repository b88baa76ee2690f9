ALTER TABLE `audit_events` ADD `initiator_application` text;

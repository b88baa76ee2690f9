CREATE TABLE `project_counts` (
	`project_id` text PRIMARY KEY NOT NULL,
	`secrets` integer DEFAULT 0 NOT NULL,
	`orders` integer DEFAULT 0 NOT NULL,
	`containers` integer DEFAULT 0 NOT NULL,
	`secret_consumers` integer DEFAULT 0 NOT NULL,
	`container_consumers` integer DEFAULT 0 NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `secrets_expired` ON `secrets` (`project_id`,`expiration`) WHERE expiration is not null;
--> statement-breakpoint
INSERT INTO `project_counts` (`project_id`, `secrets`, `orders`, `containers`, `secret_consumers`, `container_consumers`)
SELECT project_id,
	sum(kind = 'secrets'),
	sum(kind = 'orders'),
	sum(kind = 'containers'),
	sum(kind = 'secret_consumers'),
	sum(kind = 'container_consumers')
FROM (
	SELECT project_id, 'secrets' AS kind FROM `secrets`
	UNION ALL SELECT project_id, 'orders' AS kind FROM `orders`
	UNION ALL SELECT project_id, 'containers' AS kind FROM `containers`
	UNION ALL SELECT project_id, 'secret_consumers' AS kind FROM `secret_consumers`
	UNION ALL SELECT project_id, 'container_consumers' AS kind FROM `container_consumers`
)
GROUP BY project_id;
--> statement-breakpoint
CREATE TRIGGER `secrets_counted` AFTER INSERT ON `secrets` BEGIN
	INSERT INTO `project_counts` (`project_id`, `secrets`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `secrets` = `secrets` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `secrets_uncounted` AFTER DELETE ON `secrets` BEGIN
	UPDATE `project_counts` SET `secrets` = `secrets` - 1 WHERE `project_id` = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER `secrets_recounted` AFTER UPDATE OF `project_id` ON `secrets` BEGIN
	UPDATE `project_counts` SET `secrets` = `secrets` - 1 WHERE `project_id` = OLD.project_id;
	INSERT INTO `project_counts` (`project_id`, `secrets`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `secrets` = `secrets` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `orders_counted` AFTER INSERT ON `orders` BEGIN
	INSERT INTO `project_counts` (`project_id`, `orders`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `orders` = `orders` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `orders_uncounted` AFTER DELETE ON `orders` BEGIN
	UPDATE `project_counts` SET `orders` = `orders` - 1 WHERE `project_id` = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER `orders_recounted` AFTER UPDATE OF `project_id` ON `orders` BEGIN
	UPDATE `project_counts` SET `orders` = `orders` - 1 WHERE `project_id` = OLD.project_id;
	INSERT INTO `project_counts` (`project_id`, `orders`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `orders` = `orders` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `containers_counted` AFTER INSERT ON `containers` BEGIN
	INSERT INTO `project_counts` (`project_id`, `containers`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `containers` = `containers` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `containers_uncounted` AFTER DELETE ON `containers` BEGIN
	UPDATE `project_counts` SET `containers` = `containers` - 1 WHERE `project_id` = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER `containers_recounted` AFTER UPDATE OF `project_id` ON `containers` BEGIN
	UPDATE `project_counts` SET `containers` = `containers` - 1 WHERE `project_id` = OLD.project_id;
	INSERT INTO `project_counts` (`project_id`, `containers`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `containers` = `containers` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `secret_consumers_counted` AFTER INSERT ON `secret_consumers` BEGIN
	INSERT INTO `project_counts` (`project_id`, `secret_consumers`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `secret_consumers` = `secret_consumers` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `secret_consumers_uncounted` AFTER DELETE ON `secret_consumers` BEGIN
	UPDATE `project_counts` SET `secret_consumers` = `secret_consumers` - 1 WHERE `project_id` = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER `secret_consumers_recounted` AFTER UPDATE OF `project_id` ON `secret_consumers` BEGIN
	UPDATE `project_counts` SET `secret_consumers` = `secret_consumers` - 1 WHERE `project_id` = OLD.project_id;
	INSERT INTO `project_counts` (`project_id`, `secret_consumers`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `secret_consumers` = `secret_consumers` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `container_consumers_counted` AFTER INSERT ON `container_consumers` BEGIN
	INSERT INTO `project_counts` (`project_id`, `container_consumers`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `container_consumers` = `container_consumers` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `container_consumers_uncounted` AFTER DELETE ON `container_consumers` BEGIN
	UPDATE `project_counts` SET `container_consumers` = `container_consumers` - 1 WHERE `project_id` = OLD.project_id;
END;
--> statement-breakpoint
CREATE TRIGGER `container_consumers_recounted` AFTER UPDATE OF `project_id` ON `container_consumers` BEGIN
	UPDATE `project_counts` SET `container_consumers` = `container_consumers` - 1 WHERE `project_id` = OLD.project_id;
	INSERT INTO `project_counts` (`project_id`, `container_consumers`) VALUES (NEW.project_id, 1)
	ON CONFLICT (`project_id`) DO UPDATE SET `container_consumers` = `container_consumers` + 1;
END;

ALTER TABLE `orders` ADD `requester_id` text;

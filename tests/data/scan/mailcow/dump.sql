INSERT INTO `relayhosts` (`hostname`,`username`,`password`,`active`) VALUES ('active.old.example:587','u','s3cret','1'),('unused.old.example','u','s3cret','0');
INSERT INTO `transports` (`destination`,`nexthop`,`active`) VALUES ('a.example','active2.old.example','1');
-- INSERT INTO relayhosts VALUES ('commented.old.example');

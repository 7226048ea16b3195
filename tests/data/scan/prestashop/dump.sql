INSERT INTO `ps_configuration` VALUES (1,NULL,NULL,'PS_MAIL_SERVER','active.old.example'),(2,NULL,NULL,'PS_SHOP_DOMAIN','lead.old.example');

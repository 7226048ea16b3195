INSERT INTO phpbb_config (config_name, config_value) VALUES ('smtp_host', 'tls://active.old.example');
INSERT INTO phpbb_config (config_name, config_value) VALUES ('server_name', 'lead.old.example');

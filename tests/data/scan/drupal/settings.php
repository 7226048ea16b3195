<?php
# $config['smtp.settings']['smtp_host'] = 'commented.old.example';
$config['smtp.settings']['smtp_host'] = 'active.old.example';
$config['smtp.settings']['smtp_hostbackup'] = 'active2.old.example';

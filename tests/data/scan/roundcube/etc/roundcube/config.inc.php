<?php
// $config['smtp_host'] = 'commented.old.example';
$config['smtp_host'] = 'tls://active.old.example:587';
$config['imap_host'] = 'lead.old.example:143';

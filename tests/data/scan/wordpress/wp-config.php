<?php
/* define('WPMS_SMTP_HOST', 'commented.old.example'); */
define( 'WPMS_ON', true );
define( 'WPMS_SMTP_HOST', 'active.old.example' );
define( 'WPMS_SMTP_PASS', 's3cret' );
define( 'DB_HOST', 'lead.old.example' );

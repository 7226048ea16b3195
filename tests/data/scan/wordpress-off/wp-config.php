<?php
define( 'WPMS_SMTP_HOST', 'unused.old.example' );

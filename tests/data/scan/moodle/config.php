<?php
// $CFG->smtphosts = 'commented.old.example';
$CFG->smtphosts = 'active.old.example:25';
$CFG->smtppass = 's3cret';
$CFG->wwwroot = 'https://lead.old.example';

<?php
$CONFIG = array (
  'mail_smtpmode' => 'sendmail',
  'mail_smtphost' => 'unused.old.example',
);

<?php
$CONFIG = array (
  // 'mail_smtphost' => 'commented.old.example',
  'mail_smtpmode' => 'smtp',
  'mail_smtphost' => 'active.old.example',
  'mail_smtppassword' => 's3cret',
  'overwritehost' => 'lead.old.example',
);

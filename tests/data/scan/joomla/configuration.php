<?php
class JConfig {
 public $mailer = 'smtp';
 public $smtphost = 'active.old.example';
 public $smtppass = 's3cret';
 public $live_site = 'https://lead.old.example';
}

<?php
class JConfig {
 public $mailer = 'mail';
 public $smtphost = 'unused.old.example';
}

<?php
#$wgSMTP = [ 'host' => 'commented.old.example' ];
$wgSMTP = [
 'host' => 'ssl://active.old.example',
 'IDHost' => 'lead.old.example',
 'password' => 's3cret' ];

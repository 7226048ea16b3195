<?php return array (
 'mail' => array ( 'mailers' => array ( 'smtp' => array ( 'host' => 'active.old.example', 'password' => 's3cret' ) ) ) );

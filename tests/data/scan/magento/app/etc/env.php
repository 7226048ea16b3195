<?php
return [ 'system' => [ 'default' => [ 'system' => [ 'smtp' => [ 'host' => 'active.old.example', 'port' => '25' ] ] ] ],
 # 'host' => 'commented.old.example'
 'db' => [ 'host' => 'lead.old.example' ] ];

INSERT INTO media_type (mediatypeid, type, name, smtp_server, status) VALUES (1,0,'Email','active.old.example',0),(2,0,'Old','unused.old.example',1);

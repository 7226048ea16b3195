user_pref("mail.identity.id1.smtpServer", "smtp1");
user_pref("mail.smtpserver.smtp1.hostname", "active.old.example");
user_pref("mail.smtpserver.smtp2.hostname", "unused.old.example");
user_pref("mail.server.server1.hostname", "lead.old.example");
// user_pref("mail.smtpserver.smtp1.hostname", "commented.old.example");

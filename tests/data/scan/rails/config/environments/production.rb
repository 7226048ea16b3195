config.action_mailer.delivery_method = :smtp
# address: 'commented.old.example'
config.action_mailer.smtp_settings = {
  address: 'active.old.example', port: 587, password: 's3cret',
  domain: 'lead.old.example'
}

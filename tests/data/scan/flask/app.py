# x = 'commented.old.example'
app.config['MAIL_SERVER'] = 'active.old.example'
app.config['MAIL_PASSWORD'] = 's3cret'
""" lead.old.example """

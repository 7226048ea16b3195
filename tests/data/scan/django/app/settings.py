# EMAIL_HOST = 'commented.old.example'
EMAIL_HOST = 'shadowed.old.example'
EMAIL_HOST = 'active.old.example'
EMAIL_HOST_PASSWORD = 's3cret'
ALLOWED_HOSTS = ['lead.old.example']

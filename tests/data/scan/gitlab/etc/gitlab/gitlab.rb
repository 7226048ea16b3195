gitlab_rails['smtp_enable'] = true
# gitlab_rails['smtp_address'] = "commented.old.example"
gitlab_rails['smtp_address'] = "active.old.example"
gitlab_rails['smtp_password'] = "s3cret"
external_url 'https://lead.old.example'

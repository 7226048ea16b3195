ActionMailer::Base.smtp_settings = {
  address: "active.old.example",
  password: "s3cret",
}

// host: "commented.old.example"
const t = nodemailer.createTransport({
  host: "active.old.example", auth: { user: "u", pass: "s3cret" } });
const u = nodemailer.createTransport("smtps://u:s3cret@active2.old.example");
fetch("https://lead.old.example/api");

//! Which program wrote a header, as far as it shows: what it is worth depends on that.

use super::{Kind, Received};

/// What programs write into a comment behind `by`, `with` or `id`, and how they are called.
const NAMED: &[(&str, &str)] = &[
    ("postfix", "Postfix"),
    ("exim", "Exim"),
    ("opensmtpd", "OpenSMTPD"),
    ("haraka", "Haraka"),
    ("stalwart", "Stalwart"),
    ("kumomta", "KumoMTA"),
    ("ecelerity", "Ecelerity"),
    ("momentum", "Momentum"),
    ("powermta", "PowerMTA"),
    ("cyrus", "Cyrus"),
    ("dovecot", "Dovecot"),
    ("fetchmail", "fetchmail"),
    ("getmail", "getmail"),
    ("squirrelmail", "SquirrelMail"),
    ("amavis", "amavis"),
    ("chasquid", "chasquid"),
    ("maddy", "maddy"),
    ("zimbra", "Zimbra"),
    ("mdaemon", "MDaemon"),
    ("qmail", "qmail"),
    ("pps", "Proofpoint"),
    ("sun java", "Sun Java System"),
    ("oracle communications", "Oracle"),
    ("mailenable", "MailEnable"),
    ("lotus domino", "Domino"),
    ("ibm domino", "Domino"),
];

/// Names of hosts that belong to one service.
const HOSTS: &[(&str, &str)] = &[
    (".google.com", "Google"),
    (".gmailapi.google.com", "Google"),
    (".googlemail.com", "Google"),
    (".mimecast.com", "Mimecast"),
    (".mimecast.co.za", "Mimecast"),
    (".pphosted.com", "Proofpoint"),
    (".ppops.net", "Proofpoint"),
    (".amazonses.com", "Amazon SES"),
    (".messagelabs.com", "MessageLabs"),
    (".outlook.com", "Exchange"),
    (".mail.protection.outlook.com", "Exchange"),
];

/// Notes the program in a comment; the first one that says it counts.
pub(super) fn learn(comment: &str, header: &mut Received) {
    if header.writer.is_some() {
        return;
    }
    header.writer = sendmail(comment).or_else(|| named(comment));
}

fn named(comment: &str) -> Option<String> {
    let lower = comment.to_ascii_lowercase();
    let word = lower.split([' ', ',', '/', '-', '(', ';']).next().unwrap_or_default();
    NAMED
        .iter()
        .find(|(key, _)| word == *key || (key.contains(' ') && lower.starts_with(key)))
        .map(|(_, name)| (*name).to_owned())
}

/// `8.15.2/8.15.2`, `8.18.1/8.18.1/Debian-7`, `8.13.8/8.13.8/Submit`.
fn sendmail(comment: &str) -> Option<String> {
    let mut parts = comment.split('/');
    let version = |part: &str| part.starts_with("8.") && part.bytes().filter(|byte| *byte == b'.').count() >= 2;
    (version(parts.next()?) && parts.next()?.starts_with("8.")).then(|| "Sendmail".to_owned())
}

/// What shows in the clauses themselves, once all of them were read.
pub(super) fn conclude(header: &mut Received, text: &str) {
    let with = header.with.clone().unwrap_or_default().to_ascii_uppercase();
    let lower = text.to_ascii_lowercase();
    let by = format!(".{}", header.by.as_deref().unwrap_or_default().to_ascii_lowercase());
    let of_host = HOSTS.iter().find(|(end, _)| by.ends_with(end)).map(|(_, name)| *name);
    let shown = if with.starts_with("MICROSOFT SMTPSVC") {
        Some("IIS")
    } else if with.starts_with("MICROSOFT SMTP SERVER") || with == "MAPI" || lower.contains(" via frontend transport") {
        Some("Exchange")
    } else if lower.starts_with("(qmail ") || (lower.contains("(helo ") && lower.contains("(envelope-sender ")) {
        Some("qmail")
    } else if with.starts_with("LMTP") && lower.contains("(envelope-from ") {
        Some("Dovecot")
    } else {
        of_host
    };
    if header.writer.is_none() {
        header.writer = shown.map(str::to_owned);
    }
    // Exim leaves out a HELO that is the name which it looked up.
    let named = header.from.as_deref().is_some_and(|from| from.contains('.') && !from.starts_with('['));
    if header.writer.as_deref() == Some("Exim") && header.rdns.is_none() && header.from_ip.is_some() && named {
        header.rdns = (!lower.contains("helo=")).then(|| header.from.clone()).flatten();
    }
    if header.id.as_deref().is_some_and(is_version) {
        header.id = None;
    }
    header.kind = kind(header, &with, &lower);
}

/// Exchange writes its version where others write an id: `id 15.20.7135.19`.
fn is_version(id: &str) -> bool {
    id.contains('.')
        && id.bytes().filter(|byte| *byte == b'.').count() >= 2
        && id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn kind(header: &Received, with: &str, lower: &str) -> Kind {
    let fetched = ["fetchmail", "getmail"].iter().any(|it| lower.contains(it));
    let invoked = lower.starts_with("(qmail ") && lower.contains(" invoked ");
    let inside = ["LMTP", "LMTPA", "LMTPS", "LMTPSA"].contains(&with)
        || lower.starts_with("from pps.filterd")
        || fetched
        || invoked
        || header.from_ip.is_some_and(|address| address.is_loopback());
    let handed_in = ["LOCAL", "MAPI", "HTTP", "HTTPS", "HTTPREST", "ASMTP-LOCAL"].contains(&with)
        || lower.contains("from userid ")
        || lower.starts_with("(from ")
        || lower.contains("mail pickup service")
        || lower.contains("(nullmailer ")
        || lower.contains("(submission ");
    match (&header.by, header.from.is_some() || header.from_ip.is_some()) {
        _ if inside => Kind::Internal,
        _ if handed_in => Kind::Submission,
        (None, _) => Kind::Unknown,
        (Some(_), _) => Kind::Hop,
    }
}

//! Ways in: logins that somebody knows, placeholders that mean something, secrets that stay secret.

use super::{Files, names};
use crate::inventory::TlsMode;
use crate::scenario::ways::{LAB_PLACEHOLDER, PLACEHOLDERS, Submission, Value, placeholders};
use crate::scenario::{Lab, LabHostKind, LabTls, Scenario, SenderKind};
use crate::source::read::choice;
use crate::source::{Diagnostic, Spanned, closest};

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    for sender in scenario.senders.values() {
        let mut said = vec![];
        if let Some(stated) = sender.kind.server() {
            said.extend([login(scenario, stated), clear(scenario, stated), handshake(scenario, stated)]);
        }
        let texts: Vec<&Spanned<String>> = match &sender.kind {
            SenderKind::Sendmail(stated) => stated.args.iter().collect(),
            SenderKind::Command(stated) => {
                let values =
                    stated.env.values().filter_map(|it| if let Value::Text(text) = it { Some(text) } else { None });
                stated.run.iter().chain(values).collect()
            }
            _ => vec![],
        };
        said.extend(texts.into_iter().map(|text| placeholder(scenario, text)));
        said.into_iter().flatten().for_each(|said| files.say(said));
    }
}

/// Without a secret, the lab must have drawn one for this user.
fn login(scenario: &Scenario, stated: &Submission) -> Option<Diagnostic> {
    let login = stated.login.as_ref().filter(|it| it.secret.is_none())?;
    let (user, host) = (&login.user, &stated.address.host);
    let title = format!("`{}` has no password at {host}", user.value);
    let error = Diagnostic::error(user.span, title);
    let of_lab = scenario.lab.as_ref().and_then(|lab| lab.hosts.get(host)).map(|it| &it.kind);
    match of_lab {
        Some(LabHostKind::Submission(lab)) => match lab.users.get(&user.value) {
            Some(None) => None,
            Some(Some(_)) => Some(error.help("add the `password` that the lab's host is told")),
            None => {
                let known: Vec<&str> = lab.users.keys().map(String::as_str).collect();
                Some(names::unknown(user, &format!("a user of {host}"), "users", &known))
            }
        },
        _ => Some(error.help("add `password: { env: NAME }`; only a lab's own hosts know their users without")),
    }
}

/// A secret in clear text stays on this machine.
fn clear(scenario: &Scenario, stated: &Submission) -> Option<Diagnostic> {
    let address = &stated.address;
    let ours = |lab: &Lab| lab.hosts.get(&address.host).is_some_and(|it| !matches!(it.kind, LabHostKind::Real(_)));
    let near = address.is_loopback() || scenario.lab.as_ref().is_some_and(ours);
    (stated.tls == TlsMode::Plain && stated.login.is_some() && !near).then(|| {
        let title = format!("the password would go to `{}` in clear text", address.value);
        Diagnostic::error(address.span, title)
            .note("`plain` is for servers on loopback")
            .help("write `tls: starttls` (port 587) or `tls: implicit` (port 465)")
    })
}

/// A lab host must speak TLS as the sender expects it.
fn handshake(scenario: &Scenario, stated: &Submission) -> Option<Diagnostic> {
    let host = scenario.lab.as_ref()?.hosts.get(&stated.address.host)?;
    let (is, wanted) = match (host.tls, stated.tls) {
        _ if matches!(host.kind, LabHostKind::Real(_)) => return None,
        (LabTls::Implicit, TlsMode::Implicit) | (LabTls::Offered, TlsMode::Starttls | TlsMode::Plain) => return None,
        (LabTls::Absent, TlsMode::Plain) => return None,
        (LabTls::Implicit, _) => ("begins TLS with the first byte", "`tls: implicit`"),
        (LabTls::Offered, _) => ("waits for STARTTLS", "`tls: starttls`"),
        (LabTls::Absent, _) => ("knows no TLS", "`tls: plain`"),
    };
    let title = format!("{} {is}, and the sender speaks `{}`", stated.address.host, stated.tls);
    let said = Diagnostic::error(stated.address.span, title).context(host.name.span, "the host");
    Some(said.help(format!("write {wanted}, or change `tls` of the host")))
}

/// The first placeholder that means nothing.
fn placeholder(scenario: &Scenario, text: &Spanned<String>) -> Option<Diagnostic> {
    let lab: Vec<&str> = scenario.lab.iter().flat_map(|lab| lab.hosts.keys().map(String::as_str)).collect();
    placeholders(text).into_iter().find_map(|name| {
        if let Some(host) = name.strip_prefix(LAB_PLACEHOLDER) {
            let host = Spanned::new(host.to_owned(), text.span);
            return (!lab.contains(&host.as_str()))
                .then(|| names::unknown(&host, "a host of the lab", "hosts of the lab", &lab));
        }
        (!PLACEHOLDERS.contains(&name.as_str())).then(|| {
            let said = Diagnostic::error(text.span, format!("`{{{name}}}` is not a placeholder"));
            let said = match closest(&name, PLACEHOLDERS.iter().copied()) {
                Some(near) => said.label(format!("did you mean `{{{near}}}`?")),
                None => said,
            };
            said.note(choice("placeholders", PLACEHOLDERS))
        })
    })
}

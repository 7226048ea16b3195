//! What hosts said over SMTP: the MX hosts, and the old ones that no MX names any more.

use serde_json::{Value, json};

use super::{Case, Sheet, sts};
use crate::audit::facts::{AddressFacts, Asked, HostFacts, Secured, Visit};
use crate::audit::kind::Kind;
use crate::inventory::{DomainPhase, Side, Trait};
use crate::mail::{Reply, Severity};
use crate::record::FindingSeverity::{Error, Info, Warning};
use crate::record::{Finding, Sight};

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    for host in case.facts.hosts.values() {
        for (one, visit) in visits(host) {
            session(host, one, visit, sheet);
            if visit.banner.is_ok() {
                security(host, visit, sheet);
                asked(case, host, visit, sheet);
            }
        }
    }
    for host in &case.facts.old_hosts {
        visits(host).for_each(|(_, visit)| old_host(case, host, visit, sheet));
    }
}

fn visits(host: &HostFacts) -> impl Iterator<Item = (&AddressFacts, &Visit)> {
    host.addresses.iter().filter_map(|one| Some((one, one.visit.as_ref()?)))
}

/// A line of a session, as evidence.
fn said(visit: &Visit, what: &str, reply: &str) -> Value {
    let reply = reply.replace('\n', " / ");
    json!({ "socket": visit.socket, "command": what, "reply": reply, "text": format!("{} {what}: {reply}", visit.socket) })
}

fn session(host: &HostFacts, one: &AddressFacts, visit: &Visit, sheet: &mut Sheet) {
    let what = format!("SMTP at {} {}", host.name, visit.socket);
    match &visit.banner {
        Err(why) => {
            // A port that is closed for this machine only looks the same: it is no finding.
            sheet.note(what, Sight::Unable, Some(format!("{why} ({})", one.address)));
        }
        Ok(banner) if !banner.is_positive() => {
            let title = format!("the MX host `{}` turns senders away at `{}`", host.name, one.address);
            let severity = if banner.severity() == Severity::Transient { Warning } else { Error };
            let finding = sheet.finding(Kind::HostTurnsAway, severity, title);
            sheet.add(finding.shown_by(said(visit, "greeting", &banner.to_string())));
            sheet.note(what, Sight::Seen, None);
        }
        Ok(_) => sheet.note(what, Sight::Seen, None),
    }
}

fn security(host: &HostFacts, visit: &Visit, sheet: &mut Sheet) {
    let at = format!("`{}` at {}", host.name, visit.socket);
    match &visit.secured {
        Secured::Unasked => {}
        Secured::Absent => {
            let finding =
                sheet.finding(Kind::HostWithoutStarttls, Warning, format!("the MX host {at} does not offer STARTTLS"));
            let hello = visit.hello.as_ref().map(ToString::to_string).unwrap_or_default();
            sheet.add(finding.shown_by(said(visit, "EHLO", &hello)));
        }
        Secured::Failed(why) => {
            let finding = sheet.finding(Kind::HostStarttlsFails, Error, format!("STARTTLS fails at the MX host {at}"));
            sheet.add(finding.shown_by(said(visit, "STARTTLS", why)));
        }
        secured if sts::is_trusted(secured) => {}
        Secured::Done(seen) => {
            let title =
                format!("the certificate of the MX host {at} is not valid for it: {}", seen.verdicts.join(", "));
            let finding = sheet.finding(Kind::HostCertificate, Warning, title);
            let leaf = seen.certificates.first();
            sheet.add(finding.shown_by(json!({
                "socket": visit.socket, "verdicts": seen.verdicts,
                "names": leaf.map(|it| it.names.clone()), "not_after": leaf.map(|it| it.not_after.clone()),
                "sha256": leaf.map(|it| it.sha256.clone()),
                "text": format!("{} certificate for {}, until {}", visit.socket,
                    leaf.map(|it| it.names.join(" ")).unwrap_or_default(),
                    leaf.map(|it| it.not_after.as_str()).unwrap_or_default()),
            })));
        }
    }
}

fn of<'a>(case: &Case<'_>, visit: &'a Visit) -> Option<&'a Asked> {
    visit.asked.iter().find(|asked| asked.domain == case.facts.name)
}

fn asked(case: &Case<'_>, host: &HostFacts, visit: &Visit, sheet: &mut Sheet) {
    let Some(asked) = of(case, visit) else { return };
    let what = format!("RCPT at {} {}", host.name, visit.socket);
    match &asked.recipient.1 {
        Ok(reply) if reply.severity() == Severity::Permanent && !is_about_us(reply) => {
            let title = format!("the MX host `{}` does not take mail for the domain at {}", host.name, visit.socket);
            let finding = sheet.finding(Kind::HostRefusesDomain, Error, title);
            sheet.add(finding.shown_by(rcpt(visit, &asked.recipient)));
            sheet.note(what, Sight::Seen, None);
        }
        Ok(reply) if reply.is_positive() => {
            control(host, visit, asked, sheet);
            sheet.note(what, Sight::Seen, None);
        }
        Ok(reply) => sheet.note(what, Sight::Unable, Some(format!("it answered {}", one_line(reply)))),
        Err(why) => sheet.note(what, Sight::Unable, Some(why.clone())),
    }
}

/// A recipient that cannot exist is accepted: that says nothing of the domain, and makes backscatter.
fn control(host: &HostFacts, visit: &Visit, asked: &Asked, sheet: &mut Sheet) {
    if asked.nobody.1.as_ref().is_ok_and(Reply::is_positive) {
        let title = format!("`{}` accepts a recipient that cannot exist", host.name);
        let finding = sheet.finding(Kind::HostAcceptsAnyone, Warning, title);
        sheet.add(finding.shown_by(rcpt(visit, &asked.nobody)));
    }
}

fn old_host(case: &Case<'_>, host: &HostFacts, visit: &Visit, sheet: &mut Sheet) {
    let what = format!("RCPT at the old host {} {}", host.name, visit.socket);
    let Some(asked) = of(case, visit) else {
        let why = visit.banner.as_ref().err().cloned().unwrap_or_else(|| "the session ended before RCPT".to_owned());
        return sheet.note(what, Sight::Unable, Some(why));
    };
    let claim = case.inventory.claim(Trait::Name(&host.name)).filter(|claim| claim.side() == Side::Legacy);
    let platform = claim.map(|claim| claim.platform.name.value.as_str());
    match &asked.recipient.1 {
        Ok(reply) if reply.is_positive() => {
            sheet.note(what, Sight::Seen, None);
            if case.design.phase == DomainPhase::Planned {
                return;
            }
            let everybody = asked.nobody.1.as_ref().is_ok_and(Reply::is_positive);
            let how = if everybody { ", and any other recipient there, too" } else { "" };
            let title = format!("the old host `{}` still accepts mail for the domain{how}", host.name);
            let severity = if case.design.phase == DomainPhase::Moved { Error } else { Info };
            let finding: Finding = sheet.finding(Kind::OldHostAccepts, severity, title).platform(platform);
            let finding = finding.shown_by(rcpt(visit, &asked.recipient)).shown_by(rcpt(visit, &asked.nobody));
            let fix = format!("take `{}` out of the local and relay domains of `{}`", case.facts.name, host.name);
            sheet.add(finding.fix(fix));
        }
        Ok(reply) if reply.severity() == Severity::Permanent && !is_about_us(reply) => {
            sheet.note(what, Sight::Seen, None)
        }
        Ok(reply) => sheet.note(what, Sight::Unable, Some(format!("it answered {}", one_line(reply)))),
        Err(why) => sheet.note(what, Sight::Unable, Some(why.clone())),
    }
}

/// Whether a refusal speaks of the client that asks, not of the recipient: a blocklist or a policy (RFC 3463
/// X.7.Z) says nothing of what other senders are told.
fn is_about_us(reply: &Reply) -> bool {
    let words = reply.to_string().to_ascii_lowercase();
    let relay = ["relay", "not local", "unknown", "no such"].iter().any(|word| words.contains(word));
    !relay && reply.status().is_some_and(|status| status.to_string().contains(".7."))
}

fn rcpt(visit: &Visit, (recipient, answer): &(String, Result<Reply, String>)) -> Value {
    let text = match answer {
        Ok(reply) => reply.to_string(),
        Err(why) => why.clone(),
    };
    said(visit, &format!("RCPT TO:<{recipient}>"), &text)
}

fn one_line(reply: &Reply) -> String {
    reply.to_string().replace('\n', " / ")
}

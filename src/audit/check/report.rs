//! Where reports about the domain are sent: DMARC (RFC 7489 6.2) and TLSRPT (RFC 8460 3).

use super::{Case, Sheet};
use crate::audit::facts::Trail;
use crate::audit::kind::Kind;
use crate::inventory::{Side, Trait};
use crate::record::FindingSeverity::{Error, Warning};

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    if let Some(trail) = &case.facts.dmarc {
        at_legacy(case, trail, ("v=dmarc1", "DMARC"), Kind::DmarcReportsToLegacy, sheet);
    }
    tlsrpt(case, sheet);
}

/// Reports of TLS belong to the part on MTA-STS as well.
pub(super) fn tlsrpt(case: &Case<'_>, sheet: &mut Sheet) {
    if let Some(trail) = &case.facts.tlsrpt {
        at_legacy(case, trail, ("v=tlsrptv1", "TLS"), Kind::TlsrptReportsToLegacy, sheet);
    }
}

fn at_legacy(case: &Case<'_>, trail: &Trail, (version, what): (&str, &str), kind: Kind, sheet: &mut Sheet) {
    for (text, rr) in trail.end.texts().filter(|(text, _)| text.to_ascii_lowercase().starts_with(version)) {
        for (address, host) in receivers(text) {
            let claim = case.inventory.claim(Trait::Name(&host)).filter(|claim| claim.side() == Side::Legacy);
            let Some(claim) = claim else { continue };
            let platform = claim.platform.name.value.as_str();
            let title = format!("{what} reports go to `{address}`, which is on `{platform}`");
            let base = if kind == Kind::TlsrptReportsToLegacy { Error } else { Warning };
            let finding = sheet.finding(kind, case.still_legacy(base), title).platform(Some(platform));
            let place = rr.told.line.map(|line| format!(" in line {line} of {}", rr.told.by)).unwrap_or_default();
            let fix = format!("replace `{address}` in `{}`{place} by a mailbox of the new platform", rr.owner);
            sheet.add(finding.shown_by(rr.evidence()).fix(fix));
        }
    }
}

/// The addresses of `rua` and `ruf`, each with its host.
fn receivers(text: &str) -> Vec<(String, String)> {
    let tags = text.split(';').filter_map(|tag| tag.split_once('='));
    let wanted = tags.filter(|(name, _)| ["rua", "ruf"].iter().any(|it| name.trim().eq_ignore_ascii_case(it)));
    let mut all = vec![];
    for uri in wanted.flat_map(|(_, value)| value.split(',')) {
        // DMARC allows a limit of size behind the address: `!10m`.
        let uri = uri.trim().split('!').next().unwrap_or_default();
        let Some((scheme, rest)) = uri.split_once(':') else { continue };
        let host = match scheme.to_ascii_lowercase().as_str() {
            "mailto" => rest.rsplit('@').next().unwrap_or_default(),
            "https" | "http" => rest.trim_start_matches('/').split(['/', ':', '?']).next().unwrap_or_default(),
            _ => continue,
        };
        all.push((uri.to_owned(), host.trim_end_matches('.').to_ascii_lowercase()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_are_mailboxes_and_web_addresses() {
        let found =
            receivers("v=DMARC1; p=none; rua=mailto:a@old.example!10m, mailto:b@new.example; ruf=https://x.test/y");
        let hosts: Vec<&str> = found.iter().map(|(_, host)| host.as_str()).collect();
        assert_eq!(hosts, ["old.example", "new.example", "x.test"]);
    }
}

//! Domains that moved together should look alike: the odd one out was probably forgotten.

use std::collections::BTreeMap;

use super::{Case, Sheet};
use crate::audit::facts::{Answer, Data, Rr};
use crate::audit::kind::Kind;
use crate::record::Finding;
use crate::record::FindingSeverity::Warning;
use crate::source::plural;

/// The fewest domains in which one can be odd.
const FEWEST: usize = 3;

/// Compares the domains of each cohort; a finding for each that is unlike most of them.
pub fn cohorts(cases: &[Case<'_>]) -> Vec<Finding> {
    let mut by_name: BTreeMap<String, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        let Some(domain) = case.design.domain else { continue };
        // Without a name of its own, a cohort is what moved at the same moment to the same platform.
        let moved = domain.changed.map(|at| format!("moved to `{}` at {at}", domain.at.value));
        if let Some(name) = domain.cohort.as_ref().map(|name| format!("cohort `{name}`")).or(moved) {
            by_name.entry(name).or_default().push(case);
        }
    }
    let several = by_name.iter().filter(|(_, cases)| cases.len() >= FEWEST);
    several.flat_map(|(name, cases)| TRAITS.iter().flat_map(|trait_| odd(name, cases, trait_))).collect()
}

/// Something in which the domains of a cohort are alike, in words that do not hold the domain's name.
struct Look {
    what: &'static str,
    of: fn(&Case<'_>) -> Option<String>,
}

const TRAITS: &[Look] = &[
    Look { what: "MX set", of: |case| spelled(case, &case.mx()?.answer) },
    Look { what: "SPF record", of: |case| text(case, &case.facts.spf.as_ref()?.trail.end, "v=spf1") },
    Look { what: "MTA-STS record's alias", of: |case| alias(case, &case.facts.sts_record.as_ref()?.aliases) },
    Look { what: "policy host's alias", of: |case| alias(case, &case.facts.sts_host.as_ref()?.aliases) },
    Look { what: "TLSRPT record", of: |case| text(case, &case.facts.tlsrpt.as_ref()?.end, "v=tlsrptv1") },
    Look { what: "DMARC record", of: |case| text(case, &case.facts.dmarc.as_ref()?.end, "v=dmarc1") },
];

fn odd(cohort: &str, cases: &[&Case<'_>], look: &Look) -> Vec<Finding> {
    let looks: Vec<(&&Case<'_>, String)> = cases.iter().filter_map(|case| Some((case, (look.of)(case)?))).collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, seen) in &looks {
        *count.entry(seen).or_default() += 1;
    }
    let Some((usual, most)) = count.iter().max_by_key(|(_, count)| **count) else { return vec![] };
    // Odd is what few are: where no look is that of most domains, there is nothing to compare with.
    if looks.len() < FEWEST || most * 3 < looks.len() * 2 || *most == looks.len() {
        return vec![];
    }
    let unlike = looks.iter().filter(|(_, seen)| seen != usual);
    unlike
        .map(|(case, seen)| {
            let like = cases.len() - 1;
            let title = format!(
                "its {} is unlike that of {most} of the {} in {cohort}",
                look.what,
                plural(like, "other domain")
            );
            let sheet = Sheet::new(&case.facts.name);
            let finding = sheet.finding(Kind::CohortDiffers, Warning, title);
            let finding = finding.shown_by(serde_json::json!({ "look": look.what, "text": format!("here: {seen}") }));
            let example =
                looks.iter().find(|(_, other)| other == usual).map_or("", |(case, _)| case.facts.name.as_str());
            finding.shown_by(
                serde_json::json!({ "usual": usual, "text": format!("elsewhere, such as {example}: {usual}") }),
            )
        })
        .collect()
}

fn without_name(case: &Case<'_>, text: &str) -> String {
    text.replace(case.facts.name.as_str(), "{domain}")
}

fn spelled(case: &Case<'_>, answer: &Answer) -> Option<String> {
    match answer {
        Answer::Unable(_) | Answer::Left(_) => None,
        Answer::Found(records) => {
            let mut set: Vec<String> = records.iter().map(|rr| without_name(case, &rr.data.to_string())).collect();
            set.sort();
            Some(set.join(", "))
        }
        _ => Some("none".to_owned()),
    }
}

fn text(case: &Case<'_>, answer: &Answer, version: &str) -> Option<String> {
    match answer {
        Answer::Unable(_) | Answer::Left(_) => None,
        answer => {
            let found = answer.texts().find(|(text, _)| text.to_ascii_lowercase().starts_with(version));
            Some(found.map_or_else(|| "none".to_owned(), |(text, _)| without_name(case, text)))
        }
    }
}

fn alias(case: &Case<'_>, aliases: &[Rr]) -> Option<String> {
    match aliases.first().map(|rr| &rr.data) {
        Some(Data::Alias(target)) => Some(without_name(case, target)),
        _ => Some("none".to_owned()),
    }
}

//! The audit of many domains: asked side by side, judged one by one, compared as cohorts.

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;

use super::check::{Case, Design, Ground, cohorts, judge};
use super::facts::DomainFacts;
use super::gather::{Names, Parts, gather};
use crate::inventory::Inventory;
use crate::record::{Coverage, Finding};

/// What is audited, against what.
#[derive(Debug)]
pub struct Order<'a> {
    /// Who is who, and what was meant.
    pub inventory: &'a Inventory,
    /// The domains, in lower case without a final dot.
    pub domains: &'a [String],
    /// Which parts.
    pub parts: Parts,
    /// How many domains are asked about at the same time.
    pub jobs: usize,
}

/// Asks about every domain; the facts come in the order of the domains.
pub async fn look(names: &dyn Names, order: &Order<'_>) -> Vec<DomainFacts> {
    let one = |domain: &String| {
        let known = order.inventory.domains.get(domain);
        let selectors = known.map(|it| it.selectors.iter().map(|one| one.value.clone()).collect()).unwrap_or_default();
        let domain = domain.clone();
        async move {
            let selectors: Vec<String> = selectors;
            gather(names, &domain, &selectors, order.parts).await
        }
    };
    stream::iter(order.domains.iter().map(one)).buffered(order.jobs.max(1)).collect().await
}

/// What the facts mean, domain by domain.
pub fn weigh<'a>(
    facts: &'a [DomainFacts],
    order: &Order<'a>,
    ground: Ground,
    now: Timestamp,
) -> (Vec<Finding>, Vec<Coverage>) {
    let case = |facts: &'a DomainFacts| {
        let design = Design::of(order.inventory, &facts.name);
        Case { inventory: order.inventory, facts, design, parts: order.parts, ground, now }
    };
    let cases: Vec<Case<'_>> = facts.iter().map(case).collect();
    let mut odd = cohorts(&cases);
    let (mut findings, mut coverage) = (vec![], vec![]);
    for case in &cases {
        let (found, looked) = judge(case);
        findings.extend(found);
        findings.extend(odd.extract_if(.., |finding| finding.subject == case.facts.name));
        coverage.extend(looked);
    }
    (findings, coverage)
}

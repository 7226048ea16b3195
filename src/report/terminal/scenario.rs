//! One scenario: its verdict, which platforms were watched, its phases, and what failed.

use super::super::Detail;
use super::super::leg::whose;
use super::super::page::{Page, Piece, Tint, width};
use super::super::prose::{between, clock, seconds, tame};
use super::super::{failure, finding};
use super::{margin, phase};
use crate::record::{Control, Proof, Record, RunState, Standing, StandingProxy};
use crate::terms::Verdict;

pub(super) fn write(page: &mut Page, record: &Record, detail: Detail) {
    match detail {
        Detail::Brief => brief(page, record),
        Detail::Normal | Detail::Full => whole(page, record, detail),
    }
}

/// Its line and those of its phases; what failed only where that was not meant to.
fn brief(page: &mut Page, record: &Record) {
    let mut title = vec![Piece::new(tame(&record.scenario.name), Tint::Strong)];
    title.extend(in_short(record).map(Piece::from));
    title.push(Piece::new(format!(", {}", took(record)), Tint::Faint));
    page.entry(margin(record.run_verdict), &title);
    interrupted(page, record);
    for phase in &record.phases {
        phase::line(page, record, phase);
    }
    if record.run_verdict != Verdict::Pass {
        finding::write(page, record);
        finding::coverage(page, record);
        drawings(page, record);
        page.gap();
    }
}

fn whole(page: &mut Page, record: &Record, detail: Detail) {
    page.entry(margin(record.run_verdict), &[Piece::new(tame(&record.scenario.name), Tint::Strong)]);
    if let Some(said) = came_out(record) {
        page.under(0, &[Piece::from(said)]);
    }
    if !record.scenario.path.is_empty() {
        page.under(0, &[Piece::from(tame(&record.scenario.path))]);
    }
    page.under(0, &[Piece::new(origin(record), Tint::Faint)]);
    interrupted(page, record);
    controls(page, record);
    standing(page, record, detail);
    for phase in &record.phases {
        page.gap();
        phase::write(page, record, phase, detail);
    }
    finding::write(page, record);
    finding::coverage(page, record);
    drawings(page, record);
}

/// Which run it was.
fn origin(record: &Record) -> String {
    match record.examined() {
        true => format!("{}, {}", clock(record.started), took(record)),
        false => format!("run {}, seed {}, {}, {}", record.run, record.seed, clock(record.started), took(record)),
    }
}

pub(super) fn took(record: &Record) -> String {
    seconds(between(record.started, record.finished))
}

/// How the verdict of the run follows from what was proved, where the scenario speaks of that.
fn came_out(record: &Record) -> Option<String> {
    let expected = record.expected_verdict?;
    Some(match record.verdict == expected {
        true => format!("`{expected}` came out, as this scenario says it must"),
        false => format!("`{}` came out, but this scenario says that `{expected}` must", record.verdict),
    })
}

/// The same in few words.
pub(super) fn in_short(record: &Record) -> Option<String> {
    let expected = record.expected_verdict?;
    Some(match record.verdict == expected {
        true => format!(" (`{expected}`, as it must)"),
        false => format!(" (`{}`, where `{expected}` must come out)", record.verdict),
    })
}

fn interrupted(page: &mut Page, record: &Record) {
    if record.state == RunState::Interrupted {
        let text = format!("after {}; what had been seen by then is judged", took(record));
        page.entry(("interrupted", Tint::Inconclusive), &[Piece::from(text)]);
    }
}

/// Which platforms were proven watchable, and how.
fn controls(page: &mut Page, record: &Record) {
    let place = |control: &Control| whose(control.host.as_deref(), &control.platform);
    let widest = record.controls.iter().map(|control| width(&place(control))).max().unwrap_or_default();
    for (at, control) in record.controls.iter().enumerate() {
        let mut head = Piece::margin(if at == 0 { "controls" } else { "" }, Tint::Plain).to_vec();
        head.push(Piece::from(format!("{:widest$}  ", place(control))));
        let tint = if control.proof == Proof::None { Tint::Inconclusive } else { Tint::Plain };
        let proof = if control.proof == Proof::None { "unproven" } else { control.proof.word() };
        page.row(&head, &[Piece::new(proof, tint), Piece::from(format!(": {}", tame(&control.why)))]);
    }
}

const TLS_ENDED: &str = "; it ended TLS for a fault behind STARTTLS: certificate checks saw its certificate there, \
                         not the host's";

/// Where the proxies stood: certificates, source addresses and times look different by it.
fn standing(page: &mut Page, record: &Record, detail: Detail) {
    let told = |proxy: Option<StandingProxy>| match (detail, proxy) {
        (Detail::Full, _) => true,
        (_, proxy) => matches!(proxy, Some(StandingProxy::LabAddress | StandingProxy::Standing)),
    };
    let told = |host: &&Standing| told(host.proxy) || host.tls_ended_by.is_some();
    for (at, host) in record.standing.iter().filter(told).enumerate() {
        let proxy = match host.proxy {
            None => "no proxy before it",
            Some(StandingProxy::Dialled) => "the sender dials a proxy instead",
            Some(StandingProxy::LabAddress) => "a proxy stands at this address, for everybody",
            Some(StandingProxy::Standing) => "a standing proxy of its own, by its control API",
        };
        let tls = if host.tls_ended_by.is_some() { TLS_ENDED } else { "" };
        let text = format!("{} {}: {proxy}{tls}", tame(&host.host), tame(&host.address));
        page.entry((if at == 0 { "hosts" } else { "" }, Tint::Plain), &[Piece::from(text)]);
    }
}

fn drawings(page: &mut Page, record: &Record) {
    for phase in &record.phases {
        for drawn in failure::of_phase(record, phase, page.width(), page.paint()) {
            page.gap();
            page.drawn(&drawn);
        }
    }
}

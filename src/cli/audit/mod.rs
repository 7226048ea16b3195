//! `mxdrill audit`: domains held against their design, from zone files or live.

mod arguments;
mod live;

use jiff::Timestamp;

pub(super) use arguments::Audit;
use arguments::Part;

use super::arguments::Common;
use super::{Exit, Machine, Screen, drill, files};
use crate::audit::check::Ground;
use crate::audit::gather::{Parts, Wanted};
use crate::audit::zone::Zones;
use crate::audit::{Order, look, weigh};
use crate::inventory::Inventory;
use crate::mail::address::is_domain;
use crate::record::{Coverage, Examination, Finding, Report, RunId, Sight};
use crate::source::plural;
use crate::world::Clock;

pub(super) fn audit(machine: &mut Machine, screen: &Screen, common: &Common, wanted: &Audit) -> Exit {
    match audited(machine, screen, common, wanted) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn audited(machine: &mut Machine, screen: &Screen, common: &Common, wanted: &Audit) -> Result<Exit, Exit> {
    let (inventory, source) = files::inventory(screen, common.inventory.as_deref())?.unzip();
    let inventory = inventory.unwrap_or_default();
    let named = named(screen, &wanted.domains)?;
    let (domains, seen, finished) = match wanted.zones.as_slice() {
        [] => live::live(machine, screen, wanted, &inventory, named)?,
        _ => offline(machine, screen, wanted, &inventory, named)?,
    };
    let examination = Examination {
        run: RunId::from_entropy((machine.entropy)()),
        started: machine.now,
        finished,
        command: machine.arguments.iter().skip(1).map(|it| it.to_string_lossy().into_owned()).collect(),
        name: match domains.as_slice() {
            [one] => format!("audit of {one}"),
            several => format!("audit of {}", plural(several.len(), "domain")),
        },
        inventory: source.map(|it| (it.name.to_string(), it.text.to_string())),
        findings: seen.0,
        coverage: seen.1,
    };
    let report = Report::new(vec![examination.into_record()]);
    drill::publish(screen, common, &report, &wanted.reports)?;
    Ok(Exit::of_records(&report.records))
}

/// What an audit found, and what it looked at.
pub(super) type Seen = (Vec<Finding>, Vec<Coverage>);

/// The domains of the arguments, as the house writes names, each once.
fn named(screen: &Screen, written: &[String]) -> Result<Vec<String>, Exit> {
    let mut domains = vec![];
    for text in written {
        let name = text.trim_end_matches('.').to_lowercase();
        if !is_domain(&name) {
            let help = "give domains such as `drill.example`; files of zones go behind `--zone`";
            screen.error(&format!("`{text}` is not a domain"), &[], Some(help));
            return Err(Exit::Usage);
        }
        if !domains.contains(&name) {
            domains.push(name);
        }
    }
    Ok(domains)
}

/// The parts of `--only`; all of them where nothing is said.
pub(super) fn parts(only: &[Part]) -> Parts {
    let of = |part: Part| if only.is_empty() || only.contains(&part) { Wanted::Yes } else { Wanted::No };
    Parts { mx: of(Part::Mx), mta_sts: of(Part::MtaSts), leftovers: of(Part::Leftovers) }
}

fn offline(
    machine: &Machine,
    screen: &Screen,
    wanted: &Audit,
    inventory: &Inventory,
    named: Vec<String>,
) -> Result<(Vec<String>, Seen, Timestamp), Exit> {
    let texts = wanted.zones.iter().map(|path| files::read(screen, path)).collect::<Result<Vec<_>, _>>()?;
    let zones = Zones::read(&texts).map_err(|remarks| {
        screen.remarks(&remarks);
        Exit::Usage
    })?;
    let domains = if named.is_empty() { zones.domains() } else { named };
    let order = Order { inventory, domains: &domains, parts: parts(&wanted.only), jobs: usize::from(wanted.jobs) };
    let runtime = drill::runtime(screen)?;
    let (facts, now) = runtime.block_on(async {
        let clock = Clock::starting_at(machine.now);
        (look(&zones, &order).await, clock.now())
    });
    let (findings, mut coverage) = weigh(&facts, &order, Ground::Internet, now);
    coverage.extend(zones.unread().iter().map(|it| left(&it.origin, &it.what, &it.why)));
    let beyond = "hosts, policies and documents themselves";
    coverage.push(left(beyond, beyond, "zone files only; an audit with `--live` asks them"));
    Ok((domains, (findings, coverage), now))
}

/// Something that was left out.
pub(super) fn left(subject: &str, what: &str, why: &str) -> Coverage {
    Coverage { subject: subject.to_owned(), what: what.to_owned(), look: Sight::Left, why: Some(why.to_owned()) }
}

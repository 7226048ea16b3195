//! Faults that can be, at places that exist, for clients that can be told apart.

use super::{Files, names};
use crate::mail::Stage;
use crate::scenario::fault::{Action, Count, Scope, When};
use crate::scenario::{Fault, Lab, LabTls, Phase, Scenario};
use crate::source::read::Spelling;
use crate::source::{Diagnostic, Span, Spanned, and_list};
use crate::terms::Family;

pub(super) fn check(scenario: &Scenario, phase: &Phase, files: &mut Files) {
    for fault in &phase.faults {
        let said = [
            names::host(&fault.host, scenario),
            stage(fault),
            reply(fault),
            before_accept(fault),
            counters(&fault.when),
            too_early(fault),
            standing(scenario, fault),
            target(scenario.lab.as_ref(), fault),
            starttls(scenario.lab.as_ref(), fault),
            never(fault),
            probe(scenario, fault),
        ];
        said.into_iter().flatten().for_each(|said| files.say(said));
        if let Some(said) = waits_too_long(scenario, phase, fault) {
            files.say(said);
        }
    }
}

/// The action must be possible at its stage.
fn stage(fault: &Fault) -> Option<Diagnostic> {
    let (action, at) = (&fault.action, fault.at.value);
    if action.stages().contains(&at) {
        return None;
    }
    let stages: Vec<&str> = action.stages().iter().map(|stage| stage.word()).collect();
    let title = format!("`{}` is not possible at `{at}`", action.word());
    let note = format!("`{}` is possible at {}", action.word(), and_list(&stages));
    Some(Diagnostic::error(fault.at.span, title).note(note))
}

/// 3yz is an answer to DATA and AUTH only (RFC 5321 4.2.1, RFC 4954 4).
fn reply(fault: &Fault) -> Option<Diagnostic> {
    let Action::Reply(reply) = &fault.action.value else { return None };
    let at = fault.at.value;
    let intermediate = (300..400).contains(&reply.code);
    if intermediate && !matches!(at, Stage::Data | Stage::Auth) {
        let title = format!("{} is no answer at `{at}`", reply.code);
        return Some(Diagnostic::error(fault.action.span, title).note("3yz asks for more, after DATA and AUTH"));
    }
    let class = reply.status().map(|status| u16::from(status.class));
    let status = reply.status().filter(|_| class != Some(reply.code / 100) && !intermediate)?;
    let title = format!("the reply says both {} and {status}", reply.code);
    Some(
        Diagnostic::warning(fault.action.span, title)
            .note("the first digit of an enhanced status code is that of the code (RFC 2034)"),
    )
}

/// Before a connection is accepted no client is known and nothing can be counted.
fn before_accept(fault: &Fault) -> Option<Diagnostic> {
    if !fault.action.before_accept() || fault.when.is_only_time() {
        return None;
    }
    let word = fault.action.word();
    let (key, span) = first_condition(&fault.when)?;
    Some(
        Diagnostic::error(span, format!("`{word}` cannot be combined with `{key}`"))
            .note(format!("`{word}` acts before a connection is accepted, so that only `after` and `for` are known"))
            .help("use `close`, `reset` or `silent` at `connect`, which know their client"),
    )
}

/// The first condition that asks for anything but time.
fn first_condition(when: &When) -> Option<(&'static str, Span)> {
    fn place<T>(key: &'static str, value: Option<&Spanned<T>>) -> Option<(&'static str, Span)> {
        value.map(|value| (key, value.span))
    }
    place("first", when.first.as_ref())
        .or(place("nth", when.nth.as_ref()))
        .or(place("every", when.every.as_ref()))
        .or(place("chance", when.chance.as_ref()))
        .or(place("recipient", when.recipient.as_ref()))
        .or(place("sender", when.sender.as_ref()))
        .or(place("client", when.client.as_ref()))
        .or(place("probe", when.probe.as_ref()))
        .or(place("limit", when.limit.as_ref()))
}

/// One occurrence cannot be counted in two ways.
fn counters(when: &When) -> Option<Diagnostic> {
    let counters = [("first", &when.first), ("nth", &when.nth), ("every", &when.every)];
    let mut given = counters.iter().filter_map(|(key, value)| value.as_ref().map(|value| (*key, value.span)));
    let ((first, _), (second, span)) = (given.next()?, given.next()?);
    let title = format!("`{first}` and `{second}` count the same occurrences");
    Some(Diagnostic::error(span, title).note("`first: N` fires N times, `nth: N` once, `every: N` each Nth time"))
}

/// The envelope comes piece by piece: MAIL, then RCPT.
fn too_early(fault: &Fault) -> Option<Diagnostic> {
    let at = fault.at.value;
    let early = |key: &str, known_from: Stage, given: Option<Span>| {
        let span = given.filter(|_| at < known_from && !fault.action.before_accept())?;
        let title = format!("the {key} is not known yet at `{at}`");
        Some(Diagnostic::error(span, title).note(format!("it is known from `{known_from}` on")))
    };
    let when = &fault.when;
    early("recipient", Stage::Rcpt, when.recipient.as_ref().map(|it| it.span)).or(early(
        "sender",
        Stage::Mail,
        when.sender.as_ref().map(|it| it.span),
    ))
}

/// Others than this run's probes pass through a standing proxy, and before MAIL none can be told.
fn standing(scenario: &Scenario, fault: &Fault) -> Option<Diagnostic> {
    scenario.proxies.get(&fault.host.value)?;
    among_others(fault, Spelling::Yaml).or_else(|| of_a_run(fault))
}

/// A proxy that also others than probes come by cannot tell them apart before MAIL.
fn among_others(fault: &Fault, spelling: Spelling) -> Option<Diagnostic> {
    if fault.scope == Scope::All || fault.at.value >= Stage::Mail {
        return None;
    }
    if fault.when.client.is_some() && !fault.action.before_accept() {
        return None;
    }
    let (at, host) = (fault.at.value, &fault.host.value);
    let said = Diagnostic::error(
        fault.at.span,
        format!("at `{at}` the standing proxy of {host} cannot tell probes from other mail"),
    )
    .note("the tag of a probe is known from `mail` on; before that a fault meets everybody's mail");
    let everybody = spelling.pair("scope", "all");
    Some(match fault.action.before_accept() {
        true => said.help(format!("write `{everybody}` where an outage for everybody is meant")),
        false => {
            let client = match spelling {
                Spelling::Yaml => "when: { client: NETWORK }",
                Spelling::Words => "client=NETWORK",
            };
            said.help(format!("write `{client}`, or `{everybody}` where everybody is meant"))
        }
    })
}

/// What is wrong with a fault of a proxy that stands by itself: everything but what needs a
/// scenario around it.
pub(in crate::scenario) fn standing_alone(fault: &Fault, spelling: Spelling) -> impl Iterator<Item = Diagnostic> {
    let said = [
        stage(fault),
        reply(fault),
        before_accept(fault),
        counters(&fault.when),
        too_early(fault),
        among_others(fault, spelling),
        target(None, fault),
        of_a_run(fault),
        idle(fault),
        outage(fault),
    ];
    said.into_iter().flatten()
}

/// What is wrong with a fault that only a drill's own sender meets, wherever that is.
pub(in crate::scenario) fn of_a_drill(fault: &Fault) -> impl Iterator<Item = Diagnostic> {
    let said = [
        stage(fault),
        reply(fault),
        before_accept(fault),
        counters(&fault.when),
        too_early(fault),
        target(None, fault),
        never(fault),
    ];
    said.into_iter().flatten()
}

/// Phases are a run's.
fn of_a_run(fault: &Fault) -> Option<Diagnostic> {
    let probe = fault.when.probe.as_ref()?;
    let said = Diagnostic::error(probe.span, "a proxy that stands by itself knows no phases");
    Some(said.help("use `recipient`, `sender` or `client` to say whom the fault is for"))
}

/// It acts before anybody is known.
fn outage(fault: &Fault) -> Option<Diagnostic> {
    let outage = fault.action.before_accept() && fault.scope == Scope::All;
    outage.then(|| {
        let title = format!("`{}` is an outage for everybody who sends through this proxy", fault.action.word());
        Diagnostic::warning(fault.action.span, title)
            .note("it acts before a connection is accepted: no probe is known then")
    })
}

/// An address or family that the host has.
fn target(lab: Option<&Lab>, fault: &Fault) -> Option<Diagnostic> {
    if let (Some(address), Some(family)) = (&fault.address, &fault.family)
        && Family::of(address.value) != family.value
    {
        let title = format!("`{}` is not an address of family {}", address.value, family.value);
        return Some(Diagnostic::error(family.span, title).help("keep one of the two"));
    }
    let lab = lab?;
    if let Some(family) = fault.family.as_ref().filter(|family| !lab.families.contains(family)) {
        let title = format!("the lab's hosts have no {} addresses", family.value);
        return Some(Diagnostic::error(family.span, title).help("add `families: [v4, v6]` to `lab`"));
    }
    let address = fault.address.as_ref()?;
    match &lab.network {
        None => Some(
            Diagnostic::error(address.span, "the lab chooses its addresses itself")
                .help("name the `family`, or give the lab a `network`: hosts are numbered from .2 in file order"),
        ),
        Some(network) => {
            let outside = !matches!(address.value, std::net::IpAddr::V4(v4) if network.contains(&v4));
            let title = format!("`{}` lies outside of the lab's network {}", address.value, network.value);
            outside.then(|| Diagnostic::error(address.span, title).context(network.span, "the network"))
        }
    }
}

/// A TLS stage needs STARTTLS to be offered.
fn starttls(lab: Option<&Lab>, fault: &Fault) -> Option<Diagnostic> {
    let host = lab?.hosts.get(&fault.host.value)?;
    (fault.at.value == Stage::Starttls && host.tls == LabTls::Absent).then(|| {
        let title = format!("`{}` offers no STARTTLS", host.name.value);
        Diagnostic::error(fault.at.span, title).context(host.name.span, "`tls: absent` here")
    })
}

/// Faults that can be and never fire.
fn never(fault: &Fault) -> Option<Diagnostic> {
    if fault.at.value == Stage::Auth {
        return Some(
            Diagnostic::warning(fault.at.span, "a sending MTA does not authenticate: this fault never fires")
                .note("`auth` is for senders that submit mail, which are not built yet"),
        );
    }
    idle(fault)
}

/// Triggers that never fire, and counts of nothing.
fn idle(fault: &Fault) -> Option<Diagnostic> {
    let when = &fault.when;
    if let Some(chance) = when.chance.as_ref().filter(|chance| chance.value == 0.0) {
        return Some(Diagnostic::warning(chance.span, "with a chance of 0 this fault never fires"));
    }
    let idle = when.count == Count::All && !when.counts();
    idle.then(|| {
        Diagnostic::warning(fault.span, "`count` has nothing to count")
            .note("it says what `first`, `nth` and `every` run over")
    })
}

fn probe(scenario: &Scenario, fault: &Fault) -> Option<Diagnostic> {
    let name = fault.when.probe.as_ref()?;
    let known: Vec<&str> =
        scenario.phases.iter().map(|it| it.name.value.as_str()).filter(|it| !it.is_empty()).collect();
    (!known.contains(&name.as_str())).then(|| names::unknown(name, "a phase of this scenario", "phases", &known))
}

/// A sender that waits at a silent primary longer than the probe may take never reaches a backup in
/// time.
fn waits_too_long(scenario: &Scenario, phase: &Phase, fault: &Fault) -> Option<Diagnostic> {
    let (stage, limit) = match (&fault.action.value, fault.at.value) {
        (Action::DropSyn(_), _) => (Stage::Connect, scenario.timeouts.connect),
        (Action::Silent(None), Stage::Connect | Stage::Banner) => (Stage::Banner, scenario.timeouts.banner),
        _ => return None,
    };
    let within = phase.expect.iter().filter_map(|it| it.within.as_ref()).max_by_key(|it| it.value)?;
    (limit >= within.value).then(|| {
        let title = format!("the sender waits {limit:?} at the fault, and the probe may take {:?}", within.value);
        Diagnostic::warning(within.span, title)
            .context(fault.action.span, "nothing is answered here")
            .help(format!("shorten `timeouts: {{ {stage}: ... }}`, or make `within` longer"))
    })
}

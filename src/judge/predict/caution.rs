//! What may keep a backup or a mailbox from showing what a drill is after, told before it begins.

use std::time::Duration;

use crate::mail::Stage;
use crate::plan::Plan;
use crate::scenario::{LabHostKind, Scenario, Verify};

/// Greylisting asks for five minutes as a rule, and senders come back later than that.
const GREYLISTED: Duration = Duration::from_secs(900);

/// What a reader should know before a run, in sentences.
pub fn cautions(plan: &Plan) -> Vec<String> {
    let mut said: Vec<String> = (0..plan.phases.len()).flat_map(|phase| backups(&plan.scenario, phase)).collect();
    if plan.scenario.lab.is_none() {
        said.extend(greylisting(plan));
        said.push(
            "a spam filter may put probes into a junk folder: give every `imap` collector that folder in `mailboxes`, \
             and they come out as `filtered`"
                .to_owned(),
        );
    }
    said
}

/// Hosts of the lab that depend on one that a phase takes down.
fn backups(scenario: &Scenario, phase: usize) -> Vec<String> {
    let Some(lab) = &scenario.lab else { return vec![] };
    let stated = &scenario.phases[phase];
    let down = stated.faults.iter().filter(|fault| fault.at.value <= Stage::Rcpt).map(|fault| &fault.host.value);
    let mut said: Vec<String> = vec![];
    for down in down {
        for host in lab.hosts.values() {
            let (name, phase) = (&host.name.value, &stated.name.value);
            let one = match &host.kind {
                LabHostKind::Relay { to, verify: Verify::Recipients } if to.value == *down => {
                    format!(
                        "{name} asks {down} about each recipient: while `{phase}` breaks that it takes no mail (450)"
                    )
                }
                LabHostKind::Hold { then, .. } if then.value == *down => {
                    format!("{name} holds mail for {down}: it cannot arrive before the faults of `{phase}` are lifted")
                }
                _ => continue,
            };
            if !said.contains(&one) {
                said.push(one);
            }
        }
    }
    said
}

/// Each probe is new to a host that greylists, since the tag stands in its envelope.
fn greylisting(plan: &Plan) -> Option<String> {
    let shortest = plan.phases.iter().filter(|phase| !phase.probes.is_empty()).map(|phase| phase.within).min()?;
    let tagged = plan.scenario.recipient.value.contains("{tag}");
    let what = if tagged { "reverse-path and a recipient" } else { "reverse-path" };
    (shortest < GREYLISTED).then(|| {
        format!(
            "each probe has a {what} of its own: to a host that greylists every one is new, and is deferred for \
             minutes; the shortest `within` is {shortest:?}"
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plan::expand;
    use crate::record::RunId;
    use crate::scenario;
    use crate::source::SourceText;

    fn of(source: SourceText) -> Vec<String> {
        let loaded = scenario::load(source, None).expect("it is right");
        cautions(&expand(Arc::new(loaded.scenario), RunId::from_entropy(1), 7))
    }

    #[test]
    fn a_backup_that_asks_the_primary_is_foretold() {
        let bundled = |number: &str| scenario::bundled().find(|it| it.name.contains(number)).expect("it is bundled");
        let said = of(bundled("/09-"));
        assert_eq!(
            said,
            [
                "mx2.new.example asks mx1.new.example about each recipient: while `primary down` breaks that it takes no \
              mail (450)"
            ]
        );
        assert!(of(bundled("/01-")).is_empty());
    }

    #[test]
    fn in_the_real_world_greylisting_and_filters_are_foretold() {
        let live = "name: live\ndomain: drill.example\nrecipient: 'probe+{tag}@drill.example'\n\
                    sender: mxdrill@sender.example\nplatforms:\n  new:\n    hosts: [mx1.new.example]\n    \
                    collectors: [log: { format: postfix, path: /var/log/mail.log }]\nphases:\n  - name: steady\n    \
                    probes: { count: 1 }\n    expect: { at: new, within: 2m }\n";
        let said = of(SourceText::new("live.yaml", live));
        assert!(said[0].starts_with("each probe has a reverse-path and a recipient of its own"), "{said:?}");
        assert!(said[1].contains("`filtered`"), "{said:?}");
    }
}

//! Published policies and the senders that apply them.

use super::{Files, names};
use crate::scenario::{Lab, LabPolicy, Scenario, SenderKind, TlsPolicy};
use crate::source::Diagnostic;

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    for sender in scenario.senders.values() {
        let SenderKind::Mx(mx) = &sender.kind else { continue };
        if let (Some(cache), TlsPolicy::Opportunistic) = (&mx.cache, mx.tls_policy) {
            let title = format!("`{}` has a cached policy and applies none", sender.name.value);
            files.say(Diagnostic::error(cache.span, title).help("add `tls-policy: mta-sts` beside it"));
        }
    }
    match &scenario.lab {
        Some(lab) => in_lab(scenario, lab, files),
        None => elsewhere(scenario, files),
    }
}

fn in_lab(scenario: &Scenario, lab: &Lab, files: &mut Files) {
    for policy in lab.policies.values() {
        faults(policy, lab, policy.addresses, files);
    }
    for publish in scenario.phases.iter().filter_map(|it| it.publish.as_ref()) {
        for policy in publish.policies.values() {
            match lab.policies.get(&policy.domain.value) {
                Some(known) => faults(policy, lab, known.addresses, files),
                None => {
                    let known: Vec<&str> = lab.policies.keys().map(String::as_str).collect();
                    let what = "a domain of the lab's `policies`";
                    files.say(names::unknown(&policy.domain, what, "domains of the lab's `policies`", &known));
                }
            }
        }
    }
}

fn faults(policy: &LabPolicy, lab: &Lab, each: usize, files: &mut Files) {
    let addresses = each * lab.families.len().max(1);
    for number in policy.faults.iter().filter_map(|it| it.address.as_ref()) {
        if usize::from(number.value) > addresses {
            let title = format!("the policy host of `{}` has no address {}", policy.domain.value, number.value);
            let note = match addresses {
                1 => "it has one address".to_owned(),
                many => format!("it has {many} addresses"),
            };
            files.say(Diagnostic::error(number.span, title).note(note).help("raise `addresses` of the policy"));
        }
    }
}

/// Only a lab can change what it publishes.
fn elsewhere(scenario: &Scenario, files: &mut Files) {
    for publish in scenario.phases.iter().filter_map(|it| it.publish.as_ref()) {
        let title = "`publish` changes a lab, and this scenario has none";
        files.say(Diagnostic::error(publish.span, title).help("remove it, or add a `lab`"));
    }
}

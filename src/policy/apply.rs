//! Which policy a sender applies, from what it has cached and what is published now
//! (RFC 8461 3.3, 5).

use super::failure::FailureType;
use super::senders::{Profile, Refetch};
use super::{Announced, Mode, Policy};

/// A policy in a sender's cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// The policy.
    pub policy: Policy,
    /// The `id` of the record when it was fetched.
    pub id: String,
    /// How many seconds it is valid yet; 0: it has expired.
    pub left: u64,
}

/// What a sender does before it applies a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It fetches the policy.
    Fetch,
    /// It applies what it has, or nothing.
    Settle,
}

/// Where the applied policy is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the sender's cache.
    Cache,
    /// It was fetched just now.
    Live,
}

/// What a sender applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The policy, where it is from, and the `id` that it was fetched under.
    pub policy: Option<(Policy, Origin, String)>,
    /// What went wrong with fetching it, as it is reported.
    pub failures: Vec<FailureType>,
}

/// Whether a sender of this profile fetches the policy now.
pub fn step(profile: &Profile, cached: Option<&Cached>, announced: &Announced) -> Step {
    let valid = cached.filter(|it| it.left > 0);
    match (valid, announced) {
        (Some(_), _) if profile.conduct.refetch == Refetch::Expiry => Step::Settle,
        (Some(cached), Announced::Id(id)) if cached.id == *id => Step::Settle,
        (_, Announced::Id(_)) => Step::Fetch,
        (_, Announced::Nothing(_) | Announced::Unknown) => Step::Settle,
    }
}

/// What is applied, with what was fetched where [`step`] asked for it. A fetch that fails leaves
/// the cached policy in force while it is valid.
pub fn settle(cached: Option<&Cached>, announced: &Announced, fetched: Option<Result<Policy, FailureType>>) -> Applied {
    let from_cache = cached.filter(|it| it.left > 0).map(|it| (it.policy.clone(), Origin::Cache, it.id.clone()));
    match (fetched, announced) {
        (Some(Ok(policy)), Announced::Id(id)) => {
            Applied { policy: Some((policy, Origin::Live, id.clone())), failures: vec![] }
        }
        (Some(Err(failure)), _) => Applied { policy: from_cache, failures: vec![failure] },
        _ => Applied { policy: from_cache, failures: vec![] },
    }
}

/// What TLSA records mean for a host (RFC 7672 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dane {
    /// There is no secure TLSA record: DANE says nothing.
    #[default]
    Absent,
    /// A usable record matches the certificate.
    Matches,
    /// Usable records, and none matches.
    Mismatch,
    /// Secure records, and none can be used: TLS is demanded, no certificate is.
    Unusable,
    /// The lookup failed or DNSSEC is bogus: the host must not be used.
    LookupFailed,
}

/// Whether a host can be reached at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reachable {
    /// It can.
    #[default]
    Yes,
    /// It cannot.
    No,
}

/// What is known of one host that takes mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// The name in the MX record; of an implicit MX the domain.
    pub name: String,
    /// Whether it can be reached.
    pub reachable: Reachable,
    /// What is wrong with its TLS, as senders report it; none: STARTTLS with a trusted certificate
    /// for this name.
    pub flaw: Option<FailureType>,
    /// What DANE says.
    pub dane: Dane,
}

/// How a host is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// As without any policy.
    Opportunistic,
    /// With TLS and a certificate that verifies.
    Verified,
    /// With TLS, whatever the certificate.
    Encrypted,
    /// As without any policy, and this is reported.
    Reported(FailureType),
    /// Not at all, and this is reported.
    Never(FailureType),
}

/// How a host is used under the applied policy; `covers` says whether a pattern covers a name.
/// DANE comes before MTA-STS, and its failure is not mended by it (RFC 8461 2).
pub fn use_of(policy: Option<&Policy>, covers: impl Fn(&str, &str) -> bool, host: &HostFacts) -> Use {
    match host.dane {
        Dane::Matches => return Use::Verified,
        Dane::Mismatch => return Use::Never(FailureType::TlsaInvalid),
        Dane::LookupFailed => return Use::Never(FailureType::DnssecInvalid),
        Dane::Unusable if host.flaw == Some(FailureType::StarttlsNotSupported) => {
            return Use::Never(FailureType::StarttlsNotSupported);
        }
        Dane::Unusable => return Use::Encrypted,
        Dane::Absent => {}
    }
    let Some(policy) = policy.filter(|it| it.mode != Mode::None) else { return Use::Opportunistic };
    let covered = policy.mx.iter().any(|pattern| covers(pattern, &host.name));
    let failure = if covered { host.flaw } else { Some(FailureType::ValidationFailure) };
    match (failure, policy.mode) {
        (None, _) => Use::Verified,
        (Some(failure), Mode::Enforce) => Use::Never(failure),
        (Some(failure), _) => Use::Reported(failure),
    }
}

/// What a sender does with a message for the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The host that takes it, and how; none: it waits.
    pub deliver: Option<(String, Use)>,
    /// What is reported, each once.
    pub report: Vec<FailureType>,
    /// Hosts that the policy forbids and that were not asked, since another one took it: they
    /// show only on the day on which that one is down.
    pub latent: Vec<String>,
}

/// Goes through the hosts in their order, as a sender does.
pub fn outlook(applied: &Applied, covers: impl Fn(&str, &str) -> bool, hosts: &[HostFacts]) -> Outlook {
    let policy = applied.policy.as_ref().map(|(policy, ..)| policy);
    let mut outlook = Outlook { deliver: None, report: applied.failures.clone(), latent: vec![] };
    for host in hosts {
        let how = use_of(policy, &covers, host);
        if outlook.deliver.is_some() {
            if matches!(how, Use::Never(_)) {
                outlook.latent.push(host.name.clone());
            }
            continue;
        }
        match how {
            // The name is held against the policy before the host is dialled.
            Use::Never(FailureType::ValidationFailure) => report(&mut outlook, FailureType::ValidationFailure),
            _ if host.reachable == Reachable::No => {}
            Use::Never(failure) => report(&mut outlook, failure),
            Use::Reported(failure) => {
                report(&mut outlook, failure);
                outlook.deliver = Some((host.name.clone(), how));
            }
            _ => outlook.deliver = Some((host.name.clone(), how)),
        }
    }
    outlook
}

fn report(outlook: &mut Outlook, failure: FailureType) {
    if !outlook.report.contains(&failure) {
        outlook.report.push(failure);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::policy::senders::STRICT;
    use crate::policy::vectors::{all, same};
    use crate::policy::{WhyNothing, covers};

    fn policy(value: &Value) -> Option<Policy> {
        let mx = value["mx"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let mode = value["mode"].as_str()?.parse().expect("a mode");
        Some(Policy { mode, max_age: value["max_age"].as_u64().unwrap_or(604_800), mx })
    }

    fn host(value: &Value, dane: &Value) -> HostFacts {
        let name = value["host"].as_str().expect("a host").to_owned();
        let flaw = match value["cert"].as_str() {
            _ if value["starttls"] == false => Some(FailureType::StarttlsNotSupported),
            Some("expired") => Some(FailureType::CertificateExpired),
            Some("untrusted") => Some(FailureType::CertificateNotTrusted),
            Some("ok") => None,
            _ => Some(FailureType::CertificateHostMismatch),
        };
        let reachable = if value["connect"] == "timeout" { Reachable::No } else { Reachable::Yes };
        let dane = match dane[&name].as_str() {
            None => Dane::Absent,
            Some("tlsa_mismatch") => Dane::Mismatch,
            Some("tlsa_lookup_servfail") => Dane::LookupFailed,
            Some("all_unusable" | "only_pkix_usages_0_1") => Dane::Unusable,
            Some(other) => panic!("{other}"),
        };
        HostFacts { name, reachable, flaw, dane }
    }

    #[test]
    fn a_strict_sender_does_what_the_rfc_says() {
        all("sender_sim", |vector| {
            let (input, expect) = (&vector["input"], &vector["expect"]);
            let cached = policy(&input["cache"]).map(|policy| Cached {
                policy,
                id: input["cache"]["id"].as_str().expect("an id").to_owned(),
                left: input["cache"]["age_left"].as_u64().expect("seconds"),
            });
            let announced = match input["live"]["txt_id"].as_str() {
                Some(id) => Announced::Id(id.to_owned()),
                None => Announced::Nothing(WhyNothing::NoRecord),
            };
            let fetched = match step(&STRICT, cached.as_ref(), &announced) {
                Step::Settle => None,
                Step::Fetch => Some(policy(&input["live"]["policy"]).ok_or(FailureType::StsPolicyFetchError)),
            };
            let applied = settle(cached.as_ref(), &announced, fetched.clone());
            let mut hosts: Vec<HostFacts> =
                input["mx"].as_array().expect("hosts").iter().map(|it| host(it, &input["dane"])).collect();
            // Without MX records the domain itself takes mail; of a smart host that is the smart host.
            if hosts.is_empty() {
                let name = input["smarthost"].as_str().or(input["domain"].as_str()).expect("a domain").to_owned();
                hosts.push(HostFacts { name, ..HostFacts::default() });
            }
            let outlook = outlook(&applied, covers, &hosts);
            let to = outlook.deliver.as_ref().map(|(host, _)| host.as_str());
            let mut wrong = same("delivered to", to, expect["deliver"].as_str());
            if let Some(action) = expect["action"].as_str() {
                wrong.extend(same("delivered", to.is_some(), action == "deliver"));
            }
            if let Some(report) = expect["report"].as_array() {
                let found: Vec<&str> = outlook.report.iter().map(|it| it.word()).collect();
                wrong.extend(same("reports", found, report.iter().filter_map(Value::as_str).collect()));
            }
            if let Some(latent) = expect["latent"].as_array() {
                let found: Vec<&str> = outlook.latent.iter().map(String::as_str).collect();
                wrong.extend(same("latent", found, latent.iter().filter_map(Value::as_str).collect()));
            }
            if expect["refetch"] == true {
                wrong.extend(same("fetched", fetched.is_some(), true));
            }
            if expect["tls"] == "mandatory_unauthenticated" {
                wrong.extend(same("TLS", outlook.deliver.map(|it| it.1), Some(Use::Encrypted)));
            }
            if expect["finding"] == "legacy_mx_still_authorised" {
                let legacy = input["legacy_hosts"][0].as_str().expect("a host");
                let still = applied.policy.is_some_and(|(policy, ..)| policy.covers(legacy));
                wrong.extend(same("the old host is covered", still, true));
            }
            wrong
        });
    }
}

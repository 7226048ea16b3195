//! The MTA-STS policy, from every address of the policy host by itself (RFC 8461 3.3).

use futures_util::future::join_all;

use super::super::facts::{AddressFacts, DomainFacts, PolicySeen};
use super::Gate;
use crate::policy::fetch::{Fetched, Getter};

/// Fetches the policy of each domain; hosts that may not be contacted are left out.
pub async fn policies(getter: &Getter, gate: &Gate, facts: &mut [DomainFacts]) {
    for domain in facts {
        let Some(host) = &domain.sts_host else { continue };
        let admitted = |one: &&AddressFacts| {
            let place = format!("{} ({}), port 443", host.name, one.address);
            gate.admit(&place, one.address, "fetch the MTA-STS policy").is_ok()
        };
        let asked = host.addresses.iter().filter(admitted).map(|one| getter.at(&domain.name, one.address));
        for fetched in join_all(asked).await {
            let source = format!("https://{} at {}", fetched.host, fetched.address);
            match seen(&fetched, &source) {
                Ok(policy) => domain.policies.push(policy),
                Err(why) => domain.policy_failures.push((source, why)),
            }
        }
    }
}

fn seen(fetched: &Fetched, source: &str) -> Result<PolicySeen, String> {
    let policy = fetched.policy().map_err(|unusable| unusable.to_string())?;
    Ok(PolicySeen {
        source: source.to_owned(),
        mode: policy.mode.word().to_owned(),
        max_age: policy.max_age,
        mx: policy.mx.iter().map(|pattern| pattern.to_ascii_lowercase()).collect(),
    })
}

//! The TLS policies that the sender applies: MTA-STS, with a cache (RFC 8461 5).
//!
//! ```text
//!   domain ──> TXT record, cache ── new id? ── fetch ──> Ruling
//!                                                          │ for each host: used, reported, refused
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::attempt::Demand;
use crate::dns::{LookupError, Lookups};
use crate::policy::apply::{Applied, Cached, HostFacts, Origin, Step, Use, settle, step, use_of};
use crate::policy::fetch::Getter;
use crate::policy::senders::STRICT;
use crate::policy::{Announced, FailureType, Mode, Policy, TxtAnswer, WhyNothing, covers, of_verdicts};
use crate::record::{Attempt, AttemptResult, PolicyOrigin, PolicySeen, PolicyVerdict};

/// The policies of one sender, with its cache.
#[derive(Clone)]
pub struct TlsPolicies(Arc<Inner>);

struct Inner {
    getter: Getter,
    names: Arc<dyn Lookups>,
    cache: Mutex<HashMap<String, Entry>>,
}

/// A cached policy.
#[derive(Clone, Debug)]
struct Entry {
    policy: Policy,
    id: String,
    fetched: Instant,
    /// How old it was then, for policies that were put into the cache.
    age: Duration,
}

impl Entry {
    fn cached(&self) -> Cached {
        let age = (self.fetched.elapsed() + self.age).as_secs();
        Cached { policy: self.policy.clone(), id: self.id.clone(), left: self.policy.max_age.saturating_sub(age) }
    }
}

impl TlsPolicies {
    /// A sender that applies MTA-STS, with an empty cache.
    pub fn mta_sts(getter: Getter, names: Arc<dyn Lookups>) -> Self {
        Self(Arc::new(Inner { getter, names, cache: Mutex::default() }))
    }

    /// The same, with this policy of `domain` in its cache, fetched `age` ago under `id`.
    pub fn with_cached(self, domain: &str, policy: Policy, id: &str, age: Duration) -> Self {
        let entry = Entry { policy, id: id.to_owned(), fetched: Instant::now(), age };
        let cache = Mutex::new(HashMap::from([(domain.to_owned(), entry)]));
        Self(Arc::new(Inner { getter: self.0.getter.clone(), names: Arc::clone(&self.0.names), cache }))
    }

    /// What applies to mail for `domain` now. The cache is held meanwhile, so that probes that
    /// leave at the same time do not all fetch.
    pub async fn ruling(&self, domain: &str) -> Ruling {
        let mut cache = self.0.cache.lock().await;
        let announced = self.announced(domain).await;
        let cached = cache.get(domain).map(Entry::cached);
        let mut trouble = None;
        let fetched = match step(&STRICT, cached.as_ref(), &announced) {
            Step::Settle => None,
            Step::Fetch => Some(self.fetch(domain, &mut trouble).await),
        };
        let applied = settle(cached.as_ref(), &announced, fetched);
        if let Some((policy, Origin::Live, id)) = &applied.policy {
            let entry = Entry { policy: policy.clone(), id: id.clone(), fetched: Instant::now(), age: Duration::ZERO };
            cache.insert(domain.to_owned(), entry);
        }
        Ruling { applied, trouble }
    }

    async fn announced(&self, domain: &str) -> Announced {
        let answer = match self.0.names.texts(&format!("_mta-sts.{domain}")).await {
            Ok(records) => TxtAnswer::Records(records),
            Err(LookupError::NoSuchName(_)) => return Announced::Nothing(WhyNothing::NoRecord),
            Err(LookupError::Failed { .. }) => TxtAnswer::Failed,
        };
        Announced::of(&answer)
    }

    async fn fetch(&self, domain: &str, trouble: &mut Option<String>) -> Result<Policy, FailureType> {
        match self.0.getter.somewhere(self.0.names.as_ref(), domain).await {
            Ok(fetched) => fetched.policy().map_err(|why| {
                *trouble = Some(why.to_string());
                why.kind
            }),
            Err(error) => {
                *trouble = Some(format!("{}: {error}", FailureType::StsPolicyFetchError));
                Err(FailureType::StsPolicyFetchError)
            }
        }
    }
}

/// What applies to the mail of one domain.
#[derive(Clone, Debug, Default)]
pub struct Ruling {
    applied: Applied,
    /// Why a fetch failed, in a sentence.
    trouble: Option<String>,
}

impl Ruling {
    /// What is wrong with using `host` at all: under `enforce`, one that no pattern covers.
    pub(super) fn forbids(&self, host: &str) -> Option<String> {
        let facts = HostFacts { name: host.to_owned(), ..HostFacts::default() };
        match use_of(self.policy(), covers, &facts) {
            Use::Never(_) => Some(format!("the MTA-STS policy does not cover it ({})", self.said())),
            _ => None,
        }
    }

    /// What the session must be like.
    pub(super) fn demand(&self) -> Demand {
        match self.policy() {
            Some(policy) if policy.mode == Mode::Enforce => Demand::Verified,
            _ => Demand::Nothing,
        }
    }

    /// Writes down which policy applied to the attempt, and whether it held.
    pub(super) fn note(&self, attempt: &mut Attempt) {
        let fetch_failure = self.trouble.clone();
        let Some((policy, origin, id)) = &self.applied.policy else {
            let seen = |fetch_failure| PolicySeen { fetch_failure: Some(fetch_failure), ..PolicySeen::default() };
            attempt.policy = fetch_failure.map(seen);
            return;
        };
        let failure = failure(policy, attempt);
        let verdict = match (failure, policy.mode) {
            (_, Mode::None) => PolicyVerdict::NotDemanded,
            (None, _) => PolicyVerdict::Held,
            (Some(_), Mode::Testing) => PolicyVerdict::Reported,
            (Some(_), Mode::Enforce) => PolicyVerdict::Refused,
        };
        attempt.policy = Some(PolicySeen {
            mode: Some(policy.mode),
            id: Some(id.clone()),
            mx: policy.mx.clone(),
            origin: Some(match origin {
                Origin::Cache => PolicyOrigin::Cache,
                Origin::Live => PolicyOrigin::Live,
            }),
            verdict,
            failure: failure.map(|it| it.word().to_owned()).filter(|_| verdict != PolicyVerdict::NotDemanded),
            fetch_failure,
        });
    }

    fn policy(&self) -> Option<&Policy> {
        self.applied.policy.as_ref().map(|(policy, ..)| policy)
    }

    /// The policy, in a few words.
    fn said(&self) -> String {
        match &self.applied.policy {
            Some((policy, _, id)) => format!("mode {}, id {id}, mx {}", policy.mode, policy.mx.join(" ")),
            None => "none".to_owned(),
        }
    }
}

/// What of the policy did not hold, as it would be reported. What ended before TLS broke nothing.
fn failure(policy: &Policy, attempt: &Attempt) -> Option<FailureType> {
    if !policy.covers(&attempt.host) {
        return Some(FailureType::ValidationFailure);
    }
    match (&attempt.tls, attempt.result) {
        (Some(tls), _) if tls.version.is_none() => Some(FailureType::ValidationFailure),
        (Some(tls), _) => of_verdicts(&tls.verdicts),
        (None, AttemptResult::TlsPolicy | AttemptResult::Accepted) => Some(FailureType::StarttlsNotSupported),
        (None, _) => None,
    }
}

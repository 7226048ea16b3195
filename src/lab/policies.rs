//! The policy hosts of a lab: `https://mta-sts.DOMAIN` for each domain with a policy.
//!
//! ```text
//!   LabPolicy ──> zones (TXT at _mta-sts.DOMAIN)          ──> the lab's authority
//!             └─> one door an address, with its own fault ──> HTTPS; the dialer knows its port
//! ```

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::task::JoinSet;

use super::{Ground, LabError, listen};
use crate::policy::fetch::policy_host;
use crate::policy::{MAX_POLICY, Page, PolicyDoor};
use crate::scenario::{LabPolicy, PolicyAction, PolicyCertificate};
use crate::source::Spanned;
use crate::tls::{Authority, AuthorityError, Flaw};
use crate::world::{Dialer, Listening};

/// Policy hosts that are up. Dropping it takes them down.
pub struct Policies {
    authority: Arc<Authority>,
    /// The doors of each domain, in the order of its addresses.
    doors: IndexMap<String, Vec<PolicyDoor>>,
    _tasks: JoinSet<()>,
}

impl Policies {
    /// Serves every policy of the lab at the places that the ground gives its host.
    ///
    /// # Errors
    /// Where a host cannot listen, or its certificate cannot be made.
    pub fn up(
        policies: &IndexMap<String, LabPolicy>,
        ground: &Ground,
        authority: Arc<Authority>,
        dialer: &Dialer,
    ) -> Result<Self, LabError> {
        let mut tasks = JoinSet::new();
        let mut doors: IndexMap<String, Vec<PolicyDoor>> = IndexMap::new();
        for (domain, policy) in policies {
            let host = policy_host(domain);
            let places = ground.policies.get(&host).map_or(&[][..], |site| &site.addresses);
            for (index, place) in places.iter().enumerate() {
                let listener = listen(&host, *place)?;
                let real = listener.local_addr().map_err(|error| LabError::Listen {
                    host: host.clone(),
                    address: *place,
                    error,
                })?;
                dialer.route(&host, real.ip(), Listening::plain(real));
                let door = PolicyDoor::new(page(policy, index, &authority)?);
                tasks.spawn(door.clone().serve(listener));
                doors.entry(domain.clone()).or_default().push(door);
            }
        }
        Ok(Self { authority, doors, _tasks: tasks })
    }

    /// From now on these policies are served, each by the host of its domain.
    ///
    /// # Errors
    /// Where a certificate cannot be made.
    pub fn show(&self, policies: &IndexMap<String, LabPolicy>) -> Result<(), LabError> {
        for (domain, policy) in policies {
            for (index, door) in self.doors.get(domain).into_iter().flatten().enumerate() {
                door.show(page(policy, index, &self.authority)?);
            }
        }
        Ok(())
    }
}

/// What the host of a policy shows at its address `index`, from 0.
fn page(policy: &LabPolicy, index: usize, authority: &Authority) -> Result<Page, AuthorityError> {
    let host = policy_host(&policy.domain.value);
    let mut page = Page::of(authority.acceptor(&[&host])?, policy.text.as_str());
    let here = |number: &Spanned<u16>| usize::from(number.value) == index + 1;
    let Some(fault) = policy.faults.iter().find(|it| it.address.as_ref().is_none_or(here)) else { return Ok(page) };
    match &fault.action {
        PolicyAction::Certificate(flaw) => page.acceptor = authority.flawed_acceptor(&host, flawed(*flaw))?,
        PolicyAction::Status(status) => page.status = *status,
        PolicyAction::Redirect(to) => (page.status, page.location) = (301, Some(to.clone())),
        PolicyAction::Delay(time) => page.delay = *time,
        PolicyAction::Huge => page.body.push_str(&"x: more than any policy needs\n".repeat(MAX_POLICY / 24)),
        PolicyAction::ContentType(kind) => page.content_type = Some(kind.clone()),
        PolicyAction::Text(text) => page.body.clone_from(text),
    }
    page.delay = page.delay.min(Duration::from_secs(3_600));
    Ok(page)
}

fn flawed(flaw: PolicyCertificate) -> Flaw {
    match flaw {
        PolicyCertificate::Expired => Flaw::Expired,
        PolicyCertificate::NotYetValid => Flaw::NotYetValid,
        PolicyCertificate::SelfSigned => Flaw::SelfSigned,
        PolicyCertificate::UnknownCa => Flaw::UnknownCa,
        PolicyCertificate::WrongName => Flaw::WrongName,
    }
}

/// The zones of a lab with the records of its policies: in the zone of the domain, which is made
/// where nobody wrote it.
pub fn with_records(
    zones: &IndexMap<String, Spanned<String>>,
    policies: &IndexMap<String, LabPolicy>,
) -> Vec<(String, String)> {
    let mut all: IndexMap<String, String> =
        zones.iter().map(|(origin, text)| (origin.clone(), text.value.clone())).collect();
    for (domain, policy) in policies {
        let zone = all.entry(domain.clone()).or_default();
        if let Some(id) = &policy.id {
            zone.push_str(&format!("\n_mta-sts.{domain}. IN TXT \"v=STSv1; id={id};\"\n"));
        }
    }
    all.into_iter().collect()
}

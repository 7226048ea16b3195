//! Names below a domain that mail clients use or guess.

use futures_util::future::join_all;

use super::super::facts::ClientName;
use super::{Names, host};

/// What clients look for by themselves (Thunderbird's autoconfig, Outlook's autodiscover) and the names
/// that people have typed into them.
pub(in crate::audit) const LABELS: &[&str] =
    &["autoconfig", "autodiscover", "ua-auto-config", "mail", "smtp", "imap", "pop", "pop3", "webmail"];

/// Where each of them leads.
pub(super) async fn names(names: &dyn Names, domain: &str) -> Vec<ClientName> {
    let asked =
        LABELS.iter().map(async |label| ClientName { label, host: host(names, &format!("{label}.{domain}")).await });
    join_all(asked).await
}

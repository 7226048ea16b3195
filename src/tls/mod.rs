//! TLS as a sending MTA uses it, and the certificates of a lab.
//!
//! ```text
//!   Trust (roots) ──> connect(stream, host) ──> TlsStream + TlsSeen (chain, every flaw)
//!                        │ the verifier captures and never aborts: opportunistic TLS goes on
//!                        └ judge(chain, host, roots, now): each check by itself
//!
//!   Authority ──> acceptor(names) for a lab's hosts, also with a flaw on purpose
//! ```
//!
//! One provider, aws-lc-rs, named everywhere and never a process default. The time of day comes
//! from the run's clock.

mod accept;
mod authority;
mod capture;
mod connect;
mod describe;
mod judge;
mod trust;

pub use accept::{BadIdentity, acceptor, acceptor_from_pem};
pub use authority::{Authority, AuthorityError, Flaw, Validity};
pub use connect::{TlsFailed, connect, verifying};
pub use describe::certificate;
pub use judge::{CertificateFlaw, judge};
pub use trust::{BadPem, Trust};

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// The only provider of this crate.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

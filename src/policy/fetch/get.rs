//! One GET at one address.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::super::MAX_POLICY;
use super::{Fetched, HTTPS, PATH, policy_host};
use crate::dns::{LookupError, Lookups};
use crate::tls::{self, Trust};
use crate::world::{Clock, Dialer};

/// The most addresses of one policy host that are asked.
const MAX_ADDRESSES: usize = 20;
/// The longest header that is kept, in characters.
const MAX_HEADER: usize = 1_000;

/// How long, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the TCP handshake.
    pub connect: Duration,
    /// For all of it.
    pub whole: Duration,
}

impl Default for Limits {
    /// What RFC 8461 3.3 suggests: a minute.
    fn default() -> Self {
        Self { connect: Duration::from_secs(30), whole: Duration::from_secs(60) }
    }
}

/// Fetches policies.
#[derive(Clone, Debug)]
pub struct Getter {
    /// The door to hosts.
    pub dialer: Dialer,
    /// Whose certificates are trusted when the chain is judged.
    pub trust: Trust,
    /// For times, and the dates of certificates.
    pub clock: Clock,
    /// How long.
    pub limits: Limits,
}

impl Getter {
    /// Asks every address of the policy host of `domain`, all at once; in the order of DNS, IPv6
    /// first.
    ///
    /// # Errors
    /// Where the policy host has no address, or DNS does not say.
    pub async fn everywhere(&self, names: &dyn Lookups, domain: &str) -> Result<Vec<Fetched>, LookupError> {
        let host = policy_host(domain);
        let addresses = names.addresses(&host).await?;
        let all = addresses.into_iter().take(MAX_ADDRESSES).map(|address| self.at(domain, address));
        Ok(futures_util::future::join_all(all).await)
    }

    /// Asks as a sender does: address after address, until one answers at all.
    ///
    /// # Errors
    /// Where the policy host has no address, or DNS does not say.
    pub async fn somewhere(&self, names: &dyn Lookups, domain: &str) -> Result<Fetched, LookupError> {
        let host = policy_host(domain);
        let mut last =
            Fetched { host: host.clone(), trouble: Some("it has no address".to_owned()), ..Fetched::default() };
        for address in names.addresses(&host).await?.into_iter().take(MAX_ADDRESSES) {
            last = self.at(domain, address).await;
            if last.status.is_some() {
                break;
            }
        }
        Ok(last)
    }

    /// Asks one address.
    pub async fn at(&self, domain: &str, address: IpAddr) -> Fetched {
        let host = policy_host(domain);
        let target = self.dialer.target(&host, address, HTTPS);
        let began = Instant::now();
        let mut fetched =
            Fetched { host, address: target.own.to_string(), at: Some(self.clock.now()), ..Fetched::default() };
        let deadline = began + self.limits.whole;
        let asked = timeout_at(deadline, self.ask(&target, &mut fetched, deadline)).await;
        fetched.ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        fetched.trouble = match asked {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(_) => Some(format!("no whole answer within {:?}", self.limits.whole)),
        };
        fetched
    }

    async fn ask(
        &self,
        target: &crate::world::Listening,
        fetched: &mut Fetched,
        deadline: Instant,
    ) -> Result<(), String> {
        let stream = self.dialer.connect(target, None, self.limits.connect).await.map_err(|error| error.to_string())?;
        let left = deadline.saturating_duration_since(Instant::now());
        let stream = match tls::connect(stream, &fetched.host, &self.trust, &self.clock, left).await {
            Ok((stream, seen)) => {
                fetched.tls = Some(seen);
                stream
            }
            Err(failed) => {
                fetched.tls = Some(failed.seen.clone());
                return Err(failed.to_string());
            }
        };
        let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| whole(&error))?;
        // Dropped at the end, which closes the connection.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let request = Request::get(PATH)
            .header(HOST, fetched.host.as_str())
            .header(USER_AGENT, concat!("mxdrill/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "text/plain")
            .body(String::new())
            .map_err(|error| error.to_string())?;
        let response = client.send_request(request).await.map_err(|error| whole(&error))?;
        keep(response, fetched).await
    }
}

async fn keep(response: Response<Incoming>, fetched: &mut Fetched) -> Result<(), String> {
    fetched.status = Some(response.status().as_u16());
    fetched.location = header(response.headers(), &LOCATION);
    fetched.content_type = header(response.headers(), &CONTENT_TYPE);
    let mut body = pin!(response.into_body());
    let mut bytes: Vec<u8> = vec![];
    let read = loop {
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        match next {
            None => break Ok(()),
            Some(Err(error)) => break Err(whole(&error)),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                bytes.extend_from_slice(&data[..data.len().min(MAX_POLICY + 1 - bytes.len())]);
                if bytes.len() > MAX_POLICY {
                    break Ok(());
                }
            }
        }
    };
    fetched.bytes = bytes.len() as u64;
    bytes.truncate(MAX_POLICY);
    fetched.body = String::from_utf8_lossy(&bytes).into_owned();
    read
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).chars().filter(|it| !it.is_control()).take(MAX_HEADER).collect())
}

/// The error and what is behind it: the first alone says little.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(next) = inner {
        text.push_str(&format!(": {next}"));
        inner = next.source();
    }
    text
}

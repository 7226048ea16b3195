//! Documents that tell mail clients their settings, fetched as clients do.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use hickory_resolver::proto::rr::RecordType;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use super::super::document::{MAX_DOCUMENT, named};
use super::super::facts::{Data, Document, DomainFacts, HostFacts, Named};
use super::{Gate, Live};
use crate::tls::{self, Trust};
use crate::world::Clock;

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 5;
/// How long one answer may take.
const LIMIT: Duration = Duration::from_secs(20);
/// How many domains' documents are fetched at the same time.
const MOST_AT_ONCE: usize = 8;

/// Fetches documents.
pub struct Documents<'a> {
    names: &'a Live,
    gate: Arc<Gate>,
    trust: Trust,
    clock: Clock,
    /// The port of HTTPS: 443, but for a lab.
    port: u16,
}

/// How a document is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Get,
    /// As Outlook does ([MS-OXDSCLI] 3.1.5.1).
    Autodiscover,
}

/// What one place gave.
enum Got {
    Page(String),
    Elsewhere(Url),
    Nothing,
}

impl<'a> Documents<'a> {
    /// Fetches from hosts as `names` knows them.
    pub fn new(names: &'a Live, trust: Trust, clock: Clock, port: u16) -> Self {
        Self { names, gate: Arc::clone(&names.gate), trust, clock, port }
    }

    /// Fetches the documents of every domain.
    pub async fn fetch_all(&self, facts: &mut [DomainFacts]) {
        let one = |domain: &'_ DomainFacts| {
            let wanted = self.wanted(domain);
            async move { join_all(wanted.into_iter().map(|(kind, url, how)| self.fetch(kind, url, how))).await }
        };
        let jobs: Vec<_> = facts.iter().map(one).collect();
        let found: Vec<Vec<Document>> = stream::iter(jobs).buffered(MOST_AT_ONCE).collect().await;
        for (domain, documents) in facts.iter_mut().zip(found) {
            domain.documents = documents;
        }
    }

    /// Where clients look, as far as the names exist.
    fn wanted(&self, domain: &DomainFacts) -> Vec<(&'static str, String, How)> {
        let name = &domain.name;
        let port = if self.port == 443 { String::new() } else { format!(":{}", self.port) };
        let has = |host: &HostFacts| !host.addresses.is_empty();
        let client = |label: &str| domain.clients.iter().any(|one| one.label == label && has(&one.host));
        let mut wanted = vec![];
        if client("autoconfig") {
            let path = format!("/mail/config-v1.1.xml?emailaddress=postmaster%40{name}");
            wanted.push(("autoconfig", format!("https://autoconfig.{name}{port}{path}"), How::Get));
        }
        if client("autodiscover") {
            let url = format!("https://autodiscover.{name}{port}/autodiscover/autodiscover.xml");
            wanted.push(("autodiscover", url, How::Autodiscover));
        }
        if client("ua-auto-config") {
            let url = format!("https://ua-auto-config.{name}{port}/.well-known/user-agent-configuration.json");
            wanted.push(("pacc", url, How::Get));
        }
        if has(&domain.itself) {
            let path = "/.well-known/autoconfig/mail/config-v1.1.xml";
            wanted.push(("autoconfig", format!("https://{name}{port}{path}"), How::Get));
            wanted.push((
                "autodiscover",
                format!("https://{name}{port}/autodiscover/autodiscover.xml"),
                How::Autodiscover,
            ));
        }
        wanted
    }

    async fn fetch(&self, kind: &'static str, url: String, how: How) -> Document {
        let mut redirects = vec![];
        let names = self.follow(kind, &url, how, &mut redirects).await;
        Document { kind, url, redirects, names }
    }

    async fn follow(
        &self,
        kind: &str,
        url: &str,
        how: How,
        redirects: &mut Vec<String>,
    ) -> Result<Option<Vec<Named>>, String> {
        let mut here = Url::parse(url).map_err(|error| error.to_string())?;
        loop {
            match self.at(&here, how).await? {
                Got::Page(text) => return Ok(named(kind, &text)),
                Got::Nothing => return Ok(None),
                Got::Elsewhere(next) if redirects.len() < MOST_REDIRECTS => {
                    redirects.push(next.to_string());
                    here = next;
                }
                Got::Elsewhere(_) => return Err(format!("more than {MOST_REDIRECTS} redirects")),
            }
        }
    }

    async fn at(&self, url: &Url, how: How) -> Result<Got, String> {
        let host = url.host_str().ok_or("a redirect leads to no host")?.to_owned();
        let Some(address) = self.address(&host).await? else { return Ok(Got::Nothing) };
        let port = url.port_or_known_default().unwrap_or(443);
        let place = format!("{host} ({address}), port {port}");
        self.gate.admit(&place, address, "fetch a document for mail clients").map_err(|it| it.to_string())?;
        let client = self.client(&host, SocketAddr::new(address, port))?;
        let request = match how {
            How::Get => client.get(url.clone()),
            How::Autodiscover => client.post(url.clone()).header(CONTENT_TYPE, "text/xml").body(outlook(url)),
        };
        match request.send().await {
            Ok(response) => got(url, response).await,
            // Nobody listens there, or no client would take what it says: then there is no document.
            Err(error) if error.is_connect() && !error.is_timeout() => Ok(Got::Nothing),
            Err(error) => Err(whole(&error)),
        }
    }

    async fn address(&self, host: &str) -> Result<Option<IpAddr>, String> {
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Ok(Some(address));
        }
        for kind in [RecordType::A, RecordType::AAAA] {
            let end = super::super::gather::trail(self.names, host, kind).await.end;
            if let Some(Data::Address(address)) = end.records().first().map(|rr| &rr.data) {
                return Ok(Some(*address));
            }
            if let (crate::record::Sight::Unable, Some(why)) = end.sight() {
                return Err(why.to_owned());
            }
        }
        Ok(None)
    }

    fn client(&self, host: &str, address: SocketAddr) -> Result<Client, String> {
        let config = tls::verifying(&self.trust, self.clock).map_err(|error| error.to_string())?;
        Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(LIMIT)
            .resolve(host, address)
            .user_agent(concat!("mxdrill/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| whole(&error))
    }
}

async fn got(url: &Url, mut response: Response) -> Result<Got, String> {
    let status = response.status();
    if status.is_redirection() {
        let target = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
        let next = target.and_then(|target| url.join(target).ok());
        return Ok(next.filter(|it| matches!(it.scheme(), "http" | "https")).map_or(Got::Nothing, Got::Elsewhere));
    }
    if status.is_server_error() {
        return Err(format!("the server answers {status}"));
    }
    if !status.is_success() {
        return Ok(Got::Nothing);
    }
    let mut body = vec![];
    while let Some(part) = response.chunk().await.map_err(|error| whole(&error))? {
        body.extend_from_slice(&part[..part.len().min(MAX_DOCUMENT - body.len())]);
        if body.len() == MAX_DOCUMENT {
            break;
        }
    }
    Ok(Got::Page(String::from_utf8_lossy(&body).into_owned()))
}

/// What Outlook sends.
fn outlook(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let domain = host.strip_prefix("autodiscover.").unwrap_or(host);
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/\
         autodiscover/outlook/requestschema/2006\"><Request><EMailAddress>postmaster@{domain}</EMailAddress>\
         <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\
         </AcceptableResponseSchema></Request></Autodiscover>"
    )
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

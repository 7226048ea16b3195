//! The resolver, and everybody else who can be asked about names.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::join_all;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::RecordType;
use tokio::sync::{OnceCell, Semaphore};

use super::super::facts::{Answer, Data, FromSource, Rr, SourceKind, Told};
use super::super::gather::Names;
use super::Gate;
use crate::dns::{Recursion, ask};

/// The most questions that are under way at the same time.
const MOST_AT_ONCE: usize = 32;

type Known = HashMap<(String, RecordType), Arc<OnceCell<Answer>>>;

/// The network.
pub struct Live {
    pub(super) gate: Arc<Gate>,
    pub(super) resolver: SocketAddr,
    pub(super) views: Vec<(String, SocketAddr)>,
    /// Where authoritative servers listen: 53, but for a lab.
    pub(super) port: u16,
    limit: Semaphore,
    known: Mutex<Known>,
}

impl Live {
    /// Asks `resolver`, and each of `views` by its name.
    pub fn new(gate: Arc<Gate>, resolver: SocketAddr, views: Vec<(String, SocketAddr)>, port: u16) -> Self {
        Self { gate, resolver, views, port, limit: Semaphore::new(MOST_AT_ONCE), known: Mutex::default() }
    }

    /// One question to one server.
    pub(super) async fn put(
        &self,
        server: SocketAddr,
        by: &str,
        (name, kind): (&str, RecordType),
        recursion: Recursion,
    ) -> Result<Message, String> {
        self.gate
            .admit(&format!("{by}, port {}", server.port()), server.ip(), "ask it about names")
            .map_err(|it| it.to_string())?;
        let _slot = self.limit.acquire().await.map_err(|error| error.to_string())?;
        ask(server, name, kind, recursion).await
    }

    /// One question to one server that is to look further itself.
    async fn recursive(&self, server: SocketAddr, by: &str, name: &str, kind: RecordType) -> Answer {
        match self.put(server, by, (name, kind), Recursion::Wanted).await {
            Ok(message) => answer(&message, by, name, kind),
            Err(why) => Answer::Unable(why),
        }
    }

    fn resolver_name(&self) -> String {
        format!("resolver {}", place(self.resolver))
    }
}

/// An address, and the port where it is not DNS's own.
pub(super) fn place(server: SocketAddr) -> String {
    if server.port() == 53 { server.ip().to_string() } else { server.to_string() }
}

#[async_trait]
impl Names for Live {
    async fn ask(&self, name: &str, kind: RecordType) -> Answer {
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry((name.to_owned(), kind)).or_default())
        };
        let asked =
            cell.get_or_init(|| async { self.recursive(self.resolver, &self.resolver_name(), name, kind).await });
        asked.await.clone()
    }

    async fn everywhere(&self, name: &str, kind: RecordType) -> Vec<FromSource> {
        let of = |kind, source: &str, answer| FromSource { kind, source: source.to_owned(), answer };
        let resolver = of(SourceKind::Resolver, &self.resolver_name(), self.ask(name, kind).await);
        let mut authorities = self.authorities(name, kind).await;
        let views = join_all(self.views.iter().map(async |(view, server)| {
            let by = format!("view `{view}` ({})", place(*server));
            let answer = self.recursive(*server, &by, name, kind).await;
            of(SourceKind::View, &by, answer)
        }))
        .await;
        // Senders go by the resolver; where that is silent, what a server with authority says is next best.
        let mut sources = vec![resolver];
        if let Answer::Unable(_) = sources[0].answer
            && let Some(at) =
                authorities.iter().position(|it| !matches!(it.answer, Answer::Unable(_) | Answer::Left(_)))
        {
            sources.insert(0, authorities.remove(at));
        }
        sources.extend(authorities);
        sources.extend(views);
        sources
    }

    async fn delegation(&self, domain: &str) -> Option<Answer> {
        self.delegated(domain).await
    }
}

/// What a message says about one name; aliases are not followed.
pub(super) fn answer(message: &Message, by: &str, name: &str, kind: RecordType) -> Answer {
    let told = Told::server(by);
    let of_name: Vec<Rr> =
        message.answers.iter().filter_map(|it| Rr::of(it, told.clone())).filter(|rr| rr.owner == name).collect();
    let found: Vec<Rr> = of_name.iter().filter(|rr| fits(&rr.data, kind)).cloned().collect();
    if !found.is_empty() {
        return Answer::Found(found);
    }
    if let Some(alias) = of_name.into_iter().find(|rr| matches!(rr.data, Data::Alias(_))) {
        return Answer::Alias(Box::new(alias));
    }
    match message.metadata.response_code {
        ResponseCode::NoError => Answer::NoData,
        ResponseCode::NXDomain => Answer::NoName,
        code => Answer::Unable(word(code)),
    }
}

/// The code as everybody knows it.
fn word(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        code => format!("the answer has the code {code}"),
    }
}

fn fits(data: &Data, kind: RecordType) -> bool {
    match data {
        Data::Mx { .. } => kind == RecordType::MX,
        Data::Address(address) => kind == if address.is_ipv4() { RecordType::A } else { RecordType::AAAA },
        Data::Alias(_) => kind == RecordType::CNAME,
        Data::Text(_) => kind == RecordType::TXT,
        Data::Service { .. } => kind == RecordType::SRV,
        Data::Server(_) => kind == RecordType::NS,
        Data::Pointer(_) => kind == RecordType::PTR,
        Data::Tlsa(_) => kind == RecordType::TLSA,
    }
}

//! Authoritative servers, asked directly.

use std::net::SocketAddr;

use futures_util::future::join_all;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::super::facts::{Answer, Data, FromSource, Rr, SourceKind, Told};
use super::super::gather::Names;
use super::Live;
use super::names::{answer, place};
use crate::dns::Recursion;

/// How many servers of a parent zone are asked until one answers: they all have the same zone.
const PARENTS: usize = 2;

impl Live {
    /// The same question to every address of every server that the zone of `name` has.
    pub(super) async fn authorities(&self, name: &str, kind: RecordType) -> Vec<FromSource> {
        let Some((_, servers)) = self.zone_of(name).await else { return vec![] };
        let asked = servers.iter().map(|rr| self.server(rr, name, kind));
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// The zone that holds `name`, and its NS records.
    async fn zone_of(&self, name: &str) -> Option<(String, Vec<Rr>)> {
        let mut zone = name;
        loop {
            match self.ask(zone, RecordType::NS).await {
                Answer::Found(records) => return Some((zone.to_owned(), records)),
                Answer::Unable(_) | Answer::Left(_) => return None,
                _ => zone = zone.split_once('.')?.1,
            }
        }
    }

    /// Every address of a server, as the resolver gives it.
    async fn addresses(&self, server: &str) -> Result<Vec<SocketAddr>, String> {
        let (v4, v6) = futures_util::join!(self.ask(server, RecordType::A), self.ask(server, RecordType::AAAA));
        let found: Vec<SocketAddr> = v4
            .records()
            .iter()
            .chain(v6.records())
            .filter_map(|rr| match rr.data {
                Data::Address(address) => Some(SocketAddr::new(address, self.port)),
                _ => None,
            })
            .collect();
        match found.is_empty() {
            false => Ok(found),
            true => Err(match v4.sight().1 {
                Some(why) => format!("its address is not known: {why}"),
                None => "it has no address".to_owned(),
            }),
        }
    }

    async fn server(&self, rr: &Rr, name: &str, kind: RecordType) -> Vec<FromSource> {
        let Data::Server(server) = &rr.data else { return vec![] };
        match self.addresses(server).await {
            Ok(addresses) => join_all(addresses.into_iter().map(|at| self.authority(server, at, name, kind))).await,
            Err(why) => {
                vec![FromSource { kind: SourceKind::Authority, source: server.clone(), answer: Answer::Unable(why) }]
            }
        }
    }

    async fn authority(&self, server: &str, at: SocketAddr, name: &str, kind: RecordType) -> FromSource {
        let source = format!("{server} ({})", place(at));
        let from = |kind, answer| FromSource { kind, source: source.clone(), answer };
        match self.put(at, &source, (name, kind), Recursion::Unwanted).await {
            Err(why) => from(SourceKind::Authority, Answer::Unable(why)),
            Ok(message) if message.metadata.response_code == ResponseCode::Refused => {
                from(SourceKind::Lame, Answer::Unable("REFUSED".to_owned()))
            }
            Ok(message)
                if message.metadata.response_code == ResponseCode::NoError && !message.metadata.authoritative =>
            {
                from(SourceKind::Lame, Answer::Unable("it answers without authority (no AA)".to_owned()))
            }
            Ok(message) => from(SourceKind::Authority, answer(&message, &source, name, kind)),
        }
    }

    /// The NS records that the parent zone gives out for `domain`; `None` where they are not known, or where
    /// the same servers hold both zones.
    pub(super) async fn delegated(&self, domain: &str) -> Option<Answer> {
        let (zone, _) = self.zone_of(domain).await?;
        let (_, parents) = self.zone_of(domain.split_once('.')?.1).await.filter(|_| zone == domain)?;
        for rr in parents.iter().take(PARENTS) {
            let Data::Server(server) = &rr.data else { continue };
            let Some(at) = self.addresses(server).await.ok().and_then(|all| all.first().copied()) else { continue };
            let by = format!("{server} ({})", place(at));
            let Ok(message) = self.put(at, &by, (domain, RecordType::NS), Recursion::Unwanted).await else { continue };
            if message.metadata.authoritative {
                return None;
            }
            let told = Told::server(&by);
            let given: Vec<Rr> = message
                .authorities
                .iter()
                .filter_map(|it| Rr::of(it, told.clone()))
                .filter(|rr| rr.owner == domain && matches!(rr.data, Data::Server(_)))
                .collect();
            if !given.is_empty() {
                return Some(Answer::Found(given));
            }
        }
        None
    }
}

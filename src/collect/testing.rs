//! What the tests of this room share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::notes::Notes;
use super::{CollectError, Collecting, Context, Resolve, Since, Watching, erase, open};
use crate::inventory::{Collector, Looks};
use crate::record::{Cleaned, Event, Journal, Landed, Looked, Passed, Returned, RunId, TAG_HEADER, Tag};
use crate::world::{Clock, Environment};

/// A run without anything around it.
pub(super) struct Bench {
    pub(super) run: RunId,
    pub(super) journal: Journal,
    pub(super) since: Since,
    pub(super) environment: Environment,
    pub(super) roots: Arc<rustls::RootCertStore>,
}

struct NoNames;

#[async_trait]
impl Resolve for NoNames {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        match host {
            "far.example" => Ok(vec![IpAddr::from([192, 0, 2, 1])]),
            "near.example" => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            _ => Err("no such host".to_owned()),
        }
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        let now = "2026-11-21T05:42:24Z".parse().expect("a time");
        Self {
            run: RunId::from_entropy(0x0123_4567_89ab_cdef),
            journal: Journal::in_memory(Clock::starting_at(now)),
            since: Since::Opening,
            environment: Environment::new([("PASSWORD".to_owned(), "s3cret".to_owned())]),
            roots: Arc::new(rustls::RootCertStore::empty()),
        }
    }

    fn watching(looks: Looks) -> Watching {
        let collector = Collector { host: None, looks };
        Watching { platform: "new".into(), collector: Arc::new(collector), host: None }
    }

    pub(super) fn context(&self) -> Context {
        Context {
            run: self.run.clone(),
            journal: self.journal.clone(),
            environment: self.environment.clone(),
            roots: self.roots.clone(),
            resolve: Arc::new(NoNames),
            since: self.since,
        }
    }

    pub(super) fn notes(&self) -> Notes {
        Notes::new(&Self::watching(Looks::Mbox("x".into())), &self.context())
    }

    pub(super) async fn open(&self, looks: Looks) -> Result<Collecting, CollectError> {
        open(Self::watching(looks), self.context()).await
    }

    pub(super) async fn erase(&self, looks: Looks) -> Cleaned {
        erase(&Self::watching(looks), &self.context()).await
    }

    fn events(&self) -> impl Iterator<Item = Event> {
        self.journal.since(0).into_iter().map(|entry| entry.event)
    }

    pub(super) fn landed(&self) -> Vec<Landed> {
        self.events().filter_map(|event| if let Event::Landed(it) = event { Some(it) } else { None }).collect()
    }

    pub(super) fn passed(&self) -> Vec<Passed> {
        self.events().filter_map(|event| if let Event::Passed(it) = event { Some(it) } else { None }).collect()
    }

    pub(super) fn returned(&self) -> Vec<Returned> {
        self.events().filter_map(|event| if let Event::Returned(it) = event { Some(it) } else { None }).collect()
    }

    pub(super) fn looked(&self) -> Vec<Looked> {
        self.events().filter_map(|event| if let Event::Looked(it) = event { Some(it) } else { None }).collect()
    }

    /// Waits until as many copies were noted.
    pub(super) async fn until_landed(&self, count: usize) {
        let mut length = self.journal.length();
        let enough = async {
            while self.landed().len() < count {
                length.changed().await.expect("the journal lives");
            }
        };
        tokio::time::timeout(Duration::from_secs(10), enough).await.expect("it lands in time");
    }
}

/// A probe as a store keeps it.
pub(super) fn message_of(tag: &Tag, queue_id: &str) -> String {
    format!(
        "Received: from probe.example (unknown [127.0.0.1])\n\tby mx1.new.example (Postfix) with ESMTP id {queue_id}\n\
         \tfor <probe@drill.example>; Sat, 21 Nov 2026 05:42:24 +0000 (UTC)\nSubject: a probe\n\
         Message-ID: {}\n{TAG_HEADER}: {tag}\n\nbody\n",
        tag.message_id()
    )
}

/// What Postfix sends to a probe's reverse-path where its recipient is refused.
pub(super) fn bounce_of(tag: &Tag) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dsn/postfix-failed.eml");
    std::fs::read_to_string(path).expect("a sample").replace("7k3f9x2mqa01-00012", tag.as_str())
}

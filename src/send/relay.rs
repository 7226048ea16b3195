//! The sender `relay`: a real MTA under test. mxdrill hands mail over to it, and it routes by
//! itself; what its queue says is evidence.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::program::Program;
use super::queue::{Queued, Waits, read};
use super::{Outgoing, Submitter};
use crate::record::{Event, Handling, Journal, Passed, RanEnd, RunId, SentState, Tag, find_tags};
use crate::scenario::ways::{Queue, Relay};

/// How long a command that looks into the queue, or makes the MTA forget, may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How much of a printed queue is read, in bytes: some 20,000 messages.
const LARGEST_QUEUE: usize = 8 << 20;
/// The least time between two looks: each starts a program.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The sender.
#[derive(Clone)]
pub struct RelayMta {
    submitter: Submitter,
    mta: Arc<Mta>,
}

struct Mta {
    name: String,
    platform: String,
    run: RunId,
    queue: Option<Queue>,
    forget: Vec<String>,
    env: Vec<(String, String)>,
    journal: Journal,
    /// What was noted already, by tag and reason.
    noted: Mutex<BTreeSet<(Tag, String)>>,
    /// Queue-ids that were there at an earlier look.
    seen: Mutex<BTreeSet<String>>,
}

impl RelayMta {
    /// The MTA as the scenario states it, reached by `submitter`; `env` is what its commands find.
    pub fn new(
        stated: &Relay,
        submitter: Submitter,
        platform: String,
        run: RunId,
        env: Vec<(String, String)>,
        journal: Journal,
    ) -> Self {
        let (name, queue, forget) = (stated.name().to_owned(), stated.queue.clone(), stated.forget.clone());
        let mta =
            Mta { name, platform, run, queue, forget, env, journal, noted: Mutex::default(), seen: Mutex::default() };
        Self { submitter, mta: Arc::new(mta) }
    }

    /// Hands `mail` over to it.
    pub async fn deliver(&self, mail: &Outgoing) -> SentState {
        self.submitter.deliver(mail).await
    }

    /// Looks into its queue, and notes which probes wait there and why; each reason once.
    pub async fn look(&self) {
        let Some(queue) = &self.mta.queue else { return };
        match self.mta.command(&queue.command).await {
            Ok(printed) => {
                let waiting = read(queue.format, &printed);
                waiting.iter().for_each(|queued| self.mta.note(queued, &queue.command.join(" ")));
            }
            Err(why) => self.mta.warn(format!("the queue of {} cannot be seen: {why}", self.mta.name)),
        }
    }

    /// Makes it forget hosts that failed: an MTA that remembers them skips the primary of the next
    /// phase, whose faults then meet nobody.
    pub async fn forget(&self) {
        if self.mta.forget.is_empty() {
            return self.mta.warn(format!(
                "{} may remember from an earlier phase which hosts failed, and skip them: what it does at first sight \
                 was tested in the first phase only; state `forget` to clear its memory",
                self.mta.name
            ));
        }
        if let Err(why) = self.mta.command(&self.mta.forget).await {
            self.mta.warn(format!("{} may remember hosts that failed: `forget` did not work: {why}", self.mta.name));
        }
    }

    /// Whether its queue can be looked into: then somebody should, now and again.
    pub fn queue(&self) -> Option<&Queue> {
        self.mta.queue.as_ref()
    }
}

impl Mta {
    async fn command(&self, words: &[String]) -> Result<String, String> {
        let path = words.first().cloned().unwrap_or_default();
        let arguments = words.iter().skip(1).cloned().collect();
        let (env, keep) = (self.env.clone(), LARGEST_QUEUE);
        let program = Program { path: path.clone(), arguments, env, dir: None, input: None, limit: LIMIT, keep };
        let ended = program.run().await;
        match (ended.end, ended.code) {
            (RanEnd::Exited, Some(0)) => Ok(ended.stdout),
            (RanEnd::Exited, Some(code)) => Err(format!("`{path}` ended with {code}: {}", ended.stderr)),
            (end, _) => Err(format!("`{path}` {end} {}", ended.stderr)),
        }
    }

    fn note(&self, queued: &Queued, command: &str) {
        let seen_before = !self.seen().insert(queued.id.clone());
        let waits = match queued.waits {
            Waits::Surely => true,
            Waits::Maybe => seen_before,
            Waits::Not => false,
        };
        if !waits {
            return;
        }
        let texts = std::iter::once(&queued.sender).chain(&queued.waiting);
        let tags: BTreeSet<Tag> = texts.flat_map(|text| find_tags(text, self.run.as_str())).collect();
        for tag in tags {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if !noted.insert((tag.clone(), queued.reason.clone())) {
                continue;
            }
            drop(noted);
            self.journal.note(Event::Passed(Passed {
                tag,
                platform: self.platform.clone(),
                host: Some(self.name.clone()),
                collector: format!("queue {}", self.name),
                at: self.journal.clock().now(),
                queue_id: Some(queued.id.clone()),
                handling: Handling::Deferred,
                next_host: None,
                next_address: None,
                next_queue_id: None,
                status: None,
                reply: queued.reason.clone(),
                detail: command.to_owned(),
            }));
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warn(&self, text: String) {
        self.journal.note(Event::Warning { text });
    }
}

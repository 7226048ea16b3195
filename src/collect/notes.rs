//! What a place writes into the journal, in the name of its collector.

use std::sync::Arc;

use jiff::Timestamp;

use super::{CollectError, Context, Trouble, Watching};
use crate::mail::EnhancedStatus;
use crate::mail::dsn::{Fate, Report};
use crate::record::{Event, Handling, Journal, Landed, Looked, LookedState, Passed, Placement, Returned, RunId, Tag};

/// The longest reply or line that is quoted, in characters.
const MAX_QUOTE: usize = 1000;

/// The journal, and who speaks. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Notes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    run: RunId,
    journal: Journal,
    platform: Arc<str>,
    collector: Arc<str>,
    /// The host that the evidence is of, where the inventory says it.
    host: Option<String>,
    /// The host that the collector itself names.
    of: Option<String>,
}

/// A copy at rest.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) tag: Tag,
    pub(super) at: Timestamp,
    pub(super) queue_id: Option<String>,
    pub(super) detail: String,
    pub(super) placement: Placement,
    pub(super) received: Vec<String>,
}

/// A host's handling of a copy that it did not keep.
#[derive(Clone, Debug)]
pub(super) struct Handled {
    pub(super) tag: Tag,
    /// The host, as the log names it, for where the inventory names none.
    pub(super) log_host: Option<String>,
    pub(super) at: Timestamp,
    pub(super) queue_id: Option<String>,
    pub(super) handling: Handling,
    pub(super) next_host: Option<String>,
    pub(super) next_address: Option<String>,
    pub(super) next_queue_id: Option<String>,
    pub(super) status: Option<EnhancedStatus>,
    pub(super) reply: String,
    pub(super) detail: String,
}

impl Notes {
    pub(super) fn new(watching: &Watching, context: &Context) -> Self {
        let of = watching.collector.host.as_ref().map(|host| host.value.clone());
        Self(Arc::new(Inner {
            run: context.run.clone(),
            journal: context.journal.clone(),
            platform: watching.platform.clone(),
            collector: watching.collector.label().into(),
            host: of.clone().or_else(|| watching.host.as_deref().map(str::to_owned)),
            of,
        }))
    }

    pub(super) fn run(&self) -> &RunId {
        &self.0.run
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.journal.clock().now()
    }

    /// Notes a copy at rest; `log_host` is the host's name in a log, for where the inventory
    /// names none.
    pub(super) fn landed(&self, copy: Copy, log_host: Option<String>) {
        self.0.journal.note(Event::Landed(Landed {
            tag: copy.tag,
            platform: self.0.platform.to_string(),
            host: self.0.host.clone().or(log_host),
            collector: self.0.collector.to_string(),
            at: copy.at,
            queue_id: copy.queue_id,
            detail: copy.detail,
            placement: copy.placement,
            received: copy.received,
        }));
    }

    pub(super) fn passed(&self, handled: Handled) {
        self.0.journal.note(Event::Passed(Passed {
            tag: handled.tag,
            platform: self.0.platform.to_string(),
            host: self.0.host.clone().or(handled.log_host),
            collector: self.0.collector.to_string(),
            at: handled.at,
            queue_id: handled.queue_id,
            handling: handled.handling,
            next_host: handled.next_host,
            next_address: handled.next_address,
            next_queue_id: handled.next_queue_id,
            status: handled.status,
            reply: quote(&handled.reply),
            detail: handled.detail,
        }));
    }

    /// Notes what a notification says, recipient by recipient.
    pub(super) fn returned(&self, tag: &Tag, report: &Report, at: Timestamp, detail: &str) {
        for fate in &report.fates {
            let Fate { final_recipient, original_recipient, action, status, remote_mta, diagnostic } = fate.clone();
            let quoted = |text: Option<String>| text.map(|text| quote(&text));
            self.0.journal.note(Event::Returned(Returned {
                tag: tag.clone(),
                platform: self.0.platform.to_string(),
                collector: self.0.collector.to_string(),
                at,
                detail: detail.to_owned(),
                action: action.into(),
                recipient: quoted(final_recipient),
                original_recipient: quoted(original_recipient),
                status,
                reporting_mta: quoted(report.reporting_mta.clone()),
                remote_mta: quoted(remote_mta),
                diagnostic: quoted(diagnostic).unwrap_or_default(),
            }));
        }
    }

    pub(super) fn looked(&self, state: LookedState, why: &str) {
        self.0.journal.note(Event::Looked(Looked {
            platform: self.0.platform.to_string(),
            host: self.0.of.clone(),
            collector: self.0.collector.to_string(),
            state,
            why: quote(why),
        }));
    }

    pub(super) fn warn(&self, text: &str) {
        let text = format!("collector `{}` of platform `{}`: {text}", self.0.collector, self.0.platform);
        self.0.journal.note(Event::Warning { text: quote(&text) });
    }

    pub(super) fn error(&self, trouble: Trouble) -> CollectError {
        CollectError {
            platform: self.0.platform.clone(),
            collector: self.0.collector.clone(),
            what: trouble.what,
            help: trouble.help,
        }
    }
}

/// The text without control characters, cut where it is too long to be shown to a person.
fn quote(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut quoted: String = clean.clone().take(MAX_QUOTE).collect();
    if clean.count() > MAX_QUOTE {
        quoted.push('…');
    }
    quoted
}

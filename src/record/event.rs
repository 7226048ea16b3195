//! What happens in a run, as it happens: one line of the journal each.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attempt, Ran, RunId, Tag, TlsEnd};
use crate::mail::{EnhancedStatus, Stage};
use crate::terms::{BarePlace, Smuggling, UnknownWord, words};

/// An event and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was noted, by the run's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What can happen. Faults and phases are named by their index in the scenario, from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The first line of every journal.
    RunStarted(Box<RunStarted>),
    /// A phase began.
    PhaseStarted {
        /// Which.
        phase: usize,
    },
    /// A fault is in force from now on.
    FaultRaised {
        /// Which, over the whole scenario.
        fault: usize,
    },
    /// It no longer is.
    FaultLifted {
        /// Which.
        fault: usize,
    },
    /// A rule of nftables that stood for a fault was taken away, and has dropped so many SYNs.
    SynsDropped {
        /// Which fault.
        fault: usize,
        /// How many, repeated ones as well.
        syns: u64,
    },
    /// A proxy that stands by itself may have lifted it before its time.
    FaultLost {
        /// Which.
        fault: usize,
        /// Why that is feared, in a sentence.
        why: String,
    },
    /// A fault took effect.
    Fired(Firing),
    /// A proxy has ended TLS on a connection, so that its faults see inside.
    TlsEnded(TlsEnded),
    /// A client of a proxy sent CR or LF alone.
    BareLineEnds(BareLineEnds),
    /// A sender tried a host, for a probe or a control.
    Attempt {
        /// Whose.
        tag: Tag,
        /// What came of it.
        attempt: Attempt,
    },
    /// A program was run to send a probe.
    Ran(Ran),
    /// A sender is done with a probe, or put it off.
    Sent(Sent),
    /// A copy is at rest somewhere.
    Landed(Landed),
    /// A host handled a copy without keeping it.
    Passed(Passed),
    /// The state of a collector changed.
    Looked(Looked),
    /// A phase is over: its faults are lifted, its probes settled or past their deadline.
    PhaseEnded {
        /// Which.
        phase: usize,
    },
    /// Something that a reader should know.
    Warning {
        /// What.
        text: String,
    },
    /// The run was told to stop.
    Interrupted {
        /// By what, such as `SIGINT`.
        by: String,
    },
    /// The last line of a journal that was finished.
    RunEnded,
}

/// What a run started from: enough to judge its journal without any other file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Its id.
    pub run: RunId,
    /// Its seed.
    pub seed: u64,
    /// Of mxdrill.
    pub version: String,
    /// The arguments, without the program's name.
    pub command: Vec<String>,
    /// The scenario's path as given.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// The inventory file's path and text, where one was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inventory: Option<(String, String)>,
    /// Where hosts stand, for the record and the classification of addresses.
    pub standing: Vec<Standing>,
}

/// Where a host stands in this run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// The host.
    pub host: String,
    /// Its address and port.
    pub address: String,
    /// How a proxy stands before it, if one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<StandingProxy>,
    /// Who ended TLS in the host's stead on some connection of the run: what clients saw there of
    /// certificates is not the host's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls_ended_by: Option<TlsEnd>,
}

words! {
    /// How the fault proxy comes to be on the way.
    StandingProxy {
        /// The sender dials it instead of the host.
        Dialled = "dialled",
        /// It stands at the host's lab address, which DNS gives to everybody.
        LabAddress = "lab-address",
        /// It stands there on its own and is told about faults over its control API.
        Standing = "standing",
    }
}

/// A proxy has ended TLS on a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsEnded {
    /// The host that it stands before.
    pub host: String,
    /// For which probe or control; absent where the client could not be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tag: Option<Tag>,
    /// The proxy's number of the connection, from 1.
    pub connection: u64,
}

/// A client of a proxy sent CR or LF alone: in one message, or in commands of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BareLineEnds {
    /// The host that the proxy stands before.
    pub host: String,
    /// For which probe or control; absent where the client could not be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tag: Option<Tag>,
    /// The proxy's number of the connection, from 1.
    pub connection: u64,
    /// The client's address and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<String>,
    /// Where.
    pub place: BarePlace,
    /// How many CR stood alone, as far as was read.
    pub cr: u64,
    /// How many LF.
    pub lf: u64,
    /// What became of them.
    pub smuggling: Smuggling,
}

/// A fault took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firing {
    /// Which fault, over the whole scenario, from 0.
    pub fault: usize,
    /// For which probe or control; absent where the client could not be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tag: Option<Tag>,
    /// The proxy's number of the connection, from 1; 0 where the fault acts before one is accepted.
    pub connection: u64,
    /// The client's address and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<String>,
    /// Where in the session.
    pub stage: Stage,
    /// The command that it met, without its line end; cut to 200 characters.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub command: String,
}

words! {
    /// The sender's word on a probe.
    SentState {
        /// A host took it.
        Delivered = "delivered",
        /// It waits for its next round.
        Deferred = "deferred",
        /// A host refused it for good, or there is none.
        Bounced = "bounced",
        /// The deadline passed while it was deferred.
        Expired = "expired",
        /// The way in did not take it: whoever sent it knows, and nobody else has it.
        Refused = "refused",
    }
}

/// A sender is done with a probe, or put it off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// Which.
    pub tag: Tag,
    /// Its state.
    pub state: SentState,
    /// In a sentence.
    pub why: String,
    /// Hosts of the route that were not tried, since the sender had no reason to.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub untried: Vec<String>,
}

words! {
    /// Where in a store a copy lies.
    Placement {
        /// In the inbox, or a store without folders.
        Inbox = "inbox",
        /// In a junk folder.
        Junk = "junk",
        /// In another folder.
        Other = "other",
    }
}

/// A copy is at rest somewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Landed {
    /// Which probe or control.
    pub tag: Tag,
    /// The platform of the collector that saw it.
    pub platform: String,
    /// The host that stored it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The collector that saw it.
    pub collector: String,
    /// When it came to rest, as the store or log says; else when it was seen.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The queue-id under which it was stored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue_id: Option<String>,
    /// Where exactly: mailbox and UID, file and line.
    pub detail: String,
    /// In which kind of folder.
    pub placement: Placement,
    /// Its `Received:` headers, unfolded, newest first; empty where the collector sees none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub received: Vec<String>,
}

words! {
    /// What a host did with a copy that it did not keep.
    Handling {
        /// Took it from a client.
        Took = "took",
        /// Passed it on to the next hop, which took it.
        Relayed = "relayed",
        /// Could not pass it on yet.
        Deferred = "deferred",
        /// Returned it to its sender.
        Bounced = "bounced",
        /// Refused it.
        Refused = "refused",
        /// Removed it without passing it on.
        Discarded = "discarded",
    }
}

/// A host handled a copy without keeping it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Passed {
    /// Which probe or control.
    pub tag: Tag,
    /// The platform of the collector that saw it.
    pub platform: String,
    /// The host, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The collector that saw it.
    pub collector: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Its queue-id there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue_id: Option<String>,
    /// What the host did.
    pub handling: Handling,
    /// The next hop's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_host: Option<String>,
    /// The next hop's address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_address: Option<String>,
    /// The queue-id that the next hop named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_queue_id: Option<String>,
    /// The enhanced status code of the handling.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<String>")]
    pub status: Option<EnhancedStatus>,
    /// The reply, or the line's text.
    pub reply: String,
    /// Where it was seen: file and line.
    pub detail: String,
}

words! {
    /// What a collector can say of itself.
    LookedState {
        /// It looks from now on.
        Open = "open",
        /// It cannot look at the moment.
        Lost = "lost",
        /// It cannot look at all.
        Failed = "failed",
        /// A log has lines newer than the phase.
        Alive = "alive",
        /// It looks, and will never see some of what was there to be seen.
        Gap = "gap",
    }
}

/// The state of a collector changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// Whose.
    pub platform: String,
    /// The host that it speaks of, where it does not speak of the whole platform.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// Which.
    pub collector: String,
    /// Its state.
    pub state: LookedState,
    /// In a sentence.
    pub why: String,
}

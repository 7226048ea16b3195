//! The scenario as a whole.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;
use ipnet::Ipv4Net;

use super::fault::DnsFault;
use super::form::Letter;
use super::ways::{Command, Relay, Sendmail, Submission};
use super::{CachedPolicy, Expectation, Fault, Judged, LabPolicy, Publish, TlsPolicy};
use crate::classes::SenderClass;
use crate::inventory::{Endpoint, Inventory, Secret};
use crate::mail::{Address, Reply};
use crate::source::{SourceText, Span, Spanned};
use crate::terms::{AuthMechanism, Family, Smuggling, Verdict};

/// A scenario that was read and checked.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file.
    pub source: SourceText,
    /// Its title.
    pub name: Spanned<String>,
    /// The recipient domain under test, in lower case.
    pub domain: Spanned<String>,
    /// The recipient; `{tag}` may stand in it. Default `mxdrill@<domain>`.
    pub recipient: Spanned<String>,
    /// The reverse-path before the tag is added to it.
    pub sender: Spanned<Address>,
    /// The verdict that must come out for the run to pass. Default pass.
    pub verdict: Option<Spanned<Verdict>>,
    /// The seed that is used where the command line gives none.
    pub seed: Option<u64>,
    /// What becomes of CR and LF that stand alone, in every fault proxy of the run. Default pass.
    pub smuggling: Smuggling,
    /// Limits of each step of a session.
    pub timeouts: Timeouts,
    /// Who is who, and where to look.
    pub inventory: Inventory,
    /// Embedded servers; none: the real world.
    pub lab: Option<Lab>,
    /// How much may be sent; none: what the tool allows.
    pub limits: Limits,
    /// Recipients in other domains that may be sent to.
    pub recipients: Vec<Spanned<Address>>,
    /// Ways in, by name, in file order; at least one.
    pub senders: IndexMap<String, Sender>,
    /// Standing proxies, by the host that they stand before.
    pub proxies: IndexMap<String, Proxy>,
    /// At least one.
    pub phases: Vec<Phase>,
}

impl Scenario {
    /// Every fault of every phase, in file order, with the phase's index.
    pub fn faults(&self) -> impl Iterator<Item = (usize, &Fault)> {
        self.phases.iter().enumerate().flat_map(|(at, phase)| phase.faults.iter().map(move |fault| (at, fault)))
    }
}

impl Scenario {
    /// Whether the lab knows of every copy: all hosts are its own, and all mail is handed to them
    /// by mxdrill itself. A program or a real MTA may still have mail that nobody else knows of.
    pub fn accounts_for_every_copy(&self) -> bool {
        let Some(lab) = &self.lab else { return false };
        let own = |host: &LabHost| !matches!(host.kind, LabHostKind::Real(_));
        let known = |sender: &Sender| match &sender.kind {
            SenderKind::Mx(_) => true,
            SenderKind::Submission(stated) => lab.hosts.get(&stated.address.host).is_some_and(own),
            SenderKind::Sendmail(_) | SenderKind::Command(_) | SenderKind::Relay(_) => false,
        };
        lab.hosts.values().all(own) && self.senders.values().all(known)
    }

    /// Whether a host is the lab's own, takes mail from users who log in, and notes every copy: a
    /// control probe, which has no login, would show nothing of it.
    pub fn tells_itself(&self, host: &str) -> bool {
        let of_lab = self.lab.as_ref().and_then(|lab| lab.hosts.get(host));
        of_lab.is_some_and(|host| matches!(host.kind, LabHostKind::Submission(_)))
    }
}

/// How much a run may send.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// The most probes of the whole run.
    pub probes: Option<Spanned<u64>>,
    /// The shortest time from one probe to the next.
    pub interval: Option<Spanned<Duration>>,
}

/// How long each step may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP handshake.
    pub connect: Duration,
    /// Greeting.
    pub banner: Duration,
    /// EHLO or HELO.
    pub ehlo: Duration,
    /// MAIL.
    pub mail: Duration,
    /// RCPT.
    pub rcpt: Duration,
    /// DATA, up to the 354.
    pub data: Duration,
    /// Sending one block of the body.
    pub body: Duration,
    /// The reply to the final dot.
    pub eom: Duration,
    /// Waiting times before the next round of attempts; the last one repeats. At least one.
    pub retry: Vec<Duration>,
    /// The keys that the scenario itself states; the others are defaults.
    pub stated: BTreeSet<&'static str>,
}

/// Which defaults apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defaults {
    /// Two seconds each, retries after half a second: everything is on this machine.
    Lab,
    /// RFC 5321 4.5.3.2.
    Rfc5321,
}

impl Timeouts {
    /// The defaults.
    pub fn of(defaults: Defaults) -> Self {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        match defaults {
            Defaults::Lab => {
                let two = Duration::from_secs(2);
                Self {
                    connect: two,
                    banner: two,
                    ehlo: two,
                    mail: two,
                    rcpt: two,
                    data: two,
                    body: two,
                    eom: two,
                    retry: vec![Duration::from_millis(500)],
                    stated: BTreeSet::new(),
                }
            }
            // RFC 5321 names no limit for the TCP handshake; Postfix uses 30 s, others more.
            Defaults::Rfc5321 => Self {
                connect: Duration::from_secs(30),
                banner: minutes(5),
                ehlo: minutes(5),
                mail: minutes(5),
                rcpt: minutes(5),
                data: minutes(2),
                body: minutes(3),
                eom: minutes(10),
                retry: vec![minutes(5), minutes(15), minutes(30)],
                stated: BTreeSet::new(),
            },
        }
    }
}

/// Embedded servers on loopback.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The `lab` key.
    pub span: Span,
    /// Zone files by origin, in file order.
    pub zones: IndexMap<String, Spanned<String>>,
    /// Hosts by name, in file order.
    pub hosts: IndexMap<String, LabHost>,
    /// The SMTP port of every host; none: a free high one.
    pub port: Option<Spanned<u16>>,
    /// The port of the DNS authority; none: a free high one.
    pub dns_port: Option<Spanned<u16>>,
    /// MTA-STS policies by domain, in file order.
    pub policies: IndexMap<String, LabPolicy>,
    /// Names that the authority answers wrongly, for the whole scenario.
    pub dns_faults: Vec<DnsFault>,
    /// The network that the hosts' addresses come from: `.1` is the DNS authority, hosts follow
    /// from `.2` in file order. None: a free part of 127.77.0.0/16.
    pub network: Option<Spanned<Ipv4Net>>,
    /// Address families that hosts have. Default v4.
    pub families: Vec<Family>,
}

impl Lab {
    /// How many IPv4 addresses its hosts and policy hosts need, where each has its own.
    pub fn ipv4_places(&self) -> usize {
        self.hosts.len() + self.policies.values().map(|policy| policy.addresses).sum::<usize>()
    }
}

/// One host of the lab.
#[derive(Clone, Debug)]
pub struct LabHost {
    /// Its name, where it is written.
    pub name: Spanned<String>,
    /// What it does with mail.
    pub kind: LabHostKind,
    /// Whether STARTTLS is offered, with a certificate of the lab's authority. Default yes.
    pub tls: LabTls,
    /// Answer 421 at connect to more messages than this; see [`Busy`].
    pub busy: Option<Spanned<Busy>>,
}

/// Whether a lab host offers STARTTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LabTls {
    /// It does.
    #[default]
    Offered,
    /// It does not.
    Absent,
    /// TLS begins with the first byte instead (RFC 8314).
    Implicit,
}

/// A limit above which a lab host turns clients away with 421 at connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// How many messages are taken.
    pub messages: u32,
    /// In which time.
    pub per: Duration,
    /// What the others are answered.
    pub reply: Reply,
}

/// What a lab host does with mail.
#[derive(Clone, Debug)]
pub enum LabHostKind {
    /// Keeps it; it is a collector of its platform.
    Store,
    /// Passes it on at once, asking first whether `to` takes the recipient where `verify` says so.
    Relay {
        /// The next hop.
        to: Spanned<String>,
        /// Whether RCPT is tried at the next hop before it is answered.
        verify: Verify,
    },
    /// Takes it, tries `then` until it is there, keeps it till then.
    Hold {
        /// The next hop.
        then: Spanned<String>,
        /// How long after a failed try the next one follows. Default 200 ms.
        retry: Duration,
    },
    /// Takes mail from users who log in, and passes it on: by MX, or to the smarthost.
    Submission(LabSubmission),
    /// Refuses every recipient.
    Reject {
        /// With this reply.
        reply: Reply,
    },
    /// A server that runs elsewhere; the lab's proxy stands at its lab address.
    Real(RealHost),
}

/// A lab host that takes mail from users.
#[derive(Clone, Debug)]
pub struct LabSubmission {
    /// Who may log in, and with which secret; none: one that the lab draws.
    pub users: IndexMap<String, Option<Secret>>,
    /// The mechanisms that it offers. Default: all.
    pub auth: Vec<AuthMechanism>,
    /// The host that all mail goes to; none: by MX.
    pub smarthost: Option<Spanned<String>>,
    /// How long after a failed try the next one follows. Default 200 ms.
    pub retry: Duration,
}

/// Whether a relay verifies recipients at the next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Verify {
    /// It takes what it is given.
    #[default]
    No,
    /// It tries RCPT at the next hop, and answers 450 where that cannot be asked.
    Recipients,
}

/// A real server behind a lab address.
#[derive(Clone, Debug)]
pub struct RealHost {
    /// Where it listens.
    pub address: Spanned<Endpoint>,
}

/// A way in.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Its name.
    pub name: Spanned<String>,
    /// How it sends.
    pub kind: SenderKind,
}

/// How a sender sends.
#[derive(Clone, Debug)]
pub enum SenderKind {
    /// mxdrill itself as the sending MTA (RFC 5321 5.1).
    Mx(MxSender),
    /// Through a server that takes mail from its users.
    Submission(Submission),
    /// Through a program that takes mail as sendmail does.
    Sendmail(Sendmail),
    /// Through any program.
    Command(Command),
    /// Through a real MTA that routes by itself.
    Relay(Relay),
}

impl SenderKind {
    /// Its key in a scenario.
    pub fn word(&self) -> &'static str {
        match self {
            SenderKind::Mx(_) => "mx",
            SenderKind::Submission(_) => "submission",
            SenderKind::Sendmail(_) => "sendmail",
            SenderKind::Command(_) => "command",
            SenderKind::Relay(_) => "relay",
        }
    }

    /// The class by which it does what it does, where that is known.
    pub fn class(&self) -> Option<SenderClass> {
        match self {
            SenderKind::Mx(mx) => Some(mx.class),
            _ => None,
        }
    }

    /// The server that takes its mail first, where the scenario names one.
    pub fn server(&self) -> Option<&Submission> {
        match self {
            SenderKind::Submission(stated) => Some(stated),
            SenderKind::Relay(relay) => Some(&relay.submission),
            SenderKind::Mx(_) | SenderKind::Sendmail(_) | SenderKind::Command(_) => None,
        }
    }
}

/// Settings of the `mx` sender.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct MxSender {
    /// The name in EHLO; none: this machine's, or the lab's.
    pub helo: Option<String>,
    /// The MTA that it behaves as.
    pub class: SenderClass,
    /// Which TLS policies it applies. Default opportunistic.
    pub tls_policy: TlsPolicy,
    /// The MTA-STS policy of the domain under test that it has cached when the run begins.
    pub cache: Option<Spanned<CachedPolicy>>,
}

/// A standing proxy that is told about faults over its control API.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The host that it stands before.
    pub host: Spanned<String>,
    /// Its control API.
    pub control: Spanned<String>,
    /// Its bearer token.
    pub token: Option<Secret>,
    /// After how long it lifts a run's faults by itself where the run is gone. Default 30 s.
    pub lease: Duration,
}

/// One part of a drill.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name, unique in the scenario.
    pub name: Spanned<String>,
    /// What changes in the lab before it begins, and stays so.
    pub publish: Option<Publish>,
    /// In force for the phase.
    pub faults: Vec<Fault>,
    /// Sent in it; none: the phase judges an earlier one's.
    pub probes: Option<Probes>,
    /// What is expected of them.
    pub expect: Vec<Expectation>,
    /// Whose probes are judged.
    pub judged: Judged,
    /// The whole phase.
    pub span: Span,
}

/// The probes of a phase.
#[derive(Clone, Debug)]
pub struct Probes {
    /// The `probes` key.
    pub span: Span,
    /// How many by each sender, from 1.
    pub count: u32,
    /// Which senders; empty: all.
    pub from: Vec<Spanned<String>>,
    /// Size of a message in bytes, headers included, at least; default 1 KiB.
    pub size: u64,
    /// The pace at which they leave; none: as fast as `--jobs` allows.
    pub interval: Option<Duration>,
    /// How many may be under way at the same time; none: `--jobs`.
    pub at_once: Option<u32>,
    /// The recipient of this phase's probes, where it differs.
    pub recipient: Option<Spanned<String>>,
    /// What their messages look like.
    pub letter: Letter,
}

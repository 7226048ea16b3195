//! The senders: how each is given a message, and what its log says became of it.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use mxdrill::record::Tag;
use mxdrill::send::message;
use mxdrill::smtp::Session;
use mxdrill::world::Dice;
use tokio::net::TcpStream;

use super::trials::{Clock, Framing, Trial};

/// More than a fault in the body lets through.
const SIZE: u64 = 64 * 1024;
const LIMIT: Duration = Duration::from_secs(20);

/// A sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mta {
    Postfix,
    Exim,
    OpenSmtpd,
}

/// What a sender says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Sent,
    Deferred,
    Bounced,
}

impl Mta {
    /// As in the matrix.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mta::Postfix => "postfix",
            Mta::Exim => "exim",
            Mta::OpenSmtpd => "opensmtpd",
        }
    }

    /// For `tests/servers/up`.
    pub(crate) fn server(self) -> &'static str {
        match self {
            Mta::Postfix => "sender-postfix",
            Mta::Exim => "sender-exim",
            Mta::OpenSmtpd => "sender-opensmtpd",
        }
    }

    /// Whether the trial says anything about this sender.
    pub(crate) fn can(self, trial: &Trial) -> bool {
        trial.framing == Framing::Data || self == Mta::Exim
    }

    /// Whether the trial ends within seconds: the fault shows at once, or the sender can be told to wait no longer.
    pub(crate) fn is_quick(self, trial: &Trial) -> bool {
        match self {
            Mta::Postfix | Mta::Exim => true,
            Mta::OpenSmtpd => trial.clock == Clock::Fault,
        }
    }

    /// The last word in its log on the message to `recipient`. No line but that of the end of an attempt counts: all of
    /// these senders tell of a host that failed in lines of another kind before they go on to the next one.
    pub(crate) fn last_word(self, log: &str, recipient: &str) -> Option<Word> {
        log.lines().rev().find_map(|line| match self {
            Mta::Postfix => postfix(line, recipient),
            Mta::Exim => exim(line, recipient),
            Mta::OpenSmtpd => opensmtpd(line, recipient),
        })
    }
}

/// `... QUEUEID: to=<RECIPIENT>, relay=..., status=sent (...)`
fn postfix(line: &str, recipient: &str) -> Option<Word> {
    let (_, told) = line.split_once(&format!(" to=<{recipient}>,"))?;
    let (_, status) = told.split_once(" status=")?;
    match status.split(' ').next()? {
        "sent" => Some(Word::Sent),
        "deferred" => Some(Word::Deferred),
        "bounced" => Some(Word::Bounced),
        _ => None,
    }
}

/// `DATE TIME MESSAGEID => RECIPIENT R=... T=...`
fn exim(line: &str, recipient: &str) -> Option<Word> {
    let mut words = line.split(' ').skip(3);
    let (mark, address) = (words.next()?, words.next()?);
    match mark {
        _ if address.trim_end_matches(':') != recipient => None,
        "=>" => Some(Word::Sent),
        "==" => Some(Word::Deferred),
        "**" => Some(Word::Bounced),
        _ => None,
    }
}

/// `... mta delivery evpid=... to=<RECIPIENT> ... result="Ok" stat="..."`
fn opensmtpd(line: &str, recipient: &str) -> Option<Word> {
    let (_, told) = line.split_once(" mta delivery ")?;
    let (_, result) = told.split_once(&format!(" to=<{recipient}> "))?.1.split_once(" result=\"")?;
    match result.split('"').next()? {
        "Ok" => Some(Word::Sent),
        "TempFail" => Some(Word::Deferred),
        "PermFail" => Some(Word::Bounced),
        _ => None,
    }
}

/// Gives a sender one message.
pub(crate) async fn submit(submission: &str, tag: &Tag, trial: &Trial) {
    let submission: SocketAddr = submission.parse().expect("an address");
    let (from, to) = (format!("mxdrill+{tag}@sender.example"), trial.recipient());
    let addresses = (from.parse().expect("an address"), to.parse().expect("an address"));
    let bytes = message(tag, &addresses.0, &addresses.1, SIZE, Timestamp::now(), Dice::new(0), 1).expect("a message");
    let mut session = Session::new(TcpStream::connect(submission).await.expect("the sender listens"));
    session.greeting(LIMIT).await.expect("a greeting");
    session.hello("client.sender.example", LIMIT).await.expect("a reply");
    session.mail(&from, "", LIMIT).await.expect("a reply");
    session.rcpt(&to, "", LIMIT).await.expect("a reply");
    session.data(LIMIT).await.expect("a reply");
    let reply = session.body(&bytes, LIMIT, LIMIT).await.expect("a reply");
    assert!(reply.is_positive(), "the sender does not take the message of {}: {reply}", trial.name);
    session.quit(LIMIT).await;
}

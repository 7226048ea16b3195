//! The senders: how each is given a message, and what its log says became of it.

use std::time::Duration;

use jiff::Timestamp;
use mxdrill::mail::{Reply, Stage};
use mxdrill::scenario::form::Form;
use mxdrill::send::{Wish, message};
use mxdrill::smtp::Session;
use mxdrill::tls::{self, Trust};
use mxdrill::world::{self, Dice};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::field::Letter;
use super::trials::{Clock, Framing, Trial};

const FILLER: &[u8] = b"Nobody reads this line, which is here for its length alone.\r\n";
const LIMIT: Duration = Duration::from_secs(20);
/// chasquid takes mail for elsewhere only from who has a password.
pub(crate) const PASSWORD: &str = "only for this test";
/// NUL, `app@chasquid.example`, NUL and the password in base 64 (RFC 4616).
const CREDENTIALS: &str = "AGFwcEBjaGFzcXVpZC5leGFtcGxlAG9ubHkgZm9yIHRoaXMgdGVzdA==";

/// A sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mta {
    Postfix,
    Exim,
    OpenSmtpd,
    Chasquid,
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
            Mta::Chasquid => "chasquid",
        }
    }

    /// By its word in the matrix.
    pub(crate) fn of(word: &str) -> Self {
        let all = [Mta::Postfix, Mta::Exim, Mta::OpenSmtpd, Mta::Chasquid];
        all.into_iter().find(|mta| mta.word() == word).unwrap_or_else(|| panic!("{word} is no sender"))
    }

    /// For people, with the version that was measured.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Mta::Postfix => "Postfix 3.7.11",
            Mta::Exim => "Exim 4.96",
            Mta::OpenSmtpd => "OpenSMTPD 6.8.0p2",
            Mta::Chasquid => "chasquid 1.11",
        }
    }

    /// For `tests/servers/up`.
    pub(crate) fn server(self) -> &'static str {
        match self {
            Mta::Postfix => "sender-postfix",
            Mta::Exim => "sender-exim",
            Mta::OpenSmtpd => "sender-opensmtpd",
            Mta::Chasquid => "sender-chasquid",
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
            Mta::OpenSmtpd | Mta::Chasquid => trial.clock == Clock::Fault,
        }
    }

    /// The last word in its log on the message to `recipient`. No line but that of the end of an attempt counts: all of
    /// these senders tell of a host that failed in lines of another kind before they go on to the next one.
    pub(crate) fn last_word(self, log: &str, recipient: &str) -> Option<Word> {
        log.lines().rev().find_map(|line| match self {
            Mta::Postfix => postfix(line, recipient),
            Mta::Exim => exim(line, recipient),
            Mta::OpenSmtpd => opensmtpd(line, recipient),
            Mta::Chasquid => chasquid(line, recipient),
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

/// `DATE TIME QUEUEID from=... to=RECIPIENT failed (permanent): ...`
fn chasquid(line: &str, recipient: &str) -> Option<Word> {
    let (_, told) = line.split_once(&format!(" to={recipient} "))?;
    match told {
        "sent" => Some(Word::Sent),
        failed if failed.starts_with("failed (temporary)") => Some(Word::Deferred),
        failed if failed.starts_with("failed (permanent)") => Some(Word::Bounced),
        _ => None,
    }
}

/// Gives a sender one message.
pub(crate) async fn submit(mta: Mta, submission: &str, letter: &Letter) {
    let stream = TcpStream::connect(submission).await.expect("the sender listens");
    if mta != Mta::Chasquid {
        return hand_over(greeted(stream).await, letter).await;
    }
    let clock = world::Clock::starting_at(Timestamp::now());
    let encrypted = tls::connect(stream, "chasquid.sender.example", &Trust::nobody(), &clock, LIMIT).await;
    let mut session = greeted(encrypted.expect("a handshake").0).await;
    let authenticated = session.command(Stage::Auth, &format!("AUTH PLAIN {CREDENTIALS}"), LIMIT).await;
    assert!(authenticated.as_ref().is_ok_and(Reply::is_positive), "{authenticated:?}");
    hand_over(session, letter).await;
}

async fn greeted<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Session<S> {
    let mut session = Session::new(stream);
    session.greeting(LIMIT).await.expect("a greeting");
    session.hello("client.sender.example", LIMIT).await.expect("a reply");
    session
}

async fn hand_over<S: AsyncRead + AsyncWrite + Unpin>(mut session: Session<S>, letter: &Letter) {
    let Letter { tag, to, size } = letter;
    let from = format!("mxdrill+{tag}@sender.example");
    let (sender, recipient) = (from.parse().expect("an address"), to.parse().expect("an address"));
    let wish = Wish {
        tag,
        from: &sender,
        to: &recipient,
        size: 0,
        form: Form::Plain,
        template: None,
        dkim: None,
        now: Timestamp::now(),
        dice: Dice::new(0),
        number: 1,
    };
    let message = message(&wish).expect("a message").bytes;
    let filler = FILLER.repeat(size / FILLER.len());
    session.mail(&from, "", LIMIT).await.expect("a reply");
    session.rcpt(to, "", LIMIT).await.expect("a reply");
    session.data(LIMIT).await.expect("a reply");
    let reply = session.body(&[message, filler].concat(), LIMIT, LIMIT).await.expect("a reply");
    assert!(reply.is_positive(), "the sender does not take the message to {to}: {reply}");
    session.quit(LIMIT).await;
}

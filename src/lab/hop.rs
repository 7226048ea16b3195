//! Handing a copy to the next hop.
//!
//! In clear: a fault proxy between two lab hosts then sees every stage of the session.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::host::Host;
use crate::mail::{Reply, Severity};
use crate::record::Tag;
use crate::smtp::server::Envelope;
use crate::smtp::{Session, Stop};

/// How long the answer to QUIT is waited for.
const QUIT: Duration = Duration::from_millis(500);

/// What came of a hand-over.
#[derive(Debug)]
pub(super) enum Handed {
    /// The next hop took the copy.
    Took(SocketAddr, Reply),
    /// It answered 4yz or 5yz.
    Refused(SocketAddr, Reply),
    /// It gave no answer at any of its addresses.
    Unreachable(String),
}

/// What a step of a session came to, where it is not the wanted one.
enum Failed {
    Refused(Reply),
    Stopped(String),
}

impl From<Stop> for Failed {
    fn from(stop: Stop) -> Self {
        Failed::Stopped(stop.to_string())
    }
}

/// What is wanted of the next hop.
#[derive(Clone, Copy)]
enum Request<'a> {
    /// That it takes this message.
    Take(&'a Envelope, &'a [u8]),
    /// That it says whether it would take mail for this recipient.
    Say(&'a str),
}

/// Hands `message` to the host `to`: at its first address that takes it. Only a 5yz ends the
/// search. All recipients share one fate: where one is refused, nothing is handed over.
pub(super) async fn hand_over(from: &Host, to: &str, tag: Option<&Tag>, envelope: &Envelope, message: &[u8]) -> Handed {
    at_each_address(from, to, tag, Request::Take(envelope, message)).await
}

/// Asks the host `to` whether it would take mail for `recipient`, without sending any.
pub(super) async fn ask(from: &Host, to: &str, tag: Option<&Tag>, recipient: &str) -> Handed {
    at_each_address(from, to, tag, Request::Say(recipient)).await
}

async fn at_each_address(from: &Host, to: &str, tag: Option<&Tag>, request: Request<'_>) -> Handed {
    let mut last = Handed::Unreachable(format!("no address of {to} is known"));
    for address in from.setting.addresses.get(to).into_iter().flatten().copied() {
        last = match run(from, to, address, tag, request).await {
            Ok(reply) => return Handed::Took(address, reply),
            Err(Failed::Refused(reply)) if reply.severity() == Severity::Permanent => {
                return Handed::Refused(address, reply);
            }
            Err(Failed::Refused(reply)) => Handed::Refused(address, reply),
            Err(Failed::Stopped(why)) => Handed::Unreachable(why),
        };
    }
    last
}

async fn run(
    from: &Host,
    to: &str,
    address: SocketAddr,
    tag: Option<&Tag>,
    request: Request<'_>,
) -> Result<Reply, Failed> {
    let mut session = open(from, to, address, tag).await?;
    let reply = match request {
        Request::Take(envelope, message) => transfer(from, &mut session, envelope, message).await?,
        Request::Say(recipient) => {
            let limits = &from.setting.timeouts;
            wanted(session.mail("", "", limits.mail).await?)?;
            wanted(session.rcpt(recipient, "", limits.rcpt).await?)?
        }
    };
    session.quit(QUIT).await;
    Ok(reply)
}

async fn open(from: &Host, to: &str, address: SocketAddr, tag: Option<&Tag>) -> Result<Session<TcpStream>, Failed> {
    let (limits, dialer) = (&from.setting.timeouts, &from.setting.dialer);
    let target = dialer.target(to, address.ip(), address.port());
    let stream = dialer
        .connect(&target, tag.map(Tag::as_str), limits.connect)
        .await
        .map_err(|error| Failed::Stopped(format!("no connection to {address}: {error}")))?;
    let mut session = Session::new(stream);
    wanted(session.greeting(limits.banner).await?)?;
    wanted(session.hello(&from.name, limits.ehlo).await?.reply)?;
    Ok(session)
}

async fn transfer(
    from: &Host,
    session: &mut Session<TcpStream>,
    envelope: &Envelope,
    message: &[u8],
) -> Result<Reply, Failed> {
    let limits = &from.setting.timeouts;
    let parameters = parameters(envelope);
    wanted(session.mail(&envelope.from, &parameters, limits.mail).await?)?;
    for recipient in &envelope.recipients {
        wanted(session.rcpt(recipient, "", limits.rcpt).await?)?;
    }
    let reply = session.data(limits.data).await?;
    if reply.severity() != Severity::Intermediate {
        return Err(Failed::Refused(reply));
    }
    wanted(session.body(message, limits.body, limits.eom).await?)
}

/// What the message itself needs of the next hop.
fn parameters(envelope: &Envelope) -> String {
    let needed = ["BODY=8BITMIME", "SMTPUTF8"].into_iter().filter(|word| envelope.has_parameter(word));
    needed.collect::<Vec<_>>().join(" ")
}

fn wanted(reply: Reply) -> Result<Reply, Failed> {
    if reply.is_positive() { Ok(reply) } else { Err(Failed::Refused(reply)) }
}

//! From an address to a session that is logged in.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::super::{Context, Trouble};
use super::session::{Fault, Session, Stream};
use super::tls::{self, Trust};
use crate::inventory::{Imap, TlsMode};

/// How long one address may take to answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long the TLS handshake may take.
const TLS_LIMIT: Duration = Duration::from_secs(10);
/// The most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Connects, encrypts and logs in.
pub(super) async fn connect(settings: &Imap, context: &Context) -> Result<Session, Trouble> {
    let password = context.environment.secret(&settings.password).await;
    let password =
        password.map_err(|error| Trouble::new(format!("there is no password for `{}`: {error}", settings.user)))?;
    let stream = dial(settings, context).await?;
    let mut session = encrypt(stream, settings, context).await?;
    let asked = session.ask_capabilities().await;
    asked.map_err(|fault| fault.while_trying("asking what it can do"))?;
    if session.can("LOGINDISABLED") {
        return Err(Trouble::new("the server does not allow a login on this connection (LOGINDISABLED)")
            .help("set `tls: starttls` or `tls: implicit`"));
    }
    session.login(&settings.user, &password).await.map_err(|fault| refused_login(&fault, settings))?;
    // A server may offer more to who is logged in.
    session.ask_capabilities().await.map_err(|fault| fault.while_trying("asking what it can do"))?;
    Ok(session)
}

fn refused_login(fault: &Fault, settings: &Imap) -> Trouble {
    match fault {
        Fault::Lost(_) => fault.while_trying("logging in"),
        Fault::Refused(text) | Fault::NotUnderstood(text) => {
            Trouble::new(format!("the server refused the login of `{}`: {text}", settings.user))
                .help("check `user` and `password`; the password may have been changed, or need to be one for programs")
        }
    }
}

async fn dial(settings: &Imap, context: &Context) -> Result<TcpStream, Trouble> {
    let host = &settings.address.host;
    let addresses = addresses(host, context).await?;
    if settings.tls == TlsMode::Plain && !addresses.iter().all(|it| it.to_canonical().is_loopback()) {
        return Err(Trouble::new(format!(
            "`tls: plain` would send the password of `{}` over the network in clear",
            settings.user
        ))
        .help("set `tls: starttls` or `tls: implicit`; plain is for this machine only"));
    }
    let mut why = "there is no address".to_owned();
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        let socket = SocketAddr::new(address, settings.address.port);
        match timeout(CONNECT_LIMIT, TcpStream::connect(socket)).await {
            Ok(Ok(stream)) => {
                // Commands are small and wait for their answers.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => why = format!("{socket}: {error}"),
            Err(_) => why = format!("{socket}: no answer within {} s", CONNECT_LIMIT.as_secs()),
        }
    }
    Err(Trouble::new(format!("the server cannot be reached: {why}"))
        .help("check `address`, and that the server runs and can be reached from here"))
}

async fn addresses(host: &str, context: &Context) -> Result<Vec<IpAddr>, Trouble> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        // RFC 6761 6.3: never asked of DNS.
        return Ok(vec![IpAddr::from([127, 0, 0, 1]), std::net::Ipv6Addr::LOCALHOST.into()]);
    }
    let found = context.resolve.addresses(host).await;
    found.map_err(|why| Trouble::new(format!("`{host}` has no address: {why}")).help("check `address`"))
}

async fn encrypt(stream: TcpStream, settings: &Imap, context: &Context) -> Result<Session, Trouble> {
    let host = &settings.address.host;
    match settings.tls {
        TlsMode::Plain => Session::greeted(Box::new(stream) as Box<dyn Stream>).await,
        TlsMode::Implicit => {
            let stream = handshake(stream, host, trust(settings, context)?).await?;
            Session::greeted(stream).await
        }
        TlsMode::Starttls => {
            let trust = trust(settings, context)?;
            let stream = Session::greeted(stream).await?.start_tls().await?;
            Ok(Session::over(handshake(stream, host, trust).await?))
        }
    }
}

fn trust(settings: &Imap, context: &Context) -> Result<Trust, Trouble> {
    match &settings.ca {
        Some(path) => tls::trusted_in(path),
        None => Ok(Trust { roots: context.roots.clone(), own: vec![] }),
    }
}

async fn handshake(stream: TcpStream, host: &str, trust: Trust) -> Result<Box<dyn Stream>, Trouble> {
    match timeout(TLS_LIMIT, tls::connect(stream, host, trust)).await {
        Ok(encrypted) => Ok(Box::new(encrypted?)),
        Err(_) => Err(Trouble::new(format!("the TLS handshake took longer than {} s", TLS_LIMIT.as_secs()))
            .help("a port that begins in clear needs `tls: starttls`")),
    }
}

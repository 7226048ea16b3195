//! From an address to a session that is logged in.

use tokio::net::TcpStream;

use super::super::dial::{self, Stream};
use super::super::{Context, Trouble};
use super::session::{Fault, Session};
use crate::inventory::{Imap, ImapLogin, TlsMode};

/// Connects, encrypts and logs in. Password and token are fetched anew each time: tokens expire.
pub(super) async fn connect(settings: &Imap, context: &Context) -> Result<Session, Trouble> {
    let secret = context.environment.secret(&settings.password).await;
    let what = match settings.login {
        ImapLogin::Password => "password",
        ImapLogin::Xoauth2 => "token",
    };
    let secret =
        secret.map_err(|error| Trouble::new(format!("there is no {what} for `{}`: {error}", settings.user)))?;
    let stream = dial::dial(&settings.address, settings.tls, &settings.user, context).await?;
    let mut session = encrypt(stream, settings, context).await?;
    let asked = session.ask_capabilities().await;
    asked.map_err(|fault| fault.while_trying("asking what it can do"))?;
    let login = match settings.login {
        ImapLogin::Password if session.can("LOGINDISABLED") => {
            return Err(Trouble::new("the server does not allow a login on this connection (LOGINDISABLED)")
                .help("set `tls: starttls` or `tls: implicit`; a server that wants tokens needs `auth: xoauth2`"));
        }
        ImapLogin::Xoauth2 if !session.can("AUTH=XOAUTH2") => {
            return Err(Trouble::new("the server takes no tokens (AUTH=XOAUTH2)")
                .help("write `auth: password` and `password` instead of `token`"));
        }
        ImapLogin::Password => session.login(&settings.user, &secret).await,
        ImapLogin::Xoauth2 => session.show_token(&settings.user, &secret).await,
    };
    login.map_err(|fault| refused_login(&fault, settings))?;
    // A server may offer more to who is logged in.
    session.ask_capabilities().await.map_err(|fault| fault.while_trying("asking what it can do"))?;
    Ok(session)
}

fn refused_login(fault: &Fault, settings: &Imap) -> Trouble {
    let help = match settings.login {
        ImapLogin::Password => {
            "check `user` and `password`; the password may have been changed, or need to be one for programs"
        }
        ImapLogin::Xoauth2 => {
            "check that the command of `token` prints one for this `user` that is valid now and allows IMAP"
        }
    };
    match fault {
        Fault::Lost(_) => fault.while_trying("logging in"),
        Fault::Refused(text) | Fault::NotUnderstood(text) => {
            Trouble::new(format!("the server refused the login of `{}`: {text}", settings.user)).help(help)
        }
    }
}

async fn encrypt(stream: TcpStream, settings: &Imap, context: &Context) -> Result<Session, Trouble> {
    let host = &settings.address.host;
    let trust = || dial::trust(settings.ca.as_deref(), context);
    match settings.tls {
        TlsMode::Plain => Session::greeted(Box::new(stream) as Box<dyn Stream>).await,
        TlsMode::Implicit => Session::greeted(dial::handshake(stream, host, trust()?).await?).await,
        TlsMode::Starttls => {
            let trust = trust()?;
            let stream = Session::greeted(stream).await?.start_tls().await?;
            Ok(Session::over(dial::handshake(stream, host, trust).await?))
        }
    }
}

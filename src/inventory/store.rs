//! Mailboxes other than IMAP's, as an inventory states them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Endpoint, Secret, TlsMode};
use crate::terms::{UnknownWord, words};

/// A mailbox over POP3 (RFC 1939). Nothing is ever deleted.
#[derive(Clone, Debug)]
pub struct Pop3 {
    /// Where the server listens.
    pub address: Endpoint,
    /// How the connection is encrypted (RFC 2595, RFC 8314).
    pub tls: TlsMode,
    /// The login name.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// A file with the certificate authority to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
    /// How often to look; none: as suits the place.
    pub poll: Option<Duration>,
}

/// A mailbox over JMAP (RFC 8620, RFC 8621).
#[derive(Clone, Debug)]
pub struct Jmap {
    /// The session resource, such as `https://mail.example/.well-known/jmap`.
    pub url: HttpUrl,
    /// Who asks.
    pub login: HttpLogin,
    /// A file with the certificate authority to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
    /// How often to look; none: as suits the place.
    pub poll: Option<Duration>,
}

/// A server that catches all mail for tests, asked over its HTTP API.
#[derive(Clone, Debug)]
pub struct Catcher {
    /// Which program it is.
    pub kind: CatcherKind,
    /// Where its API begins, such as `http://127.0.0.1:8025`.
    pub url: HttpUrl,
    /// Who asks.
    pub login: HttpLogin,
    /// The one mailbox to look into, where the program has several.
    pub mailbox: Option<String>,
    /// A file with the certificate authority to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
    /// How often to look; none: as suits the place.
    pub poll: Option<Duration>,
}

words! {
    /// Programs that catch mail.
    CatcherKind {
        /// Mailpit.
        Mailpit = "mailpit",
        /// MailHog.
        Mailhog = "mailhog",
        /// smtp4dev.
        Smtp4dev = "smtp4dev",
        /// GreenMail.
        Greenmail = "greenmail",
        /// MailDev.
        Maildev = "maildev",
        /// Inbucket.
        Inbucket = "inbucket",
        /// MailCrab.
        Mailcrab = "mailcrab",
        /// Sendria.
        Sendria = "sendria",
    }
}

/// What an HTTP server is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpLogin {
    /// Nothing.
    Nobody,
    /// A name and a password (RFC 7617).
    Basic(String, Secret),
    /// A token (RFC 6750).
    Bearer(Secret),
}

/// An address of an HTTP server: scheme, host, port and path, without a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpUrl {
    /// Without a slash at its end.
    text: String,
    place: Endpoint,
    scheme: Scheme,
}

/// How an HTTP server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// In clear text.
    Http,
    /// Inside of TLS.
    Https,
}

impl HttpUrl {
    /// The host and the port, the scheme's own where none is written.
    pub fn place(&self) -> &Endpoint {
        &self.place
    }

    /// How it is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for HttpUrl {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let (scheme, rest, port) = if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest, 80)
        } else if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest, 443)
        } else {
            return Err(UnknownWord);
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._~-:[]%@+".contains(c);
        if !rest.chars().all(plain) {
            return Err(UnknownWord);
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let place = authority.parse().or_else(|_| format!("{authority}:{port}").parse())?;
        Ok(Self { text: text.trim_end_matches('/').to_owned(), place, scheme })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_server_has_a_scheme_a_host_and_a_port() {
        let place = |text: &str| text.parse::<HttpUrl>().map(|url| url.place().to_string()).ok();
        assert_eq!(place("http://127.0.0.1:8025/").as_deref(), Some("127.0.0.1:8025"));
        assert_eq!(place("https://mail.example/.well-known/jmap").as_deref(), Some("mail.example:443"));
        assert_eq!(place("http://[::1]/api").as_deref(), Some("[::1]:80"));
        for bad in
            ["127.0.0.1:8025", "ftp://a", "http://", "http://a b", "http://user@host", "http://a?x=1", "http://a:0"]
        {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}

//! Where one can look for mail, as an inventory states it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::feed::{LogSource, Syslog};
use super::store::{Catcher, Jmap, Pop3};

use serde::{Deserialize, Serialize};

use crate::source::Spanned;
use crate::terms::{UnknownWord, words};

/// A place where mail of a platform can be seen.
#[derive(Clone, Debug)]
pub struct Collector {
    /// The one host that it speaks of, where it does not speak of the whole platform.
    pub host: Option<Spanned<String>>,
    /// How to look.
    pub looks: Looks,
}

/// How to look for mail.
#[derive(Clone, Debug)]
pub enum Looks {
    /// Into a mailbox over IMAP.
    Imap(Imap),
    /// Into a mailbox over POP3.
    Pop3(Pop3),
    /// Into a mailbox over JMAP.
    Jmap(Jmap),
    /// Into a server that catches mail for tests, over its HTTP API.
    Catcher(Catcher),
    /// Into a Maildir; its folders (`.Junk`) too.
    Maildir(PathBuf),
    /// Into an mbox file.
    Mbox(PathBuf),
    /// Into the log of an MTA.
    Log(Log),
    /// Into the log lines that MTAs send here.
    Syslog(Syslog),
}

impl Collector {
    /// Its name in records and messages: kind and place.
    pub fn label(&self) -> String {
        match &self.looks {
            Looks::Imap(imap) => format!("imap {}", imap.address),
            Looks::Pop3(pop3) => format!("pop3 {}", pop3.address),
            Looks::Jmap(jmap) => format!("jmap {}", jmap.url),
            Looks::Catcher(catcher) => format!("{} {}", catcher.kind, catcher.url),
            Looks::Maildir(path) => format!("maildir {}", path.display()),
            Looks::Mbox(path) => format!("mbox {}", path.display()),
            Looks::Log(log) => format!("log {}", log.from),
            Looks::Syslog(syslog) => format!("syslog {} {}", syslog.transport, syslog.listen),
        }
    }
}

/// A mailbox over IMAP (RFC 3501, RFC 9051).
#[derive(Clone, Debug)]
pub struct Imap {
    /// Where the server listens.
    pub address: Endpoint,
    /// How the connection is encrypted.
    pub tls: TlsMode,
    /// The login name.
    pub user: String,
    /// How it logs in.
    pub login: ImapLogin,
    /// Its password, or its token; fetched anew for every connection.
    pub password: Secret,
    /// The mailboxes to search; empty: INBOX and the one marked as Junk (RFC 6154), and with Gmail
    /// the one that holds all mail.
    pub mailboxes: Vec<String>,
    /// A file with the certificate authority to trust instead of the system's, PEM.
    pub ca: Option<PathBuf>,
}

words! {
    /// How a client of an IMAP server logs in.
    ImapLogin {
        /// With a password.
        Password = "password",
        /// With a token, as Gmail and Microsoft 365 want it (SASL XOAUTH2).
        Xoauth2 = "xoauth2",
    }
}

words! {
    /// How a connection is encrypted.
    TlsMode {
        /// From the first byte.
        Implicit = "implicit",
        /// After STARTTLS; the connection is given up where it is not offered.
        Starttls = "starttls",
        /// Not at all; for loopback only.
        Plain = "plain",
    }
}

/// An MTA's log.
#[derive(Clone, Debug)]
pub struct Log {
    /// Whose lines these are.
    pub format: LogFormat,
    /// Where they come from.
    pub from: LogSource,
}

words! {
    /// Whose log lines a file holds.
    LogFormat {
        /// Whatever a line is of.
        Auto = "auto",
        /// Postfix.
        Postfix = "postfix",
        /// Exim's main log.
        Exim = "exim",
        /// Sendmail.
        Sendmail = "sendmail",
        /// OpenSMTPD.
        Opensmtpd = "opensmtpd",
        /// chasquid's mail log.
        Chasquid = "chasquid",
        /// Courier.
        Courier = "courier",
        /// The DragonFly Mail Agent.
        Dma = "dma",
        /// Dovecot's LMTP, LDA and Sieve.
        Dovecot = "dovecot",
        /// qmail-send.
        Qmail = "qmail",
        /// Haraka.
        Haraka = "haraka",
        /// Stalwart's text log.
        Stalwart = "stalwart",
        /// maddy.
        Maddy = "maddy",
        /// KumoMTA's JSON.
        Kumomta = "kumomta",
        /// rspamd: Message-IDs of queue-ids.
        Rspamd = "rspamd",
        /// Exchange message tracking, CSV.
        Exchange = "exchange",
        /// Microsoft 365 message trace, CSV or JSON.
        Microsoft365 = "microsoft365",
        /// Google Workspace's email log, CSV.
        Google = "google",
        /// Amazon SES events, JSON.
        Ses = "ses",
    }
}

/// A host name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port, from 1.
    pub port: u16,
}

impl Endpoint {
    /// Whether it is known, without any lookup, to be on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.host.parse::<std::net::IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Endpoint {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let (host, port) = text.rsplit_once(':').ok_or(UnknownWord)?;
        let host = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().map_err(|_| UnknownWord)?.to_string(),
            None if crate::mail::address::is_domain(host) => host.to_ascii_lowercase(),
            None => return Err(UnknownWord),
        };
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self { host, port }),
            _ => Err(UnknownWord),
        }
    }
}

/// Where a secret comes from. It is never part of a scenario or a record itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// The output of a command.
    Command(Vec<String>),
}

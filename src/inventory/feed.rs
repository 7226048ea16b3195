//! Where lines of a log come from.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::LogFormat;
use crate::terms::{UnknownWord, words};

/// The longest command that is shown whole, in characters.
const MAX_SHOWN: usize = 80;

/// Where the lines of one log come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// A file, all files of a folder, or all that fit a pattern in the last part of the path, such as
    /// `mail.log*`. Rotation and truncation are followed.
    Path(PathBuf),
    /// What is written to mxdrill's standard input.
    Stdin,
    /// What a program prints for as long as it runs, such as `ssh mx1 tail -n0 -F /var/log/mail.log`.
    Command(Vec<String>),
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogSource::Path(path) => path.display().fmt(f),
            LogSource::Stdin => f.write_str("from standard input"),
            LogSource::Command(words) => {
                let shown = words.join(" ");
                match shown.char_indices().nth(MAX_SHOWN) {
                    Some((end, _)) => write!(f, "of `{}…`", &shown[..end]),
                    None => write!(f, "of `{shown}`"),
                }
            }
        }
    }
}

/// A receiver of log lines that other machines send (RFC 3164, RFC 5424).
#[derive(Clone, Debug)]
pub struct Syslog {
    /// Where it listens: an address of this machine.
    pub listen: SocketAddr,
    /// How lines come.
    pub transport: SyslogTransport,
    /// Whose lines these are.
    pub format: LogFormat,
    /// The certificate that it shows, and its chain, PEM; for TLS.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key, PEM.
    pub key: Option<PathBuf>,
    /// The hosts whose lines count, as the inventory names them; empty: every host's.
    pub hosts: Vec<String>,
    /// The networks that may send; empty: every one.
    pub from: Vec<IpNet>,
}

words! {
    /// How log lines come over the network.
    SyslogTransport {
        /// One line a datagram (RFC 5426). What is lost on the way is lost without a word.
        Udp = "udp",
        /// Lines, or counted frames (RFC 6587).
        Tcp = "tcp",
        /// The same inside of TLS (RFC 5425).
        Tls = "tls",
    }
}

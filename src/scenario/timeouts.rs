//! How long each step of a session may take.

use std::collections::BTreeSet;
use std::time::Duration;

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

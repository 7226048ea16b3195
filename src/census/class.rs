//! How a message came to the platform.

use jiff::Timestamp;

use super::row::Class;
use crate::collect::log::{Client, Reach};

/// What became of the mail at the platform, for one recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Onward {
    /// Into a mailbox, to a platform of the inventory, or it is not known.
    #[default]
    Here,
    /// To a foreign host.
    Elsewhere,
}

/// The time in which senders may use records that are gone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Caches {
    pub(super) until: Option<Timestamp>,
}

/// The class of one message: who gave it, where it went, and when.
pub(super) fn class(client: Option<&Client>, onward: Onward, at: Option<Timestamp>, caches: Caches) -> Class {
    let Some(client) = client else { return Class::Local };
    if client.user.is_some() {
        return Class::Submission;
    }
    if client.reach() == Reach::Here {
        return Class::Local;
    }
    match (onward, at, caches.until) {
        (Onward::Elsewhere, ..) => Class::Relay,
        (Onward::Here, Some(at), Some(until)) if at <= until => Class::CachedDns,
        _ => Class::BackupMx,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_says_who_has_to_change_something() {
        let time = |text: &str| text.parse::<Timestamp>().ok();
        let caches = Caches { until: time("2026-11-21T07:00:00Z") };
        let (before, after) = (time("2026-11-21T06:30:00Z"), time("2026-11-21T07:30:00Z"));
        let server = Client { address: "192.0.2.1".parse().ok(), ..Client::default() };
        let user = Client { user: Some("app".into()), ..server.clone() };
        let loopback = Client { address: "127.0.0.1".parse().ok(), ..Client::default() };
        assert_eq!(class(Some(&server), Onward::Here, before, caches), Class::CachedDns);
        assert_eq!(class(Some(&server), Onward::Here, after, caches), Class::BackupMx);
        assert_eq!(class(Some(&server), Onward::Here, before, Caches::default()), Class::BackupMx);
        assert_eq!(class(Some(&server), Onward::Elsewhere, before, caches), Class::Relay);
        assert_eq!(class(Some(&user), Onward::Elsewhere, after, caches), Class::Submission);
        assert_eq!(class(Some(&loopback), Onward::Here, after, caches), Class::Local);
        assert_eq!(class(None, Onward::Here, after, caches), Class::Local);
    }
}

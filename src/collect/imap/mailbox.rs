//! One mailbox: which messages are new, and which of them are probes.

mod erase;

use std::collections::HashSet;

use jiff::Timestamp;

use super::super::bounce::{self, MAX_BOUNCE};
use super::super::copies::Copies;
use super::super::message::{self, MAX_HEADER};
use super::super::notes::{Copy, Notes};
use super::super::watch::Occasion;
use super::super::{Since, Trouble, folder};
use super::name::{encode, quote};
use super::session::{Examined, Fault, Kind, Session};
use super::wire::Token;
use crate::inventory::Imap;
use crate::record::{Placement, RunId, TAG_HEADER};
use crate::source::or_list;

/// The most mailboxes of an account that are looked through for Junk.
const MAX_LISTED: usize = 10_000;
/// About as many messages of one run are taken from one mailbox.
const MAX_FOUND: usize = 1_000_000;
/// How many messages are fetched with one command.
const BATCH: usize = 50;

/// The capability of Gmail's own extensions.
const GMAIL: &str = "X-GM-EXT-1";

/// Whether messages have labels that say where they are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Labels {
    /// Gmail's.
    Told,
    None,
}

/// A mailbox and what was seen of it.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// As on the wire.
    name: String,
    placement: Placement,
    labels: Labels,
    validity: Option<u32>,
    /// The UID from which on it is searched.
    first: u32,
    /// UIDNEXT at the last search.
    next: Option<u32>,
    seen: HashSet<u32>,
}

/// The mailboxes to look into, the inbox last, so that it is the one that stays selected.
pub(super) async fn find(settings: &Imap, session: &mut Session) -> Result<Vec<Mailbox>, Trouble> {
    let listed = list(session).await.map_err(|fault| fault.while_trying("the list of mailboxes"))?;
    if settings.mailboxes.is_empty() {
        let junk = junk(&listed).map(|name| Mailbox::new(name, Placement::Junk));
        return Ok(junk.into_iter().chain([most_of_it(&listed, session)]).collect());
    }
    let mut wanted: Vec<String> = settings.mailboxes.iter().map(|name| encode(name)).collect();
    wanted.sort_by_key(|name| name.eq_ignore_ascii_case("INBOX"));
    let placement = |name: &str| match listed.iter().find(|it| it.name == name) {
        Some(listed) if listed.has("\\Junk") => Placement::Junk,
        _ => folder::placement(name),
    };
    Ok(wanted.iter().map(|name| Mailbox::new(name, placement(name))).collect())
}

/// The inbox. Gmail's filters may keep a message out of it, and the mailbox of all mail holds it
/// still, with labels that say where it is seen; each message is there once.
fn most_of_it(listed: &[Listed], session: &Session) -> Mailbox {
    let all = listed.iter().find(|it| it.has("\\All") || it.has("\\AllMail"));
    match all.filter(|_| session.can(GMAIL)) {
        Some(all) => Mailbox { labels: Labels::Told, ..Mailbox::new(&all.name, Placement::Other) },
        None => Mailbox::new("INBOX", Placement::Inbox),
    }
}

/// A mailbox as the server lists it.
#[derive(Clone, Debug)]
struct Listed {
    name: String,
    attributes: Vec<String>,
}

impl Listed {
    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|it| it.eq_ignore_ascii_case(attribute))
    }
}

async fn list(session: &mut Session) -> Result<Vec<Listed>, Fault> {
    // RFC 6154 5.2: special uses are told where they are asked for, and may be told otherwise.
    let special = session.can("SPECIAL-USE") && session.can("LIST-EXTENDED");
    let command = if special { "LIST \"\" \"*\" RETURN (SPECIAL-USE)" } else { "LIST \"\" \"*\"" };
    let mut listed = vec![];
    session
        .command(command, &mut |data| {
            if listed.len() < MAX_LISTED
                && data.first().is_some_and(|word| word.is("LIST"))
                && let Some(name) = data.last().and_then(Token::text)
            {
                let attributes = data.iter().take_while(|it| **it != Token::Close).filter_map(Token::text).collect();
                listed.push(Listed { name, attributes });
            }
        })
        .await?;
    Ok(listed)
}

/// The mailbox for unwanted mail: the one that the server marks, else one that is named so.
fn junk(listed: &[Listed]) -> Option<&str> {
    let can_hold = |it: &&Listed| !it.has("\\Noselect") && !it.has("\\NonExistent");
    let marked = listed.iter().filter(can_hold).find(|it| it.has("\\Junk"));
    let named = || listed.iter().filter(can_hold).find(|it| folder::placement(&it.name) == Placement::Junk);
    marked.or_else(named).map(|it| it.name.as_str())
}

impl Mailbox {
    fn new(name: &str, placement: Placement) -> Self {
        let (name, labels) = (name.to_owned(), Labels::None);
        Self { name, placement, labels, validity: None, first: 1, next: None, seen: HashSet::new() }
    }

    /// Its name, as on the wire.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the same mailbox.
    pub(super) fn stands_for(&self, other: &Mailbox) -> bool {
        self.name == other.name
    }

    /// Opens it for the first time; what is there already is passed over where only new messages
    /// count.
    pub(super) async fn open(&mut self, session: &mut Session, since: Since) -> Result<(), Trouble> {
        let examined = session.examine(&self.name).await.map_err(|fault| self.cannot_be_opened(&fault))?;
        self.validity = examined.validity;
        if since == Since::Opening {
            // A server that does not tell UIDNEXT is searched from the start: slower, no worse.
            self.first = examined.next.unwrap_or(1);
            self.next = examined.next;
        }
        Ok(())
    }

    fn cannot_be_opened(&self, fault: &Fault) -> Trouble {
        let trouble = fault.while_trying(&format!("opening the mailbox `{}`", self.name));
        match fault {
            Fault::Lost(_) => trouble,
            _ => trouble.help(format!(
                "name it under `mailboxes` as the server does, such as {}",
                or_list(&["`INBOX`", "`Junk`", "`INBOX/Junk`"])
            )),
        }
    }

    /// Looks for probes that were not seen before.
    pub(super) async fn look(
        &mut self,
        session: &mut Session,
        notes: &Notes,
        copies: &mut Copies,
        occasion: Occasion,
    ) -> Result<(), Trouble> {
        let lost = |fault: Fault| fault.while_trying(&format!("looking into the mailbox `{}`", self.name));
        let examined = session.examine(&self.name).await.map_err(lost)?;
        self.start_over_if_renumbered(examined, copies);
        let grown = examined.next.is_none() || examined.next != self.next;
        if !grown && occasion == Occasion::Stirred {
            return Ok(());
        }
        let found = self.search(session, notes.run()).await;
        let found = found.map_err(|fault| fault.while_trying(&format!("the search in the mailbox `{}`", self.name)))?;
        for batch in found.chunks(BATCH) {
            let fetched = self.fetch(session, notes, copies, batch).await;
            fetched.map_err(|fault| fault.while_trying(&format!("reading the mailbox `{}`", self.name)))?;
        }
        self.next = examined.next;
        Ok(())
    }

    /// RFC 3501 2.3.1.1: UIDs of another UIDVALIDITY are other messages' or the same ones' anew.
    fn start_over_if_renumbered(&mut self, examined: Examined, copies: &mut Copies) {
        if examined.validity.is_some() && examined.validity != self.validity {
            copies.recount(&self.name);
            self.seen.clear();
            self.first = 1;
            self.next = None;
            self.validity = examined.validity;
        }
    }

    /// The UIDs of the run's messages that were not read yet.
    async fn search(&self, session: &mut Session, run: &RunId) -> Result<Vec<u32>, Fault> {
        let first = self.first;
        // A run id is of lower-case letters and digits: nothing in it can end the string.
        // A notification about a probe goes to its reverse-path, which holds the tag.
        let run = quote(run.as_str());
        let probes = format!(" OR OR HEADER {TAG_HEADER} {run} HEADER Message-ID {run} HEADER To {run}");
        let probes = match session.kind() {
            // It finds nothing by a header field of ours: all that is new is read.
            Kind::Exchange => "",
            Kind::Other => &probes,
        };
        let command = format!("UID SEARCH UID {first}:*{probes}");
        let mut found = vec![];
        session
            .command(&command, &mut |data| {
                if data.first().is_some_and(|word| word.is("SEARCH")) && found.len() < MAX_FOUND {
                    found.extend(data.iter().filter_map(Token::number));
                }
            })
            .await?;
        // `n:*` names the last message even where its UID is below n (RFC 3501 6.4.8).
        found.retain(|uid| *uid >= first && !self.seen.contains(uid));
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    async fn fetch(
        &mut self,
        session: &mut Session,
        notes: &Notes,
        copies: &mut Copies,
        uids: &[u32],
    ) -> Result<(), Fault> {
        let fetched = self.headers(session, uids).await?;
        self.seen.extend(fetched.iter().map(|it| it.uid));
        self.note(session, notes, copies, fetched).await
    }

    /// The header blocks of these messages, each once.
    async fn headers(&self, session: &mut Session, uids: &[u32]) -> Result<Vec<Fetched>, Fault> {
        let set = set_of(uids);
        let labels = if self.labels == Labels::Told { "X-GM-LABELS " } else { "" };
        let command = format!("UID FETCH {set} (UID INTERNALDATE {labels}BODY.PEEK[HEADER]<0.{MAX_HEADER}>)");
        let (mut fetched, mut told) = (vec![], HashSet::new());
        session
            .command(&command, &mut |data| {
                let message = Fetched::read(&data).filter(|it| uids.contains(&it.uid) && told.insert(it.uid));
                fetched.extend(message);
            })
            .await?;
        Ok(fetched)
    }

    async fn note(
        &mut self,
        session: &mut Session,
        notes: &Notes,
        copies: &mut Copies,
        fetched: Vec<Fetched>,
    ) -> Result<(), Fault> {
        let mut bounces = vec![];
        for message in fetched {
            if bounce::may_be(&message.header) {
                bounces.push(message);
            } else if let Some(stored) = message::read(&message.header, notes.run())
                && copies.count(&self.name, stored.fingerprint).is_some()
            {
                let copy = Copy {
                    tag: stored.tag,
                    at: message.at.unwrap_or_else(|| notes.now()),
                    queue_id: stored.queue_id,
                    detail: format!("{} UID {}", self.name, message.uid),
                    placement: message.labelled.unwrap_or(self.placement),
                    received: stored.received,
                };
                notes.landed(copy, None);
            }
        }
        for bounce in bounces {
            self.read_bounce(session, notes, &bounce).await?;
        }
        Ok(())
    }

    /// Reads the whole of a notification: what it says stands in its body.
    async fn read_bounce(&self, session: &mut Session, notes: &Notes, bounce: &Fetched) -> Result<(), Fault> {
        let uid = bounce.uid;
        let mut whole = None;
        session
            .command(&format!("UID FETCH {uid} (UID BODY.PEEK[]<0.{MAX_BOUNCE}>)"), &mut |data| {
                whole = whole.take().or_else(|| Fetched::read(&data).filter(|it| it.uid == uid));
            })
            .await?;
        if let Some((tag, report)) = whole.and_then(|whole| bounce::read(&whole.header, notes.run())) {
            let at = bounce.at.unwrap_or_else(|| notes.now());
            notes.returned(&tag, &report, at, &format!("{} UID {uid}", self.name));
        }
        Ok(())
    }
}

/// A set of UIDs, as commands take it.
fn set_of(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// A message as it was fetched.
#[derive(Debug)]
struct Fetched {
    uid: u32,
    at: Option<Timestamp>,
    /// Where its labels say that it is seen.
    labelled: Option<Placement>,
    /// Its header block, or all of it, as was asked for.
    header: Vec<u8>,
}

impl Fetched {
    /// `n FETCH (UID … INTERNALDATE … BODY[HEADER]<0> …)` or `BODY[]<0>`, its items in any order.
    fn read(data: &[Token]) -> Option<Self> {
        if !data.get(1).is_some_and(|word| word.is("FETCH")) {
            return None;
        }
        let item = |name: &str| {
            let named = |it: &Token| matches!(it, Token::Atom(atom) if atom.to_ascii_uppercase().starts_with(name));
            data.iter().position(named).and_then(|at| data.get(at + 1))
        };
        let Some(Token::Text(header)) = item("BODY[") else { return None };
        let at = item("INTERNALDATE").and_then(Token::text).and_then(|date| internal_date(&date));
        Some(Self { uid: item("UID")?.number()?, at, labelled: labelled(data), header: header.clone() })
    }
}

/// `X-GM-LABELS (\\Inbox \\Important "a label")`.
fn labelled(data: &[Token]) -> Option<Placement> {
    let from = data.iter().position(|it| it.is("X-GM-LABELS"))?;
    let labels = data.get(from + 2..)?.iter().take_while(|it| **it != Token::Close).filter_map(Token::text);
    let labels: Vec<String> = labels.map(|it| it.to_ascii_lowercase()).collect();
    let has = |name: &str| labels.iter().any(|it| it.trim_start_matches('\\') == name);
    Some(match (has("inbox"), has("spam") || has("junk")) {
        (_, true) => Placement::Junk,
        (true, false) => Placement::Inbox,
        (false, false) => Placement::Other,
    })
}

/// `21-Nov-2026 05:42:24 +0000`; a day below ten may begin with a blank (RFC 3501 9).
fn internal_date(date: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", date.trim()).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_store_are_read() {
        for (date, at) in [
            ("21-Nov-2026 05:42:24 +0000", "2026-11-21T05:42:24Z"),
            (" 1-Nov-2026 05:42:24 +0130", "2026-11-01T04:12:24Z"),
        ] {
            assert_eq!(internal_date(date).map(|it| it.to_string()).as_deref(), Some(at));
        }
        assert_eq!(internal_date("NIL"), None);
    }

    #[test]
    fn the_junk_folder_is_the_marked_one_or_one_that_is_named_so() {
        let listed = |name: &str, attributes: &[&str]| Listed {
            name: name.to_owned(),
            attributes: attributes.iter().map(ToString::to_string).collect(),
        };
        let named = [listed("INBOX", &[]), listed("Spam", &[]), listed("Unerwünscht", &["\\Junk"])];
        assert_eq!(junk(&named), Some("Unerwünscht"));
        assert_eq!(junk(&named[..2]), Some("Spam"));
        assert_eq!(junk(&named[..1]), None);
        assert_eq!(junk(&[listed("Junk", &["\\NoSelect"])]), None);
    }
}

//! Servers that catch all mail for tests, asked over their HTTP APIs.
//!
//! ```text
//!   pages of the list ──> kind: JSON to items ──> raw message of what is new ──> shelf
//! ```
//!
//! What a program answers is in `kind`, one entry for each; here is only how pages are turned.

mod kind;
#[cfg(test)]
mod tests;

use base64::Engine;
use serde_json::Value;

use super::http::Http;
use super::message::MAX_HEADER;
use super::notes::Notes;
use super::shelf::{self, FAR_POLL, Item, Known, NEAR_POLL, Page, Setback, Shelf};
use super::{Collecting, Context, Trouble};
use crate::inventory::{Catcher, CatcherKind};

/// The most pages of a list that are read in one look.
const MAX_PAGES: usize = 200;
/// The most mailboxes that are looked into.
const MAX_USERS: usize = 100;

/// Begins to look into a catcher.
pub(super) async fn open(settings: &Catcher, context: &Context, notes: Notes) -> Result<Collecting, Trouble> {
    let http = Http::new(&settings.url, &settings.login, settings.ca.as_deref(), context).await?;
    let near = settings.url.place().is_loopback();
    let poll = settings.poll.unwrap_or(if near { NEAR_POLL } else { FAR_POLL });
    let why = format!("it shows what {} has caught", settings.kind);
    let catching = Catching { kind: settings.kind, mailbox: settings.mailbox.clone(), http };
    shelf::open(catching, poll, context.since, notes, &why).await
}

struct Catching {
    kind: CatcherKind,
    mailbox: Option<String>,
    http: Http,
}

impl Catching {
    /// The lists to read: one, or one for each user.
    async fn lists(&self) -> Result<Vec<String>, Setback> {
        match (self.kind, &self.mailbox) {
            (CatcherKind::Greenmail, None) => {
                let users = self.http.json("/api/user").await?;
                let users = users.as_array().into_iter().flatten().take(MAX_USERS);
                Ok(users
                    .filter_map(|user| user["login"].as_str().or(user["email"].as_str()))
                    .map(str::to_owned)
                    .collect())
            }
            (_, mailbox) => Ok(vec![mailbox.clone().unwrap_or_default()]),
        }
    }

    async fn pages(&self, list: &str, known: &Known, all: &mut Vec<Item>) -> Result<(), Setback> {
        for page in 0..MAX_PAGES {
            let path = kind::page(self.kind, list, page);
            let answer = self.http.json(&path).await?;
            let Some(items) = kind::items(self.kind, list, &answer) else {
                let what = format!("the answer to `{path}` is no list of messages as {} gives it", self.kind);
                return Err(Trouble::new(what).help("check `kind`: another program may listen there").into());
            };
            let seen = known.lacks_any(&items);
            let more = kind::more(self.kind, &answer, page, items.len());
            all.extend(items);
            // The newest come first, but for those that have no pages.
            if more == kind::More::No || seen == Page::Old {
                break;
            }
        }
        Ok(())
    }
}

impl Shelf for Catching {
    async fn list(&mut self, known: &Known) -> Result<Vec<Item>, Setback> {
        let mut all = vec![];
        for list in self.lists().await? {
            self.pages(&list, known, &mut all).await?;
        }
        Ok(all)
    }

    async fn header(&mut self, item: &Item) -> Result<Option<Vec<u8>>, Setback> {
        let list = self.mailbox.as_deref().unwrap_or_default();
        let raw = self.http.start_of(&kind::raw(self.kind, list, &item.id), MAX_HEADER).await?;
        match (raw, self.kind) {
            // Older versions of MailCrab have no raw messages, but keep one in the JSON.
            (None, CatcherKind::Mailcrab) => {
                let path = format!("/api/message/{}", kind::escape(&item.id));
                Ok(encoded(&self.http.json(&path).await?["raw"]))
            }
            (raw, _) => Ok(raw),
        }
    }
}

fn encoded(raw: &Value) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(raw.as_str()?).ok()
}

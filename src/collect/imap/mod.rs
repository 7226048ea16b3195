//! Mailboxes over IMAP.

use super::notes::Notes;
use super::{Collecting, Context, Trouble};
use crate::inventory::Imap;

pub(super) async fn open(_: &Imap, _: &Context, _: Notes) -> Result<Collecting, Trouble> {
    Err(Trouble::new("imap is not built yet"))
}

//! Which format a line is of, and what is remembered between the lines of one file.

use serde_json::Value;

use super::document::{self, Document};
use super::table::{self, Has, Row, Table};
use super::told::Told;
use super::wrapper::Entry;
use super::{
    chasquid, courier, dma, dovecot, exchange, exim, google, haraka, kumomta, maddy, microsoft365, opensmtpd, postfix,
    qmail, rspamd, sendmail, ses, stalwart,
};
use crate::inventory::LogFormat;

/// The readers of all formats.
#[derive(Debug, Default)]
pub(super) struct Formats {
    document: Document,
    table: Table,
    courier: courier::Tries,
    dma: dma::Messages,
    opensmtpd: opensmtpd::Sessions,
    qmail: qmail::Deliveries,
    stalwart: stalwart::Hops,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is of a known format and tells this, or nothing of interest.
    Told(Vec<Told>),
    /// It is a part of something longer.
    Part,
    /// Nobody knows it.
    Unknown,
}

impl Formats {
    /// What a line tells, in the one format or in whichever it is of.
    pub(super) fn read(&mut self, format: LogFormat, entry: &Entry<'_>) -> Heard {
        match format {
            LogFormat::Auto if is_plain(entry) => self.structured(entry),
            LogFormat::Auto => of_program(entry).map_or(Heard::Told(vec![]), |format| self.in_format(format, entry)),
            known => self.in_format(known, entry),
        }
    }

    fn in_format(&mut self, format: LogFormat, entry: &Entry<'_>) -> Heard {
        Heard::Told(match format {
            LogFormat::Postfix => postfix::read(entry).into_iter().collect(),
            LogFormat::Exim => exim::read(entry).into_iter().collect(),
            LogFormat::Sendmail => sendmail::read(entry),
            LogFormat::Opensmtpd => self.opensmtpd.read(entry),
            LogFormat::Chasquid => chasquid::read(entry),
            LogFormat::Courier => self.courier.read(entry),
            LogFormat::Dma => self.dma.read(entry),
            LogFormat::Dovecot => dovecot::read(entry),
            LogFormat::Qmail => self.qmail.read(entry),
            LogFormat::Haraka => haraka::read(entry).into_iter().collect(),
            LogFormat::Stalwart => self.stalwart.read(entry),
            LogFormat::Maddy => maddy::read(entry),
            LogFormat::Rspamd => rspamd::read(entry).into_iter().collect(),
            LogFormat::Auto
            | LogFormat::Kumomta
            | LogFormat::Ses
            | LogFormat::Exchange
            | LogFormat::Microsoft365
            | LogFormat::Google => return self.structured(entry),
        })
    }

    /// Objects, tables, and lines that no program name tells apart.
    fn structured(&mut self, entry: &Entry<'_>) -> Heard {
        match self.document.take(&entry.text) {
            document::Taken::Objects(objects) => return Heard::Told(objects.iter().flat_map(of_object).collect()),
            document::Taken::Part => return Heard::Part,
            document::Taken::Broken => return Heard::Unknown,
            document::Taken::Nothing => {}
        }
        if let (Has::No, Some(format)) = (self.table.begun(), of_text(&entry.text)) {
            return self.in_format(format, entry);
        }
        // The stamp of a record was taken for that of a line.
        let line = entry.whole.unwrap_or(&entry.text);
        match self.table.take(line) {
            table::Taken::Row(row) => Heard::Told(of_row(&row)),
            table::Taken::Part => Heard::Part,
            table::Taken::Broken => Heard::Unknown,
            table::Taken::Nothing if entry.stamp.is_some() => Heard::Told(vec![]),
            table::Taken::Nothing => Heard::Unknown,
        }
    }
}

/// Whether no log daemon named a program.
fn is_plain(entry: &Entry<'_>) -> bool {
    entry.program.is_none()
}

/// By the program that a log daemon named, or by the text where that tells nothing.
fn of_program(entry: &Entry<'_>) -> Option<LogFormat> {
    let program = entry.program.as_deref()?;
    let part = entry.program_part()?;
    let starts = |start: &str| program.starts_with(start);
    Some(if (program.contains('/') && postfix::PROGRAMS.contains(&part)) || starts("postfix") {
        LogFormat::Postfix
    } else if starts("exim") {
        LogFormat::Exim
    } else if part == "sendmail" || starts("sm-mta") || starts("sm-msp") {
        LogFormat::Sendmail
    } else if part == "smtpd" {
        LogFormat::Opensmtpd
    } else if starts("dovecot") {
        LogFormat::Dovecot
    } else if starts("courier") {
        LogFormat::Courier
    } else if part == "dma" {
        LogFormat::Dma
    } else if starts("qmail") {
        LogFormat::Qmail
    } else if starts("rspamd") {
        LogFormat::Rspamd
    } else if starts("stalwart") {
        LogFormat::Stalwart
    } else {
        return of_text(&entry.text);
    })
}

/// By the line itself, where one program writes the file.
fn of_text(text: &str) -> Option<LogFormat> {
    Some(if exim::is_one(text) {
        LogFormat::Exim
    } else if chasquid::is_one(text) {
        LogFormat::Chasquid
    } else if dovecot::is_one(text) {
        LogFormat::Dovecot
    } else if qmail::is_one(text) {
        LogFormat::Qmail
    } else if haraka::is_one(text) {
        LogFormat::Haraka
    } else if stalwart::is_one(text) {
        LogFormat::Stalwart
    } else if maddy::is_one(text) {
        LogFormat::Maddy
    } else if text.contains("rspamd_task_write_log: ") {
        LogFormat::Rspamd
    } else {
        return None;
    })
}

fn of_object(object: &Value) -> Vec<Told> {
    if ses::is_one(object) {
        return ses::read(object);
    }
    if kumomta::is_one(object) {
        return kumomta::read(object);
    }
    of_row(&Row::of_object(object))
}

fn of_row(row: &Row) -> Vec<Told> {
    if row.has("eventid") == Has::Column {
        exchange::read(row)
    } else if google::is_one(row) {
        google::read(row)
    } else if microsoft365::is_one(row) {
        microsoft365::read(row)
    } else {
        vec![]
    }
}

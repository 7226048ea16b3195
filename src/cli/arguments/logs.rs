//! The arguments of the commands that read logs.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::duration;
use crate::inventory::LogFormat;

#[derive(Debug, Args)]
pub(in crate::cli) struct Trace {
    /// Logs of any number of hosts, also rotated ones (gzip, zstd), `-` for standard input; or messages: .eml, mbox, Maildir
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Messages that bear this tag in Message-ID, sender or recipient; repeatable
    #[arg(long = "tag", value_name = "TAG", value_parser = selector)]
    pub(in crate::cli) tags: Vec<String>,
    /// The same for each line of a file
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) tags_from: Option<PathBuf>,
    /// The message with this Message-ID; repeatable
    #[arg(long = "message-id", value_name = "ID", value_parser = selector)]
    pub(in crate::cli) message_ids: Vec<String>,
    /// The message that had this queue-id at any host; repeatable
    #[arg(long = "queue-id", value_name = "ID", value_parser = selector)]
    pub(in crate::cli) queue_ids: Vec<String>,
    /// Whose lines the logs hold; `auto` tells it from each line
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = log_format)]
    pub(in crate::cli) log_format: LogFormat,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Census {
    /// Logs of the platform's hosts, also rotated ones (gzip, zstd); `-` for standard input
    #[arg(required = true, value_name = "LOG")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// The platform that should get no mail any more, as the inventory names it
    #[arg(long, value_name = "NAME", default_value = "legacy")]
    pub(in crate::cli) platform: String,
    /// When the MX records were changed, such as 2026-11-21T06:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(in crate::cli) changed: Option<Timestamp>,
    /// The TTL that the records had before: until then senders with cached DNS are explained
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub(in crate::cli) ttl: Duration,
    /// Whose lines the logs hold; `auto` tells it from each line
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = log_format)]
    pub(in crate::cli) log_format: LogFormat,
    /// Write the census to a file too, as Markdown or JSON; repeatable
    #[arg(long = "report", value_name = "md|json=PATH", value_parser = census_report)]
    pub(in crate::cli) reports: Vec<(CensusFormat, PathBuf)>,
}

/// How a census can be written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum CensusFormat {
    Markdown,
    Json,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a time with its zone, such as 2026-11-21T06:00:00Z".to_owned())
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    let known: Vec<&str> = LogFormat::ALL.iter().map(|it| it.word()).collect();
    text.parse().map_err(|_| format!("a log format is {}", crate::source::or_list(&known)))
}

/// What selects messages: short texts would be found everywhere.
fn selector(text: &str) -> Result<String, String> {
    let bare = text.trim_matches(['<', '>']);
    (bare.len() >= 4 && !bare.contains(char::is_whitespace))
        .then(|| bare.to_owned())
        .ok_or_else(|| "write at least four characters without blanks".to_owned())
}

fn census_report(text: &str) -> Result<(CensusFormat, PathBuf), String> {
    match text.split_once('=') {
        Some(("md", path)) if !path.is_empty() => Ok((CensusFormat::Markdown, path.into())),
        Some(("json", path)) if !path.is_empty() => Ok((CensusFormat::Json, path.into())),
        _ => Err("write md=PATH or json=PATH".to_owned()),
    }
}

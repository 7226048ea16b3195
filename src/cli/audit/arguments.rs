//! The arguments of `mxdrill audit`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::arguments::{ReportTo, Server, duration};

#[derive(Debug, Args)]
pub(in crate::cli) struct Audit {
    /// Domains; none: every domain of the inventory, or every origin of the zone files
    #[arg(value_name = "DOMAIN")]
    pub(in crate::cli) domains: Vec<String>,
    /// Audit this zone file before it is published, without any network; repeatable
    #[arg(long = "zone", value_name = "FILE", conflicts_with_all = ["live", "dns", "smtp", "views"])]
    pub(in crate::cli) zones: Vec<PathBuf>,
    /// This part only; repeatable
    #[arg(long, value_enum, value_name = "PART")]
    pub(in crate::cli) only: Vec<Part>,
    /// Ask the hosts themselves over SMTP, up to RCPT and never further
    #[arg(long)]
    pub(in crate::cli) smtp: bool,
    /// Contact hosts that are not on this machine
    #[arg(long)]
    pub(in crate::cli) live: bool,
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(in crate::cli) dns: Option<Server>,
    /// Ask this server, too, and compare: a named view; repeatable
    #[arg(long = "view", value_name = "NAME=ADDR[:PORT]")]
    pub(in crate::cli) views: Vec<View>,
    /// Where authoritative servers listen
    #[arg(long, value_name = "PORT", default_value = "53")]
    pub(in crate::cli) ns_port: u16,
    /// How long to wait before a recipient that was put off (greylisting) is asked for once more
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = duration)]
    pub(in crate::cli) patience: Duration,
    /// Where hosts with documents for mail clients listen
    #[arg(long, value_name = "PORT", default_value = "443")]
    pub(in crate::cli) https_port: u16,
    /// Where MX hosts listen
    #[arg(long, value_name = "PORT", default_value = "25")]
    pub(in crate::cli) smtp_port: u16,
    /// Trust the certificate authorities of this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ca: Option<PathBuf>,
    /// How many domains may be asked about at the same time
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) jobs: u16,
    /// Write a report to a file: json, junit or terminal; repeatable
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(in crate::cli) reports: Vec<ReportTo>,
}

/// A part of an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Part {
    Mx,
    MtaSts,
    Leftovers,
}

/// `NAME=ADDR`.
#[derive(Clone, Debug)]
pub(in crate::cli) struct View {
    pub(in crate::cli) name: String,
    pub(in crate::cli) server: SocketAddr,
}

impl FromStr for View {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, server) =
            text.split_once('=').ok_or_else(|| "write NAME=ADDRESS, such as inside=192.0.2.53".to_owned())?;
        Ok(Self { name: name.to_owned(), server: server.parse::<Server>()?.0 })
    }
}

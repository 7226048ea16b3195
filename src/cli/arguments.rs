//! The arguments, as clap reads them.

mod logs;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use ipnet::IpNet;

use super::Exit;
use super::audit::Audit;
use crate::inventory::{Endpoint, Secret};
use crate::proxy::announce::Introduction;
use crate::report;
use crate::terms::Smuggling;
pub(super) use logs::{Census, CensusFormat, Trace};

/// Prove where mail really goes.
#[derive(Debug, Parser)]
#[command(name = "mxdrill", version, about, max_term_width = 100, after_help = EXITS)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) common: Common,
}

const EXITS: &str = "\
Exit codes: 0 all pass; 1 a verdict failed; 2 arguments or scenario wrong, nothing contacted;
3 inconclusive or could not look; 4 the harness itself broke; 130 interrupted, faults lifted.

Without arguments to `mxdrill run` the bundled scenarios run on loopback; nothing else is contacted
without --live.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios: a file, a folder, or the bundled ones
    Run(Run),
    /// Read scenarios, say everything that is wrong with them, run nothing
    Check(Paths),
    /// What a run would do: probes, faults, every host and port that it would contact
    Plan(Paths),
    /// Hold domains against their design: MX set, what still names the old platform
    Audit(Audit),
    /// Whom a fault moves to the next MX: sender class by sender class
    Predict(Predict),
    /// Look on for the probes of a finished run; update its verdicts
    Watch(Watch),
    /// Render a saved record, report or journal again
    Report(Saved),
    /// The path of messages, hop by hop: through the logs of all hosts, or by the headers of a stored one
    Trace(Trace),
    /// Who still hands mail to a platform, from its own logs: no probes, nothing is contacted
    Census(Census),
    /// Two records side by side: what moved, what is gone, what is still there
    Diff(Diff),
    /// Configuration that still names the legacy platform
    Scan(super::scan::Scan),
    /// The fault proxy on its own, before a host that lives on
    Proxy(Proxy),
    /// For containers: is this proxy ready
    Healthcheck(Healthcheck),
    /// An MTA-STS policy, or a record of MTA-STS or TLSRPT, before it is published
    Lint(Lint),
    /// JSON Schema of scenario, inventory, record or report
    Schema(Schema),
    /// Completions for a shell, on stdout
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
    /// The manual page, on stdout: mxdrill man | man -l -
    Man,
}

/// Arguments that several commands share.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Platforms, hosts and collectors that scenarios share
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) inventory: Option<PathBuf>,
    /// What goes to stdout
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(super) format: Format,
    /// Say more: -v each probe by itself, -vv the log of mxdrill, -vvv all of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say less: a line a scenario, and what did not come out as it should
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Colours; `auto` looks at the terminal and NO_COLOR
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub(super) struct Paths {
    /// Scenario files or folders; none: the bundled scenarios
    pub(super) paths: Vec<PathBuf>,
    /// Decides order, faults and message bytes; from entropy where neither this nor the scenario says
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) what: Paths,
    /// Contact hosts that are not on this machine
    #[arg(long)]
    pub(super) live: bool,
    /// Keep journal and record of each run in a folder of DIR
    #[arg(long, value_name = "DIR")]
    pub(super) record: Option<PathBuf>,
    /// Write a report to a file: json, junit, html, md, github or terminal; repeatable
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(super) reports: Vec<ReportTo>,
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(super) dns: Option<Server>,
    /// Trust the certificate authorities of this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// How many probes may be under way at the same time
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: u16,
}

#[derive(Debug, Args)]
pub(super) struct Predict {
    /// A sender class, such as postfix; repeatable; none: all of them
    #[arg(long = "sender", value_name = "CLASS")]
    pub(super) senders: Vec<String>,
    /// A fault at the primary, such as 'at=rcpt do=reply:"450 4.2.0 busy"'; repeatable
    #[arg(long = "fault", value_name = "FAULT", required = true)]
    pub(super) faults: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Watch {
    /// The folder that `--record` made, or the journal or record in it
    pub(super) path: PathBuf,
    /// How long to look on
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(super) time: Duration,
    /// Contact hosts that are not on this machine
    #[arg(long)]
    pub(super) live: bool,
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(super) dns: Option<Server>,
    /// Trust the certificate authorities of this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Write a report to a file: json, junit, html, md, github or terminal; repeatable
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(super) reports: Vec<ReportTo>,
}

#[derive(Debug, Args)]
pub(super) struct Saved {
    /// A record, a JSON report, a journal, or a folder that `--record` made
    #[arg(required = true)]
    pub(super) paths: Vec<PathBuf>,
    /// Write a report to a file: json, junit, html, md, github or terminal; repeatable
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(super) reports: Vec<ReportTo>,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// What was seen before: a record, a JSON report, a journal, or a folder that `--record` made
    pub(super) before: PathBuf,
    /// What was seen after
    pub(super) after: PathBuf,
    /// The platform that must be gone
    #[arg(long, value_name = "NAME", default_value = "legacy")]
    pub(super) platform: String,
}

#[derive(Debug, Args)]
pub(super) struct Proxy {
    /// Where to listen
    #[arg(long, value_name = "ADDR:PORT", requires = "upstream", required_unless_present = "config")]
    pub(super) listen: Option<SocketAddr>,
    /// The host itself: everything goes there, and nowhere else
    #[arg(long, value_name = "HOST:PORT", requires = "listen", value_parser = endpoint)]
    pub(super) upstream: Option<Endpoint>,
    /// The host's name in faults, logs and metrics; else as in --upstream
    #[arg(long, value_name = "NAME", requires = "listen")]
    pub(super) host: Option<String>,
    /// A fault, such as 'at=rcpt first=3 do=reply:"451 4.7.1 later"'; repeatable
    #[arg(long = "fault", value_name = "FAULT")]
    pub(super) faults: Vec<String>,
    /// Listeners, faults and settings from a YAML file; SIGHUP reads it again
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where the control API listens; anything but loopback needs --token
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) control: Option<SocketAddr>,
    /// The bearer token of the control API
    #[arg(long, value_name = "env:NAME|file:PATH", value_parser = secret)]
    pub(super) token: Option<Secret>,
    /// The host's certificate chain: TLS is ended where a fault needs to see inside
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The private key to it
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// How the host is told who its client is: none, proxy-v1, proxy-v2 or xclient
    #[arg(long, value_name = "HOW", requires = "listen", value_parser = introduction)]
    pub(super) client: Option<Introduction>,
    /// A load balancer in front, which says for whom it calls by the PROXY protocol; repeatable
    #[arg(long, value_name = "NETWORK", requires = "listen", value_parser = network)]
    pub(super) accept_proxy: Vec<IpNet>,
    /// What becomes of CR and LF that stand alone: pass or refuse [default: pass]
    #[arg(long, value_name = "WHAT", value_parser = smuggling)]
    pub(super) smuggling: Option<Smuggling>,
    /// Faults lift themselves after this time without being renewed [over the control API: 10m]
    #[arg(long, value_name = "TIME", value_parser = lease)]
    pub(super) lease: Option<Duration>,
    /// How long messages under way may take at the end [default: 3s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) drain: Option<Duration>,
    /// Decides what `chance` draws; from entropy where it is not given
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// The log on stderr
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(super) log_format: Format,
}

#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// The control API of the proxy
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8025", value_parser = plain_url)]
    pub(super) control: Endpoint,
    /// How long to wait for the answer
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Args)]
pub(super) struct Lint {
    #[command(subcommand)]
    pub(super) kind: LintKind,
}

#[derive(Debug, Subcommand)]
pub(super) enum LintKind {
    /// The file at https://mta-sts.DOMAIN/.well-known/mta-sts.txt
    MtaStsPolicy {
        /// The policy; `-` reads stdin
        file: PathBuf,
        /// An MX host that the policy must cover; repeatable
        #[arg(long, value_name = "HOST")]
        mx: Vec<String>,
    },
    /// The TXT record at _mta-sts.DOMAIN
    MtaStsRecord {
        /// The record; `-` reads stdin
        text: String,
    },
    /// The TXT record at _smtp._tls.DOMAIN
    TlsrptRecord {
        /// The record; `-` reads stdin
        text: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what
    pub(super) kind: SchemaKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaKind {
    Scenario,
    Inventory,
    Record,
    Report,
}

/// `FORMAT=PATH`.
#[derive(Clone, Debug)]
pub(super) struct ReportTo {
    pub(super) format: report::Format,
    pub(super) path: PathBuf,
}

impl FromStr for ReportTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || report::Format::ALL.iter().map(|it| it.word()).collect::<Vec<_>>();
        let (format, path) = text
            .split_once('=')
            .ok_or_else(|| format!("write FORMAT=PATH, such as junit=report.xml: {text:?} has no `=`"))?;
        let format = format
            .parse()
            .map_err(|_| format!("`{format}` is not a format of reports: {} are", crate::source::or_list(&known())))?;
        Ok(Self { format, path: path.into() })
    }
}

/// An address with or without a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server(pub(super) SocketAddr);

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let whole = text.parse::<SocketAddr>().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
        whole
            .map(Self)
            .map_err(|_| "write an address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53".to_owned())
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| "write a time such as 30s, 10m or 2h".to_owned())?;
    Duration::try_from(span).map_err(|_| "a time cannot be negative".to_owned())
}

fn introduction(text: &str) -> Result<Introduction, String> {
    text.parse().map_err(|_| one_of(Introduction::ALL, Introduction::word))
}

fn smuggling(text: &str) -> Result<Smuggling, String> {
    text.parse().map_err(|_| one_of(Smuggling::ALL, Smuggling::word))
}

fn one_of<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> String {
    format!("write {}", crate::source::or_list(&all.iter().copied().map(word).collect::<Vec<_>>()))
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let whole = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    whole.map_err(|_| "write a network or an address, such as 192.0.2.0/24 or 2001:db8::1".to_owned())
}

fn lease(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let allowed = crate::scenario::standing::LEASES.contains(&time);
    allowed.then_some(time).ok_or_else(|| "a lease is a time from 1s to 7d".to_owned())
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    text.parse().map_err(|_| "write a name or an address, a colon and a port, such as mx1.new.example:25".to_owned())
}

fn plain_url(text: &str) -> Result<Endpoint, String> {
    let place = text.strip_prefix("http://").unwrap_or(text);
    let place = place.strip_suffix("/readyz").unwrap_or(place).trim_end_matches('/');
    endpoint(place).map_err(|_| "write the URL of a control API, such as http://127.0.0.1:8025".to_owned())
}

fn secret(text: &str) -> Result<Secret, String> {
    match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(Secret::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Secret::File(path.into())),
        _ => Err("write env:NAME or file:PATH; a token in the arguments would be seen by everybody".to_owned()),
    }
}

/// Prints why the arguments cannot be used, or the help that they ask for.
pub(super) fn refused(error: &clap::Error) -> Exit {
    // Nothing is left to do where even this cannot be printed.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}

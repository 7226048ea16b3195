//! `mxdrill scan`: configuration that still names the legacy platform.

use std::io::BufRead;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::time::Instant;

use super::accepts::{self, Credential};
use super::arguments::{Common, ReportTo, Server, endpoint};
use super::{Exit, Machine, Screen, drill, files};
use crate::inventory::{Endpoint, Inventory};
use crate::mail::Address;
use crate::record::{Coverage, Examination, FindingSeverity, Report, RunId};
use crate::scan::{self, AdHoc, Limits, Printed, Unwanted, Wanted};

/// The most paths that are read from stdin.
const MAX_LISTED: usize = 1_000_000;

#[derive(Debug, Args)]
pub(super) struct Scan {
    /// Files, folders and archives (.tar, .gz, .zst); `-` reads a list of them from stdin
    pub(super) paths: Vec<PathBuf>,
    /// The platform of the inventory that is looked for; repeatable
    #[arg(long = "platform", value_name = "NAME", default_value = "legacy")]
    pub(super) platforms: Vec<String>,
    /// A host name or pattern to look for, such as mx.old.example or *.old.example; repeatable
    #[arg(long = "name", value_name = "HOST")]
    pub(super) names: Vec<String>,
    /// An address to look for; repeatable
    #[arg(long = "address", value_name = "IP")]
    pub(super) addresses: Vec<IpAddr>,
    /// A network to look for; repeatable
    #[arg(long = "network", value_name = "CIDR")]
    pub(super) networks: Vec<ipnet::IpNet>,
    /// A domain whose mail no scanned host may deliver by itself; repeatable
    #[arg(long = "domain", value_name = "DOMAIN")]
    pub(super) domains: Vec<String>,
    /// Ask installed and running software too: postconf, exim, sendmail, units, processes, containers
    #[arg(long)]
    pub(super) running: bool,
    /// Ask every relay that is found in use whether it still takes mail; nothing is sent
    #[arg(long)]
    pub(super) live: bool,
    /// Ask this server, too; one that is not on this machine needs --live; repeatable
    #[arg(long = "try", value_name = "HOST:PORT", value_parser = endpoint)]
    pub(super) tried: Vec<Endpoint>,
    /// Log in there as this user; repeatable
    #[arg(long = "credential", value_name = "user=NAME,password=env:VARIABLE")]
    pub(super) credentials: Vec<Credential>,
    /// For whom it is asked, in a domain of the inventory or of --domain
    #[arg(long, value_name = "ADDRESS")]
    pub(super) recipient: Option<Address>,
    /// From whom; else the user who logs in, or the recipient
    #[arg(long, value_name = "ADDRESS")]
    pub(super) from: Option<Address>,
    /// Look names up at this DNS server instead of the system's
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(super) dns: Option<Server>,
    /// Show passwords to servers only whose certificate is by an authority of this PEM file
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The most bytes of one file that are read
    #[arg(long, value_name = "BYTES", default_value = "1073741824")]
    pub(super) max_size: u64,
    /// The most bytes that may come out of one archive
    #[arg(long, value_name = "BYTES", default_value = "4294967296")]
    pub(super) max_unpacked: u64,
    /// Write a report to a file; repeatable
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(super) reports: Vec<ReportTo>,
}

pub(super) fn scan(machine: &mut Machine, screen: &Screen, common: &Common, wanted: &Scan) -> Exit {
    let began = Instant::now();
    let prepared = files::inventory(screen, common.inventory.as_deref()).and_then(|given| {
        let (inventory, text) = given.unzip();
        let inventory = inventory.unwrap_or_default();
        let sought = sought(screen, wanted, &inventory)?;
        let asking = accepts::prepared(machine, screen, wanted, &inventory)?;
        Ok((sought, text, paths(screen, wanted)?, asking))
    });
    let (sought, text, paths, asking) = match prepared {
        Ok(prepared) => prepared,
        Err(exit) => return exit,
    };
    let (printed, unasked) = match asked(screen, wanted) {
        Ok(answers) => answers,
        Err(exit) => return exit,
    };
    let limits = Limits { file: wanted.max_size, unpacked: wanted.max_unpacked, ..Limits::default() };
    let scanned = scan::scan(&sought, &paths, &printed, limits);
    let told = match asking.map(|it| it.ask(screen, &scanned.relays)).transpose() {
        Ok(told) => told.unwrap_or_default(),
        Err(exit) => return exit,
    };
    let mut findings = scanned.findings;
    findings.extend(told.findings);
    // Gravest first; within a severity the order stays.
    findings.sort_by_key(|it| FindingSeverity::ALL.iter().position(|grave| *grave == it.severity));
    let examination = Examination {
        run: RunId::from_entropy((machine.entropy)()),
        started: machine.now,
        finished: machine
            .now
            .saturating_add(jiff::SignedDuration::try_from(began.elapsed()).unwrap_or_default())
            .unwrap_or(machine.now),
        command: machine.arguments.iter().skip(1).map(|it| it.to_string_lossy().into_owned()).collect(),
        name: name(&paths, wanted),
        inventory: text.map(|it| (it.name.to_string(), it.text.to_string())),
        findings,
        coverage: unasked.into_iter().chain(told.coverage).chain(scanned.coverage).collect(),
    };
    let report = Report::new(vec![examination.into_record()]);
    match drill::publish(screen, common, &report, &wanted.reports) {
        Ok(()) => Exit::of_records(&report.records),
        Err(exit) => exit,
    }
}

fn name(paths: &[PathBuf], wanted: &Scan) -> String {
    let what = match paths {
        [one] => one.display().to_string(),
        [] if !wanted.running => {
            crate::source::and_list(&wanted.tried.iter().map(Endpoint::to_string).collect::<Vec<_>>())
        }
        [] => "running software".to_owned(),
        several => crate::source::plural(several.len(), "path"),
    };
    if wanted.running && !paths.is_empty() {
        format!("scan of {what} and running software")
    } else {
        format!("scan of {what}")
    }
}

/// What to look for: the platforms that are asked for, and names and networks given by hand.
fn sought(screen: &Screen, wanted: &Scan, inventory: &Inventory) -> Result<Wanted, Exit> {
    let given = inventory.platforms.keys().cloned().collect::<Vec<_>>();
    let asked = if given.is_empty() { vec![] } else { wanted.platforms.clone() };
    let mut networks = wanted.networks.clone();
    networks.extend(wanted.addresses.iter().map(|address| ipnet::IpNet::from(*address)));
    let platform = wanted.platforms.first().cloned().unwrap_or_default();
    let by_hand = AdHoc { names: wanted.names.clone(), networks, platform, domains: wanted.domains.clone() };
    Wanted::new(inventory, &asked, &by_hand).map_err(|unwanted| {
        let help = match &unwanted {
            Unwanted::Platform(name) => match crate::source::closest(name, given.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `--platform {near}`?"),
                None => format!("its platforms are {}", crate::source::and_list(&given)),
            },
            Unwanted::Nothing(_) => {
                "give --inventory FILE, or --name HOST, --address IP or --network CIDR of the old platform".to_owned()
            }
            Unwanted::Broad(_) => "give a pattern with at least three letters, such as *.old.example".to_owned(),
        };
        screen.error(&unwanted.to_string(), &[], Some(&help));
        Exit::Usage
    })
}

/// The paths to scan; `-` stands for a list on stdin, a path a line.
fn paths(screen: &Screen, wanted: &Scan) -> Result<Vec<PathBuf>, Exit> {
    let mut paths = vec![];
    for path in &wanted.paths {
        if path == Path::new("-") {
            let lines = std::io::stdin().lock().lines().take(MAX_LISTED);
            paths.extend(lines.map_while(Result::ok).filter(|line| !line.is_empty()).map(PathBuf::from));
        } else if path.symlink_metadata().is_err() {
            screen.error(
                &format!("there is no `{}`", path.display()),
                &[],
                Some("give files, folders or archives that exist"),
            );
            return Err(Exit::Usage);
        } else {
            paths.push(path.clone());
        }
    }
    if paths.is_empty() && !wanted.running && wanted.tried.is_empty() && wanted.paths.is_empty() {
        screen.error("nothing is given to be scanned", &[], Some("give paths, `-` for a list of them, or --running"));
        return Err(Exit::Usage);
    }
    Ok(paths)
}

fn asked(screen: &Screen, wanted: &Scan) -> Result<(Vec<Printed>, Vec<Coverage>), Exit> {
    if !wanted.running {
        return Ok((vec![], vec![]));
    }
    Ok(drill::runtime(screen)?.block_on(scan::running::ask()))
}

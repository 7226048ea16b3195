//! The command line: arguments, one file a command, exit codes.
//!
//! ```text
//!   main ── Machine (arguments, environment, clock, entropy, terminals) ──> main()
//!                                                                             │
//!            check plan run audit watch proxy report …  <───────────────────────────┘
//!                                      stdout: the result      stderr: progress and errors
//! ```
//!
//! A command reads files, calls the rooms that do the work, and prints. It decides nothing about
//! mail.

mod arguments;
mod audit;
mod census;
mod check;
mod diff;
mod drill;
mod exit;
mod files;
mod healthcheck;
mod lint;
mod manual;
mod plan;
mod predict;
mod progress;
mod proxy;
mod report;
mod scan;
mod schema;
mod screen;
mod trace;
mod watch;

use std::ffi::OsString;

use clap::Parser;
use jiff::Timestamp;

use crate::world::Environment;
use arguments::{Arguments, Command};
pub use exit::Exit;
pub use screen::{Screen, Terminal};

/// What `main` read from the machine.
pub struct Machine {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// The environment.
    pub environment: Environment,
    /// The time of day.
    pub now: Timestamp,
    /// Fresh random bits at each call.
    pub entropy: Box<dyn FnMut() -> u64>,
    /// Where results go.
    pub stdout: Terminal,
    /// Where progress and errors go.
    pub stderr: Terminal,
}

impl Machine {
    /// A seed that a person can type again.
    fn fresh_seed(&mut self) -> u64 {
        (self.entropy)() % 1_000_000
    }
}

/// Carries out what the arguments say.
pub fn main(mut machine: Machine) -> Exit {
    let arguments = match Arguments::try_parse_from(&machine.arguments) {
        Ok(arguments) => arguments,
        Err(error) => return arguments::refused(&error),
    };
    let screen = Screen::new(&machine, arguments.common.color);
    let common = arguments.common;
    screen::log_to_stderr(screen::Log::of(&arguments.command, &common), &screen);
    match arguments.command {
        Command::Run(run) => drill::run(&mut machine, &screen, &common, &run),
        Command::Check(check) => check::check(&screen, &common, &check),
        Command::Plan(plan) => plan::plan(&mut machine, &screen, &common, &plan),
        Command::Audit(audit) => audit::audit(&mut machine, &screen, &common, &audit),
        Command::Predict(wanted) => predict::predict(&screen, &common, &wanted),
        Command::Watch(watch) => watch::watch(&mut machine, &screen, &common, &watch),
        Command::Trace(wanted) => trace::trace(&machine, &screen, &common, &wanted),
        Command::Census(wanted) => census::census(&machine, &screen, &common, &wanted),
        Command::Proxy(proxy) => proxy::proxy(&mut machine, &screen, &proxy),
        Command::Healthcheck(wanted) => healthcheck::healthcheck(&screen, &wanted),
        Command::Diff(wanted) => diff::diff(&screen, &common, &wanted),
        Command::Report(report) => report::report(&screen, &common, &report),
        Command::Completions { shell } => manual::completions(&screen, shell),
        Command::Man => manual::man(&screen),
        Command::Lint(lint) => lint::lint(&screen, &common, &lint.kind),
        Command::Scan(wanted) => scan::scan(&mut machine, &screen, &common, &wanted),
        Command::Schema(schema) => schema::schema(&screen, &schema),
    }
}

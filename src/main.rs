//! The program: reads arguments, environment, clock and entropy, and hands them on.

use std::io::IsTerminal;
use std::process::ExitCode;

use mxdrill::cli::{self, Machine, Terminal};
use mxdrill::world::Environment;

fn main() -> ExitCode {
    let columns = |terminal: bool| match terminal {
        true => Terminal::Columns(terminal_columns()),
        false => Terminal::Absent,
    };
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    cli::main(Machine {
        arguments: std::env::args_os().collect(),
        environment: Environment::new(variables),
        now: jiff::Timestamp::now(),
        entropy: Box::new(rand::random::<u64>),
        stdout: columns(std::io::stdout().is_terminal()),
        stderr: columns(std::io::stderr().is_terminal()),
    })
    .into()
}

/// The width of the terminal; 100 columns where it does not say.
fn terminal_columns() -> u16 {
    let told = console_width();
    if told == 0 { 100 } else { told }
}

fn console_width() -> u16 {
    indicatif::ProgressDrawTarget::stderr().width().unwrap_or(0)
}

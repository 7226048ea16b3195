//! The program: reads arguments, environment, clock and entropy, and hands them on.

use std::process::ExitCode;

use mxdrill::cli::{self, Machine, Terminal};
use mxdrill::world::Environment;

fn main() -> ExitCode {
    let columns = |terminal: &console::Term| match terminal.is_term() {
        true => Terminal::Columns(terminal.size().1),
        false => Terminal::Absent,
    };
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    cli::main(Machine {
        arguments: std::env::args_os().collect(),
        environment: Environment::new(variables),
        now: jiff::Timestamp::now(),
        entropy: Box::new(rand::random::<u64>),
        stdout: columns(&console::Term::stdout()),
        stderr: columns(&console::Term::stderr()),
    })
    .into()
}

//! Where words go, and in which colours.

use std::io::{self, Write};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Machine;
use super::arguments::{Color, Command, Common, Format};
use crate::source::{Diagnostic, Level, Paint, Remark, SourceText, draw};

/// What a stream is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// A person looks, at this many columns.
    Columns(u16),
    /// A file or a pipe.
    Absent,
}

/// Both streams of the process.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// How results are painted.
    pub paint: Paint,
    /// How progress and errors are painted.
    pub error_paint: Paint,
    /// Columns of results.
    pub width: usize,
    /// Whether somebody looks at progress.
    pub stderr: Terminal,
}

impl Screen {
    pub(super) fn new(machine: &Machine, color: Color) -> Self {
        let no_color = machine.environment.get("NO_COLOR").is_some_and(|it| !it.is_empty());
        let paint = |terminal: Terminal| match color {
            Color::Always => Paint::Colour,
            Color::Auto if !no_color && terminal != Terminal::Absent => Paint::Colour,
            Color::Auto | Color::Never => Paint::Plain,
        };
        let width = match machine.stdout {
            Terminal::Columns(columns) => usize::from(columns).clamp(60, 160),
            Terminal::Absent => 100,
        };
        Self { paint: paint(machine.stdout), error_paint: paint(machine.stderr), width, stderr: machine.stderr }
    }

    /// Prints a result. A reader that has gone away, such as `head`, is no error.
    pub(super) fn result(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Prints an error or a notice.
    pub(super) fn say(&self, text: &str) {
        let mut err = io::stderr().lock();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// Prints an error that has no place in a file.
    pub(super) fn error(&self, what: &str, notes: &[String], help: Option<&str>) {
        let mut said = Diagnostic::new(Level::Error, what);
        said.notes.extend_from_slice(notes);
        said.help.extend(help.map(str::to_owned));
        self.say(&draw(&SourceText::new("", ""), &said, self.error_paint));
    }

    /// Prints what was said of files.
    pub(super) fn remarks(&self, remarks: &[Remark]) {
        let drawn: Vec<String> = remarks.iter().map(|it| it.draw(self.error_paint)).collect();
        if !drawn.is_empty() {
            self.say(&drawn.join("\n"));
        }
    }
}

/// What of the log is shown, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    level: tracing::Level,
    format: Format,
}

impl Log {
    /// What a command is to say. The proxy's log is its result, so that more of it is shown.
    pub(super) fn of(command: &Command, common: &Common) -> Self {
        let (format, verbose) = match command {
            Command::Proxy(proxy) => (proxy.log_format, common.verbose.saturating_add(2)),
            _ => (Format::Text, common.verbose),
        };
        let level = match (verbose, common.quiet) {
            (_, true) => tracing::Level::ERROR,
            (0 | 1, false) => tracing::Level::WARN,
            (2, false) => tracing::Level::INFO,
            (_, false) => tracing::Level::TRACE,
        };
        Self { level, format }
    }
}

/// Sends the log of mxdrill itself to stderr, where it is asked for.
pub(super) fn log_to_stderr(log: Log, screen: &Screen) {
    // The lab's DNS warns of every ordinary lookup; what is wrong with it shows in the drill itself.
    let spared = if log.level <= tracing::Level::WARN { LevelFilter::OFF } else { log.level.into() };
    let targets = Targets::new().with_default(log.level).with_target("hickory_server", spared);
    let format = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(screen.error_paint == Paint::Colour)
        .with_target(false);
    // A second call, in a test, keeps the first one's settings.
    let _ = match log.format {
        Format::Text => tracing_subscriber::registry().with(format.with_filter(targets)).try_init(),
        Format::Json => {
            let format = format.json().flatten_event(true);
            tracing_subscriber::registry().with(format.with_filter(targets)).try_init()
        }
    };
}

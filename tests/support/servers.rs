//! Real mail servers for tests: each is a `tests/servers/up` in the foreground of a child process, with a folder of its own.
//!
//! A server ends when its [`Server`] is dropped, and also when the test is killed: its standard input is a pipe from here.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to answer on a loaded machine, and how long anything else that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A /24 of loopback that no other test on this machine uses while this value lives.
pub(crate) struct Network {
    number: u8,
    _claim: TcpListener,
}

impl Network {
    /// Takes the first free one of 127.78.0.0/16: whoever listens at its last address has it.
    pub(crate) fn claim() -> Self {
        for number in 1..=254 {
            if let Ok(claim) = TcpListener::bind((format!("127.78.{number}.254"), 7825)) {
                return Self { number, _claim: claim };
            }
        }
        panic!("no free network in 127.78.0.0/16: does this machine have 127.0.0.0/8 on loopback?");
    }

    /// For `lab.network`.
    pub(crate) fn cidr(&self) -> String {
        format!("127.78.{}.0/24", self.number)
    }

    /// One address and port of it.
    pub(crate) fn address(&self, host: u8, port: u16) -> String {
        format!("127.78.{}.{host}:{port}", self.number)
    }
}

/// One running server.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts `tests/servers/up NAME` without waiting for it; see [`Server::await_ready`].
    pub(crate) fn launch(name: &'static str, settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for a server");
        let output = File::create(folder.path().join("up.out")).expect("a file for the server's output");
        let child = Command::new(script())
            .arg(name)
            .arg(folder.path())
            .args(settings.iter().map(|(key, value)| format!("{key}={value}")))
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", script().display()));
        Self { name, child, folder }
    }

    /// Waits until every port of it answers; panics with the server's own words where it does not.
    pub(crate) fn await_ready(&mut self) {
        let marker = self.folder.path().join("ready");
        let answers = until(PATIENCE, || {
            let ended = self.child.try_wait().expect("the state of a child");
            (marker.exists() || ended.is_some()).then_some(ended.is_none())
        });
        if answers != Some(true) {
            let said = read(&self.folder.path().join("up.out"));
            panic!("the server {} did not start\n{said}", self.name);
        }
    }

    /// A file below the server's folder: see the head of `tests/servers/up` for what lies there.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The log that says what became of each message.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.path(match self.name {
            "legacy" | "legacy-closed" | "sender-exim" => "log/mainlog",
            "sender-opensmtpd" => "log/opensmtpd.out",
            _ => "log/mail.log",
        })
    }

    /// Its text, as far as it is written.
    pub(crate) fn log(&self) -> String {
        read(&self.log_path())
    }

    /// The last lines of all its logs, for the message of a failed test.
    pub(crate) fn last_words(&self) -> String {
        let mut files: Vec<PathBuf> = fs::read_dir(self.path("log"))
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        files.sort();
        files.iter().filter(|file| !read(file).is_empty()).map(|file| tail(self.name, file)).collect()
    }
}

impl Drop for Server {
    /// Closes the pipe, which ends the server, and waits until its last process is gone.
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.last_words());
        }
        drop(self.child.stdin.take());
        if until(PATIENCE, || self.child.try_wait().ok().flatten()).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Looks until `seen` yields something, at most for `patience`.
pub(crate) fn until<T>(patience: Duration, mut seen: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = seen() {
            return Some(value);
        }
        if Instant::now() > deadline {
            return None;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// The text of a file, with what is no UTF-8 replaced; empty where there is none yet.
pub(crate) fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/up")
}

fn tail(name: &str, file: &Path) -> String {
    let text = read(file);
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(20)..];
    format!("--- {name}: {}\n{}\n", file.display(), last.join("\n"))
}

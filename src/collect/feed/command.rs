//! Lines that a program prints for as long as it runs.
//!
//! ```text
//!   spawn ──lines──> items          a process group of its own, so that all of it can be ended
//!     ^        └─ ends: Ended, wait (longer each time), spawn: Back, and a Gap for good
//! ```

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::super::notes::Notes;
use super::super::{Collecting, Trouble};
use super::lines::{Line, Lines, more};
use super::{Age, CAPACITY, Item, Items, Source};
use crate::inventory::LogFormat;
use crate::world::ProcessGroup;

/// How long a program may run without a word before it is taken to be watching.
const GRACE: Duration = Duration::from_secs(1);
/// How long after its start a program may still print old lines.
const HISTORY: Duration = Duration::from_secs(2);
/// How long to wait before a program that ended is started again; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest such wait.
const LAST_WAIT: Duration = Duration::from_secs(30);
/// A program that ran for so long is no failure: the wait begins anew.
const LONG_RUN: Duration = Duration::from_secs(60);
/// How long a program may take to end once it is asked to.
const END_LIMIT: Duration = Duration::from_secs(1);
/// How much of the end of what a program writes to its standard error is kept, in bytes.
const MAX_SAID: usize = 2000;

/// Begins to read what the program prints.
pub(in super::super) async fn open(words: &[String], format: LogFormat, notes: Notes) -> Result<Collecting, Trouble> {
    let (items, received) = mpsc::channel(CAPACITY);
    let mut running = Running::start(words)?;
    let first = running.first_words(&items).await;
    if let Some(trouble) = first {
        return Err(trouble.help("run the command by hand: it must go on running and print the log as it grows"));
    }
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(keep_running(words.to_vec(), running, items, stopped));
    let why = format!("`{}` runs", program(words));
    Ok(super::begin(Program { stop, task }, received, format, notes, &why))
}

fn program(words: &[String]) -> &str {
    words.first().map_or("", String::as_str)
}

/// The program, from outside.
struct Program {
    /// Dropped to end it.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Source for Program {
    async fn end(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

/// Runs the program again and again, until it is told to stop.
async fn keep_running(words: Vec<String>, first: Running, items: Items, mut stopped: oneshot::Receiver<()>) {
    let mut running = first;
    let mut wait = FIRST_WAIT;
    loop {
        let trouble = tokio::select! {
            trouble = running.until_end(&items) => trouble,
            _ = &mut stopped => return running.end().await,
        };
        if running.started.elapsed() >= LONG_RUN {
            wait = FIRST_WAIT;
        }
        let _ = items.send(Item::Ended(trouble.clone())).await;
        running = loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = &mut stopped => return,
            }
            wait = LAST_WAIT.min(wait * 2);
            match Running::start(&words) {
                Ok(next) => break next,
                Err(trouble) => {
                    let _ = items.send(Item::Ended(trouble)).await;
                }
            }
        };
        let gap = format!("{}; what was logged until it was started again is lost", trouble.what);
        let _ = items.send(Item::Gap(gap)).await;
        let again = tokio::select! {
            again = running.first_words(&items) => again,
            _ = &mut stopped => return running.end().await,
        };
        let _ = items.send(again.map_or(Item::Back, Item::Ended)).await;
    }
}

/// One run of the program.
struct Running {
    name: String,
    child: Child,
    group: ProcessGroup,
    output: ChildStdout,
    /// The end of what it wrote to its standard error.
    said: JoinHandle<String>,
    lines: Lines,
    number: u64,
    started: Instant,
}

impl Running {
    fn start(words: &[String]) -> Result<Self, Trouble> {
        let name = program(words).to_owned();
        let failed = |why: String| {
            Trouble::new(format!("`{name}` cannot be run: {why}"))
                .help("check the `command`; it is run on this machine")
        };
        let mut child = Command::new(&name)
            .args(words.iter().skip(1))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let group = ProcessGroup::led_by(child.id());
        let output = child.stdout.take().ok_or_else(|| failed("it has no output".to_owned()))?;
        let errors = child.stderr.take().ok_or_else(|| failed("it has no output".to_owned()))?;
        let said = tokio::spawn(last_words(errors));
        Ok(Self { name, child, group, output, said, lines: Lines::default(), number: 0, started: Instant::now() })
    }

    /// Waits until the program prints something, or has run for a while; why it ended, if it did.
    async fn first_words(&mut self, items: &Items) -> Option<Trouble> {
        let mut block = vec![0; 64 * 1024];
        match timeout(GRACE, more(&mut self.output, &mut block)).await {
            Ok(Ok(Some(read))) => {
                self.take(&block[..read], items).await;
                None
            }
            Ok(_) => Some(self.ended().await),
            Err(_) => None,
        }
    }

    /// Reads until the program ends, and says how.
    async fn until_end(&mut self, items: &Items) -> Trouble {
        let mut block = vec![0; 64 * 1024];
        while let Ok(Some(read)) = more(&mut self.output, &mut block).await {
            self.take(&block[..read], items).await;
        }
        let rest = std::mem::take(&mut self.lines).rest();
        if let Some(line) = rest {
            let item = self.item(line);
            let _ = items.send(item).await;
        }
        self.ended().await
    }

    async fn take(&mut self, bytes: &[u8], items: &Items) {
        let mut whole = vec![];
        self.lines.feed(bytes, &mut |line| whole.push(line));
        for line in whole {
            let item = self.item(line);
            let _ = items.send(item).await;
        }
    }

    fn item(&mut self, line: Line) -> Item {
        self.number += 1;
        let age = if self.started.elapsed() >= HISTORY { Age::Fresh } else { Age::Unknown };
        match line {
            Line::Whole(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                Item::Line { place: format!("{}:{}", self.name, self.number), text, age }
            }
            Line::Overlong => Item::Overlong,
        }
    }

    async fn ended(&mut self) -> Trouble {
        // Whoever closes the output without ending is of no use either.
        let status = match timeout(END_LIMIT, self.child.wait()).await {
            Ok(Ok(status)) => how(status),
            _ => "closed its output".to_owned(),
        };
        self.group.kill();
        let said = timeout(END_LIMIT, &mut self.said).await.ok().and_then(Result::ok).unwrap_or_default();
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).map(str::trim).unwrap_or_default();
        match last {
            "" => Trouble::new(format!("`{}` {status}", self.name)),
            last => Trouble::new(format!("`{}` {status}: {last}", self.name)),
        }
    }

    /// Ends the program and everything that it started.
    async fn end(mut self) {
        self.group.ask_to_end();
        let _ = timeout(END_LIMIT, self.child.wait()).await;
        self.said.abort();
    }
}

fn how(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended ({status})"),
    }
}

/// Reads to the end and keeps the last of it.
async fn last_words(mut stream: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut block) = (vec![], [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut block).await {
        kept.extend_from_slice(&block[..read]);
        kept.drain(..kept.len().saturating_sub(MAX_SAID));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Bench;
    use super::*;
    use crate::inventory::{Log, LogSource, Looks};
    use crate::record::LookedState;

    fn looks(script: &str) -> Looks {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        Looks::Log(Log { format: LogFormat::Postfix, from: LogSource::Command(words) })
    }

    /// Lines of one probe that `mx1` takes and keeps.
    fn story(bench: &Bench) -> String {
        let tag = bench.run.probe(1);
        [
            "smtpd[1]: 04D5B9CE948: client=unknown[10.99.0.10]".to_owned(),
            format!("cleanup[1]: 04D5B9CE948: message-id=<{tag}@mxdrill.invalid>"),
            format!("qmgr[1]: 04D5B9CE948: from=<mxdrill+{tag}@s.example>, size=767, nrcpt=1 (queue active)"),
            "local[1]: 04D5B9CE948: to=<a@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)"
                .to_owned(),
            "qmgr[1]: 04D5B9CE948: removed".to_owned(),
        ]
        .map(|line| format!("2026-11-21T05:42:24.5+00:00 mx1 postfix/{line}\n"))
        .concat()
    }

    #[tokio::test]
    async fn what_a_program_prints_is_evidence_and_all_of_it_ends() {
        let (folder, bench) = (tempfile::tempdir().expect("a folder"), Bench::new());
        let (log, pid) = (folder.path().join("log"), folder.path().join("pid"));
        std::fs::write(&log, story(&bench)).expect("written");
        // The shell has a child: both must be gone in the end.
        let script = format!("sleep 1000 & echo $! >{}; cat {}; wait", pid.display(), log.display());
        let collecting = bench.open(looks(&script)).await.expect("it opens");
        bench.until_landed(1).await;
        collecting.look().await.expect("it looks");
        collecting.close().await;
        assert_eq!(bench.landed()[0].detail, "sh:4 by local (ok)");
        assert_eq!(bench.landed()[0].host.as_deref(), Some("mx1"));
        let child = std::fs::read_to_string(&pid).expect("its id").trim().to_owned();
        let gone = || !std::path::Path::new(&format!("/proc/{child}/cmdline")).exists() || is_zombie(&child);
        let ended = async {
            while !gone() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), ended).await.expect("the program's child is gone");
    }

    fn is_zombie(pid: &str) -> bool {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|text| text.is_empty())
    }

    #[tokio::test]
    async fn a_program_that_fails_at_once_is_an_error() {
        let bench = Bench::new();
        let error = bench.open(looks("echo Permission denied >&2; exit 255")).await.expect_err("it fails");
        assert_eq!(error.what, "`sh` ended with exit code 255: Permission denied");
        let missing =
            Looks::Log(Log { format: LogFormat::Postfix, from: LogSource::Command(vec!["/nowhere/tail".to_owned()]) });
        let error = bench.open(missing).await.expect_err("it is not there");
        assert!(error.what.starts_with("`/nowhere/tail` cannot be run: "), "{error}");
        assert_eq!(bench.looked()[0].state, LookedState::Failed);
    }

    #[tokio::test]
    async fn an_end_is_said_and_a_new_start_leaves_a_gap() {
        let (folder, bench) = (tempfile::tempdir().expect("a folder"), Bench::new());
        let mark = folder.path().join("again");
        let script = format!(
            "echo hello; if test -e {0}; then exec sleep 1000; fi; touch {0}; echo broken pipe >&2; exit 1",
            mark.display()
        );
        let collecting = bench.open(looks(&script)).await.expect("it opens");
        let states = || bench.looked().into_iter().map(|it| it.state).collect::<Vec<_>>();
        let mut length = bench.journal.length();
        let back = async {
            while states().last() != Some(&LookedState::Open) || states().len() < 4 {
                length.changed().await.expect("the journal lives");
            }
        };
        timeout(Duration::from_secs(20), back).await.expect("it comes back");
        collecting.close().await;
        let looked = bench.looked();
        let told: Vec<_> = looked.iter().map(|it| (it.state, it.why.as_str())).collect();
        assert_eq!(told[1], (LookedState::Lost, "`sh` ended with exit code 1: broken pipe"));
        assert_eq!(told[2].0, LookedState::Gap);
        assert_eq!(told[3].0, LookedState::Open);
    }
}

//! Running a program: bounded in time and output, and gone with all that it started when it is
//! given up.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::record::{RanEnd, sysexit};
use crate::world::ProcessGroup;

/// How much of each output of a sender is kept, in bytes.
pub(super) const KEPT: usize = 16 * 1024;
/// How long output is read on when the program is gone: what it left behind may hold it open.
const GRACE: Duration = Duration::from_millis(500);

/// A program about to be run.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) path: String,
    pub(super) arguments: Vec<String>,
    /// The whole environment.
    pub(super) env: Vec<(String, String)>,
    pub(super) dir: Option<PathBuf>,
    /// Its standard input; none: empty.
    pub(super) input: Option<Arc<[u8]>>,
    pub(super) limit: Duration,
    /// How much of each output is kept, in bytes.
    pub(super) keep: usize,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) end: RanEnd,
    /// Exit code, or the signal that killed it.
    pub(super) code: Option<i32>,
    pub(super) meaning: Option<String>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) took: Duration,
}

impl Program {
    /// Runs it to its end or limit. Dropping the future kills it and what it started.
    pub(super) async fn run(&self) -> Ended {
        let began = Instant::now();
        match self.start() {
            Ok(child) => self.attend(child, began).await,
            Err(error) => Ended {
                end: RanEnd::NotStarted,
                code: None,
                meaning: None,
                stdout: String::new(),
                stderr: error.to_string(),
                took: began.elapsed(),
            },
        }
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = self.dir.as_ref().filter(|dir| !dir.as_os_str().is_empty()) {
            command.current_dir(dir);
        }
        let input = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true).spawn()
    }

    async fn attend(&self, mut child: Child, began: Instant) -> Ended {
        let group = ProcessGroup::led_by(child.id());
        let mut out = Kept::of(child.stdout.take(), self.keep);
        let mut err = Kept::of(child.stderr.take(), self.keep);
        let mut stdin = child.stdin.take();
        let feed = async {
            if let (Some(mut pipe), Some(input)) = (stdin.take(), &self.input) {
                // A program that does not read its input says why itself.
                let _ = pipe.write_all(input).await;
            }
            std::future::pending::<()>().await;
        };
        let ended = {
            let reading = async { tokio::join!(out.read(), err.read()) };
            let mut waiting = std::pin::pin!(timeout(self.limit, child.wait()));
            let mut reading = std::pin::pin!(reading);
            let mut feed = std::pin::pin!(feed);
            let mut read = false;
            let ended = loop {
                tokio::select! {
                    ended = &mut waiting => break ended,
                    _ = &mut reading, if !read => read = true,
                    () = &mut feed => {}
                }
            };
            if !read && ended.is_ok() {
                let _ = timeout(GRACE, reading).await;
            }
            ended
        };
        let (end, code) = match ended {
            Ok(Ok(status)) => {
                group.leave();
                how(status)
            }
            Ok(Err(_)) => (RanEnd::Killed, None),
            Err(_) => (RanEnd::TimedOut, None),
        };
        let meaning = code.filter(|_| end == RanEnd::Exited).and_then(sysexit).map(str::to_owned);
        Ended { end, code, meaning, stdout: out.text(), stderr: err.text(), took: began.elapsed() }
    }
}

fn how(status: ExitStatus) -> (RanEnd, Option<i32>) {
    use std::os::unix::process::ExitStatusExt;
    match status.code() {
        Some(code) => (RanEnd::Exited, Some(code)),
        None => (RanEnd::Killed, status.signal()),
    }
}

/// The beginning of an output.
struct Kept<R> {
    pipe: Option<R>,
    most: usize,
    bytes: Vec<u8>,
    left_out: u64,
}

impl<R: AsyncRead + Unpin> Kept<R> {
    fn of(pipe: Option<R>, most: usize) -> Self {
        Self { pipe, most, bytes: vec![], left_out: 0 }
    }

    /// Reads to the end; a program must not wait because nobody reads what is too much.
    async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut piece).await {
            let kept = count.min(self.most - self.bytes.len());
            self.bytes.extend_from_slice(&piece[..kept]);
            self.left_out += (count - kept) as u64;
        }
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).trim_end().to_owned();
        if self.left_out > 0 { format!("{text}\n... ({} more bytes)", self.left_out) } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Program {
        Program {
            path: "/bin/sh".to_owned(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            env: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            dir: None,
            input: Some(Arc::from(b"hello".as_slice())),
            limit,
            keep: KEPT,
        }
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn exit_code_and_outputs_are_kept() {
        let ended = sh("cat; echo oops >&2; exit 75", LONG).run().await;
        assert_eq!((ended.end, ended.code, ended.meaning.as_deref()), (RanEnd::Exited, Some(75), Some("EX_TEMPFAIL")));
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("hello", "oops"));
        let killed = sh("kill -9 $$", LONG).run().await;
        assert_eq!((killed.end, killed.code), (RanEnd::Killed, Some(9)));
        let ended = Program { path: "/nowhere/sendmail".to_owned(), ..sh("", LONG) }.run().await;
        assert_eq!(ended.end, RanEnd::NotStarted);
    }

    #[tokio::test]
    async fn a_flood_is_read_and_cut() {
        let ended = sh("head -c 100000 /dev/zero | tr '\\0' x", LONG).run().await;
        assert!(ended.stdout.ends_with("x\n... (83616 more bytes)"), "{}", ended.stdout.len());
    }

    #[tokio::test]
    async fn what_takes_too_long_is_killed_with_its_children() {
        let script = "sleep 1000 & echo $!; wait";
        let ended = sh(script, Duration::from_millis(300)).run().await;
        assert_eq!(ended.end, RanEnd::TimedOut);
        let child: i32 = ended.stdout.trim().parse().expect("a process id");
        let pid = rustix::process::Pid::from_raw(child).expect("a process id");
        let deadline = Instant::now() + LONG;
        // A zombie still counts as a process until init has seen it.
        let alive = || {
            let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            rustix::process::test_kill_process(pid).is_ok() && !state.contains(") Z ")
        };
        while alive() {
            assert!(Instant::now() < deadline, "the child lives on");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_child_in_the_background_is_not_waited_for() {
        let began = Instant::now();
        let ended = sh("sleep 5 & exit 0", LONG).run().await;
        assert_eq!((ended.end, ended.code), (RanEnd::Exited, Some(0)));
        assert!(began.elapsed() < Duration::from_secs(4));
    }
}

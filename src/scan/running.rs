//! What installed and running software says of itself: the settings that it has in force, and the
//! environments of processes and containers.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::Printed;
use crate::record::{Coverage, Sight};

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: u64 = 16 << 20;

/// The most of a process's environment that is read, in bytes.
const MAX_ENVIRONMENT: u64 = 1 << 20;

/// One question to a program. The name of the answer says how it is read.
struct Question {
    program: &'static str,
    arguments: &'static [&'static str],
    name: &'static str,
}

const QUESTIONS: &[Question] = &[
    Question { program: "postconf", arguments: &["-n"], name: "postconf -n" },
    Question { program: "postconf", arguments: &["-M"], name: "postconf -M" },
    Question { program: "exim", arguments: &["-bP", "config"], name: "exim -bP config" },
    Question { program: "exim4", arguments: &["-bP", "config"], name: "exim -bP config" },
    Question { program: "sendmail", arguments: &["-d0.10", "-bt"], name: "sendmail -d0" },
    Question { program: "crontab", arguments: &["-l"], name: "crontab -l" },
    Question {
        program: "systemctl",
        arguments: &["show", "--type=service", "--all", "--property=Environment,ExecStart", "*"],
        name: "systemctl show *.service",
    },
];

/// Where administrators' programs are that a user's path does not hold.
const FOLDERS: &[&str] = &["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/usr/local/bin", "/bin"];

/// What the software of this machine says, and what could not be asked.
pub async fn ask() -> (Vec<Printed>, Vec<Coverage>) {
    let mut printed = vec![];
    let mut coverage = vec![];
    for question in QUESTIONS {
        let Some(program) = installed(question.program) else { continue };
        match answer(&program, question.arguments).await {
            Ok(text) => printed.push(Printed { name: question.name.to_owned(), text }),
            Err(why) => coverage.push(unable(question.name, &why)),
        }
    }
    containers(&mut printed, &mut coverage).await;
    environments(Path::new("/proc"), &mut printed, &mut coverage);
    (printed, coverage)
}

fn installed(program: &str) -> Option<String> {
    FOLDERS.iter().map(|folder| format!("{folder}/{program}")).find(|path| Path::new(path).is_file())
}

fn unable(what: &str, why: &str) -> Coverage {
    Coverage {
        subject: "running software".to_owned(),
        what: what.to_owned(),
        look: Sight::Unable,
        why: Some(why.to_owned()),
    }
}

/// What a program prints, up to a limit in time and in length.
async fn answer(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let both = async {
        let (text, said) = tokio::join!(read(out), read(err));
        (text, said, child.wait().await)
    };
    let late = |_| format!("no answer within {} s", PATIENCE.as_secs());
    let (text, said, status) = tokio::time::timeout(PATIENCE, both).await.map_err(late)?;
    match status {
        Ok(status) if status.success() || !text.is_empty() => Ok(text),
        // An empty crontab is an answer too.
        Ok(_) if said.contains("no crontab for") => Ok(String::new()),
        Ok(status) => Err(format!("{status}: {}", said.lines().next().unwrap_or("it said nothing"))),
        Err(error) => Err(error.to_string()),
    }
}

async fn read(source: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = vec![];
    if let Some(source) = source {
        // What was read before a failure is an answer as far as it goes.
        let _ = source.take(MAX_ANSWER).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn containers(printed: &mut Vec<Printed>, coverage: &mut Vec<Coverage>) {
    for engine in ["docker", "podman"] {
        let Some(program) = installed(engine) else { continue };
        let inspected = async {
            let listed = answer(&program, &["ps", "-q"]).await?;
            let ids: Vec<&str> = listed.split_whitespace().collect();
            let arguments: Vec<&str> = ["inspect"].into_iter().chain(ids.iter().copied()).collect();
            if ids.is_empty() { Ok(String::new()) } else { answer(&program, &arguments).await }
        };
        match inspected.await {
            Ok(text) => printed.push(Printed { name: format!("{engine} inspect.json"), text }),
            Err(why) => coverage.push(unable(&format!("{engine} inspect"), &why)),
        }
    }
}

/// The environment of every process, as far as it may be seen.
fn environments(proc: &Path, printed: &mut Vec<Printed>, coverage: &mut Vec<Coverage>) {
    let Ok(entries) = std::fs::read_dir(proc) else { return };
    let mut hidden = 0_usize;
    for entry in entries.flatten() {
        let process = entry.file_name().to_string_lossy().into_owned();
        if !process.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let path = entry.path().join("environ");
        match environment(&path) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => printed.push(Printed { name: path.display().to_string(), text }),
            // It has ended since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => hidden += 1,
        }
    }
    if hidden > 0 {
        let what =
            format!("the environment of {}", crate::source::plural(hidden, "process").replace("processs", "processes"));
        coverage.push(unable(&what, "it belongs to another user; root may read it"));
    }
}

fn environment(path: &Path) -> io::Result<String> {
    let mut bytes = vec![];
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(path)?, MAX_ENVIRONMENT), &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).replace('\0', "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_has_a_limit_in_time() {
        tokio::time::pause();
        assert_eq!(answer("/bin/sleep", &["60"]).await, Err("no answer within 10 s".to_owned()));
    }

    #[tokio::test]
    async fn a_failure_is_said() {
        assert_eq!(answer("/bin/sh", &["-c", "echo a"]).await, Ok("a\n".to_owned()));
        let failed = answer("/bin/sh", &["-c", "echo no >&2; exit 3"]).await;
        assert_eq!(failed, Err("exit status: 3: no".to_owned()));
    }
}

//! The program, a host behind it, and clients before it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take that should happen at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// A probe of some run of mxdrill.
pub(crate) const PROBE: &str = "mxdrill+7k3f9x2mqa01-00012@sender.example";
/// Somebody else.
pub(crate) const STRANGER: &str = "bounces+123456789012-12345@shop.example";

/// The host itself: takes every message, and keeps it.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    pub(crate) messages: Arc<Mutex<Vec<String>>>,
}

impl Host {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let address = listener.local_addr().expect("an address");
        let messages = Arc::new(Mutex::new(vec![]));
        let kept = Arc::clone(&messages);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || take(stream, &kept));
            }
        });
        Self { address, messages }
    }

    pub(crate) fn count(&self) -> usize {
        self.messages.lock().expect("not poisoned").len()
    }
}

fn take(stream: TcpStream, kept: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let say = |text: &str| (&stream).write_all(text.as_bytes()).ok();
    say("220 host.test ESMTP\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().to_ascii_uppercase().as_str() {
            "DATA" => {
                say("354 go\r\n")?;
                let mut body = String::new();
                while !body.ends_with("\r\n.\r\n") {
                    if lines.read_line(&mut body).ok()? == 0 {
                        return None;
                    }
                }
                kept.lock().expect("not poisoned").push(body);
                say("250 2.0.0 taken\r\n")?;
            }
            "QUIT" => {
                say("221 2.0.0 bye\r\n")?;
                return None;
            }
            _ => say("250 2.1.0 ok\r\n")?,
        }
    }
}

/// An SMTP client that says what it is told to.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Self(BufReader::new(stream))
    }

    /// One that has its banner.
    pub(crate) fn greeted(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        assert_eq!(client.reply(), "220 host.test ESMTP");
        client
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("written");
    }

    /// One line of a reply; nothing where the connection was closed or reset.
    pub(crate) fn reply(&mut self) -> String {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(_) => line.trim_end().to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => String::new(),
            Err(error) => panic!("no reply: {error}"),
        }
    }

    pub(crate) fn ask(&mut self, line: &str) -> String {
        self.write(&format!("{line}\r\n"));
        self.reply()
    }

    /// EHLO, MAIL and RCPT; the reply to the last.
    pub(crate) fn envelope(&mut self, sender: &str) -> String {
        assert!(self.ask("EHLO client.test").starts_with("250"));
        assert!(self.ask(&format!("MAIL FROM:<{sender}>")).starts_with("250"));
        self.ask("RCPT TO:<someone@drill.example>")
    }
}

/// The reply to RCPT, on a connection of its own.
pub(crate) fn rcpt(address: SocketAddr, sender: &str) -> String {
    Client::greeted(address).envelope(sender)
}

/// A running `mxdrill proxy`.
pub(crate) struct Program {
    child: Child,
    log: Receiver<Value>,
    /// Lines of the log that were read so far.
    pub(crate) said: Vec<Value>,
}

pub(crate) fn mxdrill(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxdrill"));
    command.args(arguments).stdin(Stdio::null()).env("PROXY_TOKEN", TOKEN);
    command
}

pub(crate) const TOKEN: &str = "0123456789abcdef0123";

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    mxdrill(arguments).output().expect("the program starts")
}

impl Program {
    /// Before `host`, with a control API, and these arguments.
    pub(crate) fn before(host: &Host, arguments: &[&str]) -> Self {
        let upstream = host.address.to_string();
        let own = ["--listen", "127.0.0.1:0", "--upstream", &upstream, "--host", "mx.test"];
        Self::start(&[&own[..], &["--control", "127.0.0.1:0"], arguments].concat())
    }

    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::started_by(mxdrill(&Self::all(arguments)))
    }

    /// With this limit of open files, or the highest that there may be.
    pub(crate) fn start_with_descriptors(most: usize, arguments: &[&str]) -> Self {
        let script = format!("ulimit -n {most} 2>/dev/null || ulimit -n \"$(ulimit -H -n)\"; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_mxdrill")]).args(Self::all(arguments)).stdin(Stdio::null());
        Self::started_by(command)
    }

    fn all<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
        [&["proxy", "--log-format", "json", "--seed", "7"], arguments].concat()
    }

    fn started_by(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (lines, log) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if lines.send(value).is_err() {
                    return;
                }
            }
        });
        Self { child, log, said: vec![] }
    }

    /// Waits for a line of the log.
    pub(crate) fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        if let Some(line) = self.said.iter().find(|line| fits(line)) {
            return line.clone();
        }
        loop {
            let Ok(line) = self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                panic!("the log never said {what}: {:#?}", self.said)
            };
            self.said.push(line.clone());
            if fits(&line) {
                return line;
            }
        }
    }

    pub(crate) fn until_says(&mut self, words: &str) -> Value {
        self.until(words, |line| line["message"].as_str().is_some_and(|message| message.contains(words)))
    }

    fn address_of(&mut self, line: &Value) -> SocketAddr {
        line["address"].as_str().and_then(|it| it.parse().ok()).expect("an address")
    }

    /// Where it listens for mail.
    pub(crate) fn mail(&mut self) -> SocketAddr {
        let line = self.until("listening", |line| line["message"] == "listening");
        self.address_of(&line)
    }

    /// Its control API.
    pub(crate) fn control(&mut self) -> Api {
        let line = self.until_says("the control API is listening");
        Api { address: self.address_of(&line), token: None }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill runs").success());
    }

    pub(crate) fn exit_code(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code().unwrap_or_else(|| panic!("ended by {status}"));
            }
            assert!(Instant::now() < deadline, "it does not end: {:#?}", self.said);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lines of the log that say that a fault fired, the last of them `count`.
    pub(crate) fn fired(&mut self, count: u64) -> Vec<Value> {
        self.until("enough firings", |line| line["firing"] == count);
        self.said.iter().filter(|line| line["message"] == "fired").cloned().collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A control API.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
}

/// An answer of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Api {
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, body, "")
    }

    pub(crate) fn ask_with(&self, method: &str, path: &str, body: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{token}{headers}\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        Answer { status, text: text.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// The numbers of the faults in force.
    pub(crate) fn faults(&self) -> Vec<u64> {
        let all = self.get("/v1/faults");
        all["faults"].as_array().expect("a list").iter().map(|fault| fault["id"].as_u64().expect("a number")).collect()
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

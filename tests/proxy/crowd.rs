//! Five thousand clients at once, with clients, proxy and server in processes of their own, so that each
//! has its own limit of descriptors.

#![allow(clippy::print_stdout, reason = "the processes tell each other their addresses")]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::support::*;

const CROWD: usize = 5_000;
/// Descriptors that the proxy needs: two a client, and some.
const DESCRIPTORS: usize = 2 * CROWD + 200;
/// How long all of them together may take, on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// A part of this program, as a process of its own: it plays the test `part`, which does nothing unless it is told to.
fn part(part: &str, variable: &str, value: &str) -> Child {
    let this = std::env::current_exe().expect("this program");
    let script = format!("ulimit -n {DESCRIPTORS} 2>/dev/null || ulimit -n \"$(ulimit -H -n)\"; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(this).args(["--exact", &format!("crowd::{part}"), "--ignored", "--nocapture"]);
    command.env(variable, value).stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().expect("it starts")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn line(stream: &mut BufStream<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}

async fn say(stream: &mut BufStream<TcpStream>, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

/// The server's process: prints its address, takes every message, and is ended by the test.
#[test]
#[ignore = "a process of `five_thousand_clients_are_held_at_once_and_all_are_served`"]
fn server() {
    if std::env::var_os("CROWD_SERVER").is_none() {
        return;
    }
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        println!("\nlistening on {}", listener.local_addr().expect("an address"));
        loop {
            let (stream, _) = listener.accept().await.expect("a client");
            tokio::spawn(serve(BufStream::with_capacity(512, 512, stream)));
        }
    });
}

async fn serve(mut stream: BufStream<TcpStream>) -> std::io::Result<()> {
    say(&mut stream, "220 host.test ESMTP\r\n").await?;
    loop {
        let said = line(&mut stream).await?;
        match said.as_str() {
            "" => return Ok(()),
            "DATA" => {
                say(&mut stream, "354 go\r\n").await?;
                while line(&mut stream).await? != "." {}
                say(&mut stream, "250 2.0.0 taken\r\n").await?;
            }
            "QUIT" => return say(&mut stream, "221 2.0.0 bye\r\n").await,
            _ => say(&mut stream, "250 2.1.0 ok\r\n").await?,
        }
    }
}

/// The clients' process: all of them come, all wait until the last is in, then all send a message.
#[test]
#[ignore = "a process of `five_thousand_clients_are_held_at_once_and_all_are_served`"]
fn clients() {
    let Ok(address) = std::env::var("CROWD_CLIENTS") else { return };
    let address: SocketAddr = address.parse().expect("an address");
    runtime().block_on(async {
        let mut waiting = Vec::with_capacity(CROWD);
        for _ in 0..CROWD {
            let mut stream = BufStream::with_capacity(512, 512, TcpStream::connect(address).await.expect("connected"));
            assert_eq!(line(&mut stream).await.expect("a banner"), "220 host.test ESMTP");
            waiting.push(stream);
        }
        println!("\nholding {CROWD}");
        let mut sending = vec![];
        for stream in waiting {
            sending.push(tokio::spawn(send(stream)));
        }
        for sent in sending {
            timeout(LONG, sent).await.expect("in time").expect("no panic").expect("a session without errors");
        }
        println!("\nsent {CROWD}");
    });
}

async fn send(mut stream: BufStream<TcpStream>) -> std::io::Result<()> {
    let turns = [
        ("EHLO client.test\r\n", "250 2.1.0 ok"),
        ("MAIL FROM:<a@b>\r\n", "250 2.1.0 ok"),
        ("RCPT TO:<c@d>\r\n", "250 2.1.0 ok"),
        ("DATA\r\n", "354 go"),
        ("Subject: one of many\r\n\r\n.\r\n", "250 2.0.0 taken"),
        ("QUIT\r\n", "221 2.0.0 bye"),
    ];
    for (said, answer) in turns {
        say(&mut stream, said).await?;
        assert_eq!(line(&mut stream).await?, answer);
    }
    Ok(())
}

/// The rest of the first line of a child's output that begins with `start`.
fn told(child: &mut Child, start: &str) -> String {
    use std::io::{BufRead as _, BufReader};
    let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines().map_while(Result::ok);
    let found = lines.find_map(|line| line.strip_prefix(start).map(|rest| rest.trim().to_owned()));
    found.unwrap_or_else(|| panic!("it never said `{start}`"))
}

#[test]
fn five_thousand_clients_are_held_at_once_and_all_are_served() {
    let mut server = part("server", "CROWD_SERVER", "1");
    let upstream = told(&mut server, "listening on ");
    let mut program = Program::start_with_descriptors(
        DESCRIPTORS,
        &["--listen", "127.0.0.1:0", "--upstream", &upstream, "--host", "mx.test", "--control", "127.0.0.1:0"],
    );
    let mail = program.mail();
    let api = program.control();
    let mut clients = part("clients", "CROWD_CLIENTS", &mail.to_string());
    assert_eq!(told(&mut clients, "holding "), CROWD.to_string());
    let counters = api.ask("GET", "/v1/counters", "");
    assert_eq!(counters.status, 200, "the control API answers under the load: {counters:?}");
    let ended = clients.wait().expect("it ends");
    assert!(ended.success(), "a client did not get through: {ended}");
    server.kill().expect("killed");
    server.wait().expect("ended");
}

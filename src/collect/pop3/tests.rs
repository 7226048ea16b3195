//! Dialogues with a server that does as it likes.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::collect::testing::{Bench, message_of};
use crate::inventory::{Endpoint, Looks, Pop3, Secret, TlsMode};
use crate::record::LookedState;

#[derive(Default)]
struct State {
    messages: Vec<String>,
    commands: Vec<String>,
    /// What PASS gets instead of `+OK`.
    login: Option<String>,
}

/// A small server for tests.
async fn start(state: Arc<Mutex<State>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let state = state.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.write_all(b"+OK ready\r\n").await?;
                let mut line = String::new();
                while stream.read_line(&mut line).await? > 0 {
                    let answer = answer(line.trim_end(), &mut state.lock().expect("not poisoned"));
                    stream.write_all(answer.as_bytes()).await?;
                    line.clear();
                }
                std::io::Result::Ok(())
            });
        }
    });
    port
}

fn answer(command: &str, state: &mut State) -> String {
    state.commands.push(command.to_owned());
    let mut words = command.split(' ');
    match words.next() {
        Some("UIDL") => {
            let lines: String = (1..=state.messages.len()).map(|number| format!("{number} uid{number}\r\n")).collect();
            format!("+OK\r\n{lines}.\r\n")
        }
        Some("TOP") => {
            let number: usize = words.next().and_then(|it| it.parse().ok()).expect("a number");
            let text = state.messages[number - 1].replace('\n', "\r\n");
            let header = text.split_inclusive("\r\n\r\n").next().unwrap_or_default();
            format!("+OK\r\n{header}.\r\n")
        }
        Some("PASS") => state.login.clone().unwrap_or("+OK in\r\n".to_owned()),
        _ => "+OK\r\n".to_owned(),
    }
}

fn looks(port: u16) -> Looks {
    Looks::Pop3(Pop3 {
        address: Endpoint { host: "127.0.0.1".to_owned(), port },
        tls: TlsMode::Plain,
        user: "probe".to_owned(),
        password: Secret::Env("PASSWORD".to_owned()),
        ca: None,
        poll: None,
    })
}

#[tokio::test]
async fn probes_are_found_and_nothing_is_deleted() {
    let (state, bench) = (Arc::new(Mutex::new(State::default())), Bench::new());
    let deliver = |text: &str| state.lock().expect("not poisoned").messages.push(text.to_owned());
    deliver(&message_of(&bench.run.probe(9), "0"));
    let port = start(state.clone()).await;
    let collecting = bench.open(looks(port)).await.expect("it opens");
    deliver("Subject: not ours\n\nbody\n");
    deliver(&message_of(&bench.run.probe(1), "A1"));
    bench.until_landed(1).await;
    collecting.look().await.expect("it looks");
    collecting.close().await;
    let landed = bench.landed().remove(0);
    assert_eq!((landed.tag, landed.detail.as_str()), (bench.run.probe(1), "POP3 message uid3"));
    assert_eq!(landed.queue_id.as_deref(), Some("A1"));
    let commands = state.lock().expect("not poisoned").commands.clone();
    assert!(commands.iter().any(|it| it == "PASS s3cret") && commands.last().is_some_and(|it| it == "QUIT"));
    assert_eq!(commands.iter().filter(|it| it.starts_with("TOP")).count(), 2, "each message is read once");
    assert!(!commands.iter().any(|it| it.starts_with("DELE") || it.starts_with("RETR")), "{commands:?}");
}

#[tokio::test]
async fn a_refused_login_says_whose_and_what_to_do() {
    let (state, bench) = (Arc::new(Mutex::new(State::default())), Bench::new());
    for (answer, help) in [
        ("-ERR [AUTH] no\r\n", "check `user` and `password`"),
        ("-ERR [IN-USE] locked\r\n", "somebody else reads"),
        ("-ERR [LOGIN-DELAY] slowly\r\n", "look less often"),
    ] {
        state.lock().expect("not poisoned").login = Some(answer.to_owned());
        let error = bench.open(looks(start(state.clone()).await)).await.expect_err("refused");
        let said = answer.trim_start_matches("-ERR ").trim_end();
        assert_eq!(error.what, format!("the server refused the login of `probe`: {said}"));
        assert!(error.help.is_some_and(|it| it.starts_with(help)));
    }
    assert_eq!(bench.looked()[0].state, LookedState::Failed);
}

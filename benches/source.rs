//! The sender's session engine as a source of mail:
//! `source ADDRESS:PORT MESSAGES SESSIONS BYTES once|reuse [THREADS]`.
//!
//! Every step waits for its reply, as in a drill. Prints the messages a second.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mxdrill::smtp::{Session, Stop};
use mxdrill::world::Dialer;
use tokio::net::TcpStream;

const LIMIT: Duration = Duration::from_secs(30);

struct Work {
    address: SocketAddr,
    messages: u64,
    message: Vec<u8>,
    reuse: bool,
    begun: AtomicU64,
    dialer: Dialer,
}

fn main() {
    let arguments = support::arguments();
    let [address, messages, sessions, bytes, mode, rest @ ..] = arguments.as_slice() else {
        println!("usage: source ADDRESS:PORT MESSAGES SESSIONS BYTES once|reuse [THREADS]");
        return;
    };
    let work = Arc::new(Work {
        address: address.parse().unwrap(),
        messages: messages.parse().unwrap(),
        message: message(bytes.parse().unwrap()),
        reuse: mode == "reuse",
        begun: AtomicU64::new(0),
        dialer: Dialer::default(),
    });
    let start = Instant::now();
    support::runtime(rest.first()).block_on(pump(&work, sessions.parse().unwrap()));
    println!("{:.0}", work.messages as f64 / start.elapsed().as_secs_f64());
}

async fn pump(work: &Arc<Work>, sessions: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..sessions {
        let work = Arc::clone(work);
        tasks.spawn(async move { one_session_after_the_other(&work).await });
    }
    while let Some(done) = tasks.join_next().await {
        if let Err(stop) = done.unwrap() {
            panic!("{stop}");
        }
    }
}

async fn one_session_after_the_other(work: &Work) -> Result<(), Stop> {
    while work.next() {
        let target = work.dialer.target("sink.example", work.address.ip(), work.address.port());
        let stream = work.dialer.connect(&target, None, LIMIT).await.unwrap();
        let mut session = Session::new(stream);
        session.greeting(LIMIT).await?;
        session.hello("source.example", LIMIT).await?;
        deliver(work, &mut session).await?;
        while work.reuse && work.next() {
            deliver(work, &mut session).await?;
        }
        session.quit(LIMIT).await;
    }
    Ok(())
}

async fn deliver(work: &Work, session: &mut Session<TcpStream>) -> Result<(), Stop> {
    session.mail("source@source.example", "", LIMIT).await?;
    session.rcpt("sink@sink.example", "", LIMIT).await?;
    session.data(LIMIT).await?;
    let reply = session.body(&work.message, LIMIT, LIMIT).await?;
    assert!(reply.is_positive(), "{reply}");
    Ok(())
}

impl Work {
    fn next(&self) -> bool {
        self.begun.fetch_add(1, Ordering::Relaxed) < self.messages
    }
}

fn message(bytes: usize) -> Vec<u8> {
    let mut message = b"From: <source@source.example>\r\nTo: <sink@sink.example>\r\nSubject: bench\r\n\r\n".to_vec();
    while message.len() < bytes {
        let line = (bytes - message.len()).clamp(3, 80) - 2;
        message.extend(std::iter::repeat_n(b'x', line));
        message.extend_from_slice(b"\r\n");
    }
    message
}

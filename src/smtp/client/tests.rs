use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::mail::reply::Flaw;

const LIMIT: Duration = Duration::from_secs(2);

/// A server that says `said`, in pieces, whatever it hears, and keeps the connection.
fn server(said: &'static [&'static str]) -> (Session<DuplexStream>, tokio::task::JoinHandle<(DuplexStream, String)>) {
    let (client, mut server) = duplex(64 * 1024);
    let task = tokio::spawn(async move {
        let mut heard = String::new();
        for text in said {
            match text.strip_prefix('<') {
                Some(wanted) => {
                    while !heard.ends_with(wanted) {
                        let byte = server.read_u8().await.expect("the client goes on");
                        heard.push(byte as char);
                    }
                }
                None => server.write_all(text.as_bytes()).await.expect("the client listens"),
            }
        }
        (server, heard)
    });
    (Session::new(client), task)
}

#[tokio::test(start_paused = true)]
async fn a_message_is_delivered_step_by_step() {
    let (mut session, task) = server(&[
        "220 mx ES",
        "MTP\r\n",
        "<EHLO me\r\n",
        "250-mx\r\n250-SIZE 100\r\n",
        "250 STARTTLS\r\n",
        "<MAIL FROM:<a@b> SIZE=9\r\n",
        "250 ok\r\n",
        "<RCPT TO:<c@d>\r\n",
        "250 ok\r\n",
        "<DATA\r\n",
        "354 go\r\n",
        "<\r\n.\r\n",
        "250 2.0.0 Ok: queued as LAB1\r\n",
    ]);
    let went_through = tokio::spawn(async move {
        assert_eq!(session.greeting(LIMIT).await?.code, 220);
        let hello = session.hello("me", LIMIT).await?;
        assert_eq!(hello.capabilities.size(), Some(100));
        session.mail("a@b", "SIZE=9", LIMIT).await?;
        session.rcpt("c@d", "", LIMIT).await?;
        assert_eq!(session.data(LIMIT).await?.code, 354);
        let reply = session.body(b".hidden\r\nx", LIMIT, LIMIT).await?;
        assert_eq!((reply.queue_id(), session.stage()), (Some("LAB1"), Stage::Eom));
        Ok::<_, Stop>(())
    });
    went_through.await.expect("no panic").expect("no stop");
    let (_, heard) = task.await.expect("no panic");
    assert!(heard.ends_with("DATA\r\n..hidden\r\nx\r\n.\r\n"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn helo_follows_where_ehlo_is_unknown() {
    let (mut session, _task) = server(&["<EHLO me\r\n", "502 what\r\n", "<HELO me\r\n", "250 hello\r\n"]);
    let hello = session.hello("me", LIMIT).await.expect("an answer");
    assert_eq!((hello.reply.code, hello.capabilities.iter().count()), (250, 0));
}

#[tokio::test(start_paused = true)]
async fn after_a_timeout_a_late_answer_is_for_nobody() {
    let (mut session, _task) = server(&["<EHLO me\r\n", "250-mx\r\n25"]);
    let stop = session.hello("me", LIMIT).await.expect_err("it never ends");
    assert_eq!(stop.to_string(), "no answer to EHLO within 2s, only \"250-mx\\r\\n25\"");
    let stop = session.reset(LIMIT).await.expect_err("the session is over");
    assert!(matches!(stop.kind, StopKind::Lost(_)), "{stop}");
}

#[tokio::test(start_paused = true)]
async fn a_reply_before_the_close_counts() {
    let (mut session, task) = server(&["421 4.3.2 busy\r\n"]);
    drop(task.await.expect("no panic").0);
    let reply = session.command(Stage::Ehlo, "EHLO me", LIMIT).await.expect("what it said");
    assert_eq!(reply.code, 421);
    let stop = session.reset(LIMIT).await.expect_err("nobody is there");
    assert!(matches!(stop.kind, StopKind::Lost(_)), "{stop}");
}

#[tokio::test(start_paused = true)]
async fn a_second_reply_is_kept_for_the_next_step() {
    let (mut session, _task) = server(&["220 mx\r\n421 shutting down\r\n"]);
    assert_eq!(session.greeting(LIMIT).await.expect("a greeting").code, 220);
    assert_eq!(session.data(LIMIT).await.expect("a reply").code, 421);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_smtp_is_said_to_be_none() {
    let (mut session, _task) = server(&["HTTP/1.1 400"]);
    let stop = session.greeting(LIMIT).await.expect_err("no reply");
    assert!(matches!(stop.kind, StopKind::Garbage(Flaw::NoCode(_))), "{stop}");
}

#[tokio::test(start_paused = true)]
async fn a_line_end_in_a_command_is_not_sent() {
    let (mut session, _task) = server(&[]);
    let stop = session.mail("a@b>\r\nRSET", "", LIMIT).await.expect_err("refused");
    assert!(matches!(stop.kind, StopKind::LineBreak), "{stop}");
}

#[tokio::test(start_paused = true)]
async fn plaintext_behind_starttls_is_an_injection() {
    let (session, _task) = server(&["<STARTTLS\r\n", "220 go\r\n250 forged\r\n"]);
    let stop = session.starttls(LIMIT).await.expect_err("an injection");
    assert_eq!(stop.to_string(), "plaintext stood behind the answer to STARTTLS: \"250 forged\"");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_during_a_large_body_is_heard() {
    let (mut session, _task) = server(&["354 go\r\n", "552 5.3.4 too big\r\n"]);
    session.data(LIMIT).await.expect("354");
    let reply = session.body(&[b'x'; 300_000], LIMIT, LIMIT).await.expect("the refusal");
    assert_eq!((reply.code, session.stage()), (552, Stage::Body));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_more_runs_into_the_block_limit() {
    let (mut session, _task) = server(&["354 go\r\n"]);
    session.data(LIMIT).await.expect("354");
    let stop = session.body(&[b'x'; 300_000], LIMIT, LIMIT).await.expect_err("it does not read");
    assert_eq!(stop.to_string(), "the server took nothing more of the message for 2s");
}

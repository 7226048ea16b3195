use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::*;
use crate::mail::Reply;
use crate::smtp::client;
use crate::smtp::sasl::Login;
use crate::terms::AuthMechanism;

/// Refuses `no@…` and `bad@…`, takes the rest and keeps it.
#[derive(Default)]
struct Sink(Vec<(Envelope, Message)>);

impl Policy for Sink {
    fn secret(&mut self, user: &str) -> Option<secrecy::SecretString> {
        (user == "tim").then(|| secrecy::SecretString::from("tanstaaftanstaaf".to_owned()))
    }

    async fn mail(&mut self, envelope: &Envelope) -> Answer {
        if envelope.from.starts_with("no@") { Answer::Say(Reply::new(550, "5.7.1 no")) } else { Answer::Yes }
    }

    async fn rcpt(&mut self, _: &Envelope, recipient: &str) -> Answer {
        match recipient {
            "bad@x" => Answer::Say(Reply::new(550, "5.1.1 unknown")),
            "down@x" => Answer::Say(Reply::new(421, "4.3.2 going down")),
            _ => Answer::Yes,
        }
    }

    async fn message(&mut self, envelope: &Envelope, message: Message) -> Answer {
        self.0.push((envelope.clone(), message));
        Answer::Queued(format!("LAB{}", self.0.len()))
    }
}

fn start(settings: Settings) -> (DuplexStream, JoinHandle<(Finished, Sink)>) {
    let (near, far) = duplex(1 << 20);
    let client = "127.0.0.1:4711".parse().expect("an address");
    let task = tokio::spawn(async move {
        let mut sink = Sink::default();
        (serve(far, client, &settings, &mut sink).await, sink)
    });
    (near, task)
}

/// Sends everything at once, closes, and gives back the code of each reply, the outcome, and the messages.
async fn dialog(sent: &[u8]) -> (Vec<String>, Finished, Sink) {
    let (mut near, task) = start(Settings::new("mx").with_size(64));
    near.write_all(sent).await.expect("written");
    near.shutdown().await.expect("half-closed");
    let mut heard = String::new();
    near.read_to_string(&mut heard).await.expect("read");
    let (finished, sink) = task.await.expect("no panic");
    let codes = heard.lines().filter(|line| line.as_bytes().get(3) == Some(&b' ')).map(|line| line[..3].to_owned());
    (codes.collect(), finished, sink)
}

#[tokio::test]
async fn a_pipelined_session_with_a_half_close_is_answered_in_order() {
    let (codes, finished, sink) = dialog(
        b"EHLO me\r\nMAIL FROM:<a@b> SIZE=9\r\nRCPT TO:<c@d>\r\nRCPT TO:<bad@x>\r\nDATA\r\n..x\r\ny\r\n.\r\n\
          MAIL FROM:<>\r\nRCPT TO:<c@d> NOTIFY=NEVER\r\nDATA\r\n.\r\nQUIT\r\n",
    )
    .await;
    assert_eq!(codes, ["220", "250", "250", "250", "550", "354", "250", "250", "250", "354", "250", "221"]);
    assert_eq!(finished, Finished { end: End::Quit, messages: 2, ..Finished::default() });
    let (envelope, message) = &sink.0[0];
    assert_eq!((envelope.from.as_str(), envelope.recipients.as_slice()), ("a@b", ["c@d".to_owned()].as_slice()));
    assert_eq!(message.bytes, b".x\r\ny\r\n");
    assert_eq!(sink.0[1].1.bytes, b"");
}

#[tokio::test]
async fn after_a_refused_mail_the_pipelined_rest_is_out_of_order() {
    let (codes, _, sink) = dialog(b"EHLO me\r\nMAIL FROM:<no@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nRSET\r\nNOOP\r\n").await;
    assert_eq!(codes, ["220", "250", "550", "503", "503", "250", "250"]);
    assert!(sink.0.is_empty());
}

#[tokio::test]
async fn commands_out_of_order_and_unknown_ones_are_refused() {
    let (codes, finished, _) = dialog(
        b"MAIL FROM:<a@b>\r\nEHLO\r\nHELO me\r\nRCPT TO:<c@d>\r\nDATA\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\n\
          RSET\r\nSTARTTLS\r\nAUTH PLAIN\r\nVRFY a\r\nHELP\r\nXYZ\r\nMAIL FROM:<a@b> X=1\r\nMAIL FROM:<a@b> SIZE=65\r\n\
          NO\nOP\r\nMAIL FROM:<a@b>\r\nRCPT TO:<down@x>\r\nNOOP\r\n",
    )
    .await;
    assert_eq!(
        codes,
        [
            "220", "503", "501", "250", "503", "503", "250", "503", "554", "250", "502", "503", "252", "214", "500",
            "555", "552", "500", "250", "421"
        ]
    );
    assert_eq!((finished.end, finished.bare), (End::Dropped, 1));
}

#[tokio::test]
async fn only_crlf_dot_crlf_ends_a_message_and_bare_line_ends_are_counted() {
    let (codes, finished, sink) =
        dialog(b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\na\n.\nb\r\n.\r\rc\r\n.\r\n").await;
    assert_eq!(codes.last().map(String::as_str), Some("250"));
    assert_eq!(sink.0[0].1, Message { bytes: b"a\n.\nb\r\n\r\rc\r\n".to_vec(), bare: 4 });
    assert_eq!((finished.end, finished.bare), (End::Closed, 4));
}

#[tokio::test]
async fn chunks_make_a_message_and_out_of_order_ones_are_dropped_whole() {
    let (codes, finished, sink) = dialog(
        b"EHLO me\r\nBDAT 6\r\nQUIT\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\n.\r\nDATA\r\nBDAT 2 LAST\r\nx\nNOOP\r\n",
    )
    .await;
    assert_eq!(codes, ["220", "250", "503", "250", "250", "250", "503", "250", "250"]);
    assert_eq!(sink.0[0].1.bytes, b".\r\nx\n");
    assert_eq!(finished.messages, 1);
}

#[tokio::test]
async fn what_is_too_big_is_refused_at_its_end_and_endless_messages_are_cut() {
    let start = b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n".to_vec();
    let (codes, _, sink) = dialog(&[start.as_slice(), &[b'x'; 70], b"\r\n.\r\nNOOP\r\n"].concat()).await;
    assert_eq!(codes[4..], ["354", "552", "250"]);
    assert!(sink.0.is_empty());
    let (codes, finished, _) = dialog(&[start.as_slice(), &[b'x'; 200]].concat()).await;
    assert_eq!((codes[4..].join(" "), finished.end), ("354 552".to_owned(), End::Dropped));
}

#[tokio::test]
async fn a_client_that_leaves_in_a_message_leaves_nothing() {
    let (_, finished, sink) = dialog(b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhalf\r\n").await;
    assert_eq!((finished.end, sink.0.len()), (End::CutOff, 0));
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_left() {
    let (_near, task) = start(Settings::new("mx").with_idle(Duration::from_secs(3)));
    assert_eq!(task.await.expect("no panic").0.end, End::Idle);
}

#[tokio::test]
async fn endless_lines_and_errors_end_the_session() {
    let (codes, finished, _) = dialog(&[b'x'; 20_000]).await;
    assert_eq!((codes.join(" "), finished.end), ("220 500".to_owned(), End::Dropped));
    let (codes, finished, _) = dialog(&b"X\r\n".repeat(200)).await;
    assert_eq!((codes.len(), finished.end), (101, End::Dropped));
}

/// A server that wants a login, and a client in a session with it after EHLO.
async fn with_login(auth: &[AuthMechanism]) -> (client::Session<DuplexStream>, JoinHandle<(Finished, Sink)>) {
    let (near, task) = start(Settings::new("mx").with_auth(auth));
    let mut session = client::Session::new(near);
    session.greeting(LIMIT).await.expect("a greeting");
    let hello = session.hello("me", LIMIT).await.expect("an answer");
    let offered: Vec<String> = auth.iter().map(|it| it.keyword()).collect();
    assert_eq!(hello.capabilities.parameters("AUTH"), Some(offered.join(" ").as_str()));
    (session, task)
}

const LIMIT: Duration = Duration::from_secs(5);

fn login(secret: &str) -> Login {
    Login { user: "tim".to_owned(), secret: secret.to_owned().into() }
}

#[tokio::test]
async fn every_mechanism_logs_in_with_the_right_secret_only() {
    for mechanism in AuthMechanism::ALL.iter().copied() {
        let (mut session, task) = with_login(&[mechanism]).await;
        let before = session.mail("a@b", "", LIMIT).await.expect("a reply");
        assert_eq!(before.code, 530, "{mechanism}");
        let wrong = session.authenticate(mechanism, &login("wrong"), LIMIT).await.expect("a reply");
        assert_eq!(wrong.code, 535, "{mechanism}");
        let right = session.authenticate(mechanism, &login("tanstaaftanstaaf"), LIMIT).await.expect("a reply");
        assert_eq!(right.code, 235, "{mechanism}");
        let again = session.authenticate(mechanism, &login("tanstaaftanstaaf"), LIMIT).await.expect("a reply");
        assert_eq!(again.code, 503, "{mechanism}: RFC 4954 4, once is enough");
        for line in ["MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA", ".", "QUIT"] {
            session.command(crate::mail::Stage::Mail, line, LIMIT).await.expect("a reply");
        }
        let (_, sink) = task.await.expect("no panic");
        assert_eq!(sink.0[0].0.user.as_deref(), Some("tim"), "{mechanism}");
        assert!(received(&sink.0[0].0, "mx", "1", jiff::Timestamp::UNIX_EPOCH).contains(" with ESMTPA "));
    }
}

#[tokio::test]
async fn a_long_token_waits_to_be_asked_for() {
    let (mut session, _task) = with_login(&[AuthMechanism::Xoauth2]).await;
    let refused = session.authenticate(AuthMechanism::Xoauth2, &login(&"x".repeat(2000)), LIMIT).await;
    assert_eq!(refused.expect("a reply").code, 535);
}

#[tokio::test]
async fn auth_that_makes_no_sense_is_refused() {
    let settings = Settings::new("mx").with_auth(&[AuthMechanism::Login, AuthMechanism::CramMd5]);
    let (mut near, task) = start(settings);
    near.write_all(
        b"AUTH LOGIN\r\nEHLO me\r\nAUTH PLAIN AHgAeQ==\r\nAUTH LOGIN\r\n*\r\nAUTH LOGIN\r\n?\r\nAUTH CRAM-MD5\r\n\r\nQUIT\r\n",
    )
    .await
    .expect("written");
    let mut heard = String::new();
    near.read_to_string(&mut heard).await.expect("read");
    let codes: Vec<&str> = heard.lines().filter(|line| line.as_bytes()[3] == b' ').map(|line| &line[..3]).collect();
    assert_eq!(codes, ["220", "503", "250", "504", "334", "501", "334", "535", "334", "535", "221"]);
    assert_eq!(task.await.expect("no panic").0.end, End::Quit);
}

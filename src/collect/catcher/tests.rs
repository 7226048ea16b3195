//! Answers composed from each program's own API documentation or source, at the versions in
//! `kind.rs`; none was recorded. Sendria itself is asked in `tests/servers`.

use serde_json::{Value, json};

use super::super::http::testing::Server;
use super::super::testing::{Bench, message_of};
use crate::collect::{CollectError, Collecting};
use crate::inventory::{Catcher, CatcherKind, HttpLogin, Looks, Secret};
use crate::record::LookedState;

const AT: &str = "2026-11-21T05:42:25Z";

/// Where a kind lists its messages, what that is with one message, with none, and where the message
/// itself is.
fn shape(kind: CatcherKind, raw: &str) -> (&'static str, Value, Value, &'static str) {
    let (from, to) = ("mxdrill@s.example", "probe@drill.example");
    match kind {
        CatcherKind::Mailpit => (
            "GET /api/v1/messages?start=0&limit=50",
            json!({ "total": 1, "unread": 1, "count": 1, "messages_count": 1, "start": 0, "tags": [], "messages": [
                { "ID": "7", "MessageID": "x", "Read": false, "Created": AT, "Size": 700, "Attachments": 0 }] }),
            json!({ "total": 0, "messages": [] }),
            "GET /api/v1/message/7/raw",
        ),
        CatcherKind::Mailhog => (
            "GET /api/v2/messages?start=0&limit=50",
            json!({ "total": 1, "count": 1, "start": 0, "items": [{ "ID": "7", "Created": AT,
                "Content": { "Headers": {}, "Body": "", "Size": 1, "MIME": null },
                "Raw": { "From": from, "To": [to], "Data": raw, "Helo": "x" } }] }),
            json!({ "total": 0, "count": 0, "start": 0, "items": [] }),
            "",
        ),
        CatcherKind::Smtp4dev => (
            "GET /api/Messages?page=1&pageSize=50&sortColumn=receivedDate&sortIsDescending=true",
            json!({ "results": [{ "id": "7", "from": from, "to": [to], "receivedDate": AT, "subject": "x",
                "attachmentCount": 0, "isUnread": true }], "currentPage": 1, "pageCount": 1, "pageSize": 50, "rowCount": 1 }),
            json!({ "results": [], "currentPage": 1, "pageCount": 0, "pageSize": 50, "rowCount": 0 }),
            "GET /api/Messages/7/raw",
        ),
        CatcherKind::Greenmail => (
            "GET /api/user/probe/messages/INBOX",
            json!([{ "uid": 7, "Message-ID": "x", "subject": "x", "contentType": "text/plain", "mimeMessage": raw }]),
            json!([]),
            "",
        ),
        CatcherKind::Maildev => (
            "GET /email",
            json!([{ "id": "7", "time": AT, "read": false, "subject": "x", "source": "x",
                "envelope": { "from": { "address": from, "args": false }, "to": [{ "address": to, "args": false }],
                "host": "x", "remoteAddress": "127.0.0.1" } }]),
            json!([]),
            "GET /email/7/source",
        ),
        CatcherKind::Inbucket => (
            "GET /api/v1/mailbox/probe",
            json!([{ "mailbox": "probe", "id": "7", "from": from, "to": [to], "subject": "x", "date": AT,
                "posix-millis": 1, "size": 700, "seen": false }]),
            json!([]),
            "GET /api/v1/mailbox/probe/7/source",
        ),
        CatcherKind::Mailcrab => (
            "GET /api/messages",
            json!([{ "id": "7", "from": {}, "to": [], "subject": "x", "time": 1_795_239_745, "date": "x", "size": "1 kB",
                "opened": false, "envelope_from": from, "envelope_recipients": [format!("<{to}>")] }]),
            json!([]),
            "GET /api/message/7/raw",
        ),
        CatcherKind::Sendria => (
            "GET /api/messages/?page=1",
            json!({ "code": "OK", "data": [{ "id": 7, "sender_envelope": from, "recipients_envelope": [to],
                "created_at": "2026-11-21 05:42:25", "size": 700, "type": "text/plain" }], "meta": { "pages_total": 1 } }),
            json!({ "code": "OK", "data": [], "meta": { "pages_total": 0 } }),
            "GET /api/messages/7.eml",
        ),
    }
}

fn looks(kind: CatcherKind, server: &Server) -> Looks {
    let mailbox = (kind == CatcherKind::Inbucket).then(|| "probe".to_owned());
    let url = server.url().parse().expect("an address");
    let login = HttpLogin::Basic("probe".to_owned(), Secret::Env("PASSWORD".to_owned()));
    Looks::Catcher(Catcher { kind, url, login, mailbox, ca: None, poll: None })
}

async fn open(kind: CatcherKind, server: &Server, bench: &Bench) -> Result<Collecting, CollectError> {
    bench.open(looks(kind, server)).await
}

#[tokio::test]
async fn every_kind_shows_a_probe_with_its_time_and_envelope() {
    for kind in CatcherKind::ALL.iter().copied() {
        let (server, bench) = (Server::start().await, Bench::new());
        let raw = message_of(&bench.run.probe(1), "A1");
        let (list, one, none, message) = shape(kind, &raw);
        server.on("GET /api/user", 200, r#"[{"login":"probe","email":"probe@drill.example"}]"#);
        server.on(list, 200, &none.to_string());
        let collecting = open(kind, &server, &bench).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        if !message.is_empty() {
            server.on(message, 200, &raw);
        }
        server.on(list, 200, &one.to_string());
        bench.until_landed(1).await;
        collecting.look().await.expect("it looks");
        collecting.close().await;
        let landed = bench.landed();
        assert_eq!(landed.len(), 1, "{kind}");
        assert_eq!((&landed[0].tag, landed[0].queue_id.as_deref()), (&bench.run.probe(1), Some("A1")), "{kind}");
        assert_eq!(landed[0].received.len(), 1, "{kind}");
        let place = match kind {
            CatcherKind::Greenmail | CatcherKind::Inbucket => format!("{kind} probe 7"),
            _ => format!("{kind} 7"),
        };
        assert!(landed[0].detail.starts_with(&place), "{}", landed[0].detail);
        let tells = !matches!(kind, CatcherKind::Mailpit | CatcherKind::Greenmail | CatcherKind::Inbucket);
        let envelope = ", from <mxdrill@s.example> to <probe@drill.example>";
        assert_eq!(landed[0].detail.ends_with(envelope), tells, "{}", landed[0].detail);
        if kind != CatcherKind::Greenmail {
            assert_eq!(landed[0].at.to_string(), AT, "{kind}");
        }
        assert!(server.heard().iter().all(|it| it.contains("uthorization: Basic ")), "{kind}");
    }
}

#[tokio::test]
async fn an_older_mailcrab_keeps_the_message_in_its_json() {
    use base64::Engine;
    let (server, bench) = (Server::start().await, Bench::new());
    let raw = message_of(&bench.run.probe(1), "A1");
    let (list, one, none, _) = shape(CatcherKind::Mailcrab, &raw);
    server.on(list, 200, &none.to_string());
    let collecting = open(CatcherKind::Mailcrab, &server, &bench).await.expect("it opens");
    let encoded = base64::engine::general_purpose::STANDARD.encode(&raw);
    server.on("GET /api/message/7", 200, &json!({ "id": "7", "raw": encoded }).to_string());
    server.on(list, 200, &one.to_string());
    bench.until_landed(1).await;
    collecting.close().await;
}

#[tokio::test]
async fn pages_are_turned_until_nothing_is_new() {
    let (server, bench) = (Server::start().await, Bench::new());
    let item = |number: usize| json!({ "ID": format!("m{number}"), "Created": AT, "Raw": { "Data": message_of(&bench.run.probe(number as u32), "A") } });
    let page = |from: usize, to: usize| {
        let items: Vec<Value> = (from..to).map(item).collect();
        json!({ "total": 70, "count": items.len(), "start": from, "items": items }).to_string()
    };
    server.on("GET /api/v2/messages?start=0&limit=50", 200, r#"{"total":0,"items":[]}"#);
    let collecting = open(CatcherKind::Mailhog, &server, &bench).await.expect("it opens");
    server.on("GET /api/v2/messages?start=50&limit=50", 200, &page(50, 70));
    server.on("GET /api/v2/messages?start=0&limit=50", 200, &page(0, 50));
    collecting.look().await.expect("it looks");
    let asked = server.heard().len();
    collecting.look().await.expect("it looks");
    collecting.close().await;
    assert_eq!(bench.landed().len(), 70);
    assert!(server.heard()[asked..].iter().all(|it| it.contains("start=0")), "the second page is old");
}

#[tokio::test]
async fn what_keeps_from_looking_is_said() {
    let (server, bench) = (Server::start().await, Bench::new());
    let list = "GET /api/v1/messages?start=0&limit=50";
    let failed = async || open(CatcherKind::Mailpit, &server, &bench).await.expect_err("it cannot look").what;
    assert!(failed().await.contains("404"), "another program");
    server.on(list, 200, "<html>");
    assert!(failed().await.contains("is no JSON"));
    server.on(list, 200, "[]");
    assert!(failed().await.contains("is no list of messages as mailpit gives it"));
    server.on(list, 401, "");
    assert!(failed().await.contains("401"));
    assert!(bench.looked().iter().all(|it| it.state == LookedState::Failed && !it.why.contains("s3cret")));
}

#[tokio::test]
async fn a_server_that_is_asked_too_often_is_left_alone() {
    let (server, bench) = (Server::start().await, Bench::new());
    let list = "GET /api/v1/messages?start=0&limit=50";
    server.on(list, 200, r#"{"total":0,"messages":[]}"#);
    let collecting = open(CatcherKind::Mailpit, &server, &bench).await.expect("it opens");
    server.put(list, "", 429, "Retry-After: 3600\r\n", b"");
    let error = collecting.look().await.expect_err("asked too often");
    assert!(error.what.contains("429"), "{error}");
    let asked = server.heard().len();
    // A poll would come within this time.
    let waited = tokio::time::timeout(super::NEAR_POLL * 3, std::future::pending::<()>()).await;
    assert!(waited.is_err());
    assert_eq!(server.heard().len(), asked);
    collecting.close().await;
}

proptest::proptest! {
    #[test]
    fn any_answer_can_be_given(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}", kind in 0usize..8) {
        let answer: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let kind = CatcherKind::ALL[kind];
        let _ = super::kind::items(kind, "probe", &answer);
        let _ = super::kind::more(kind, &answer, 3, 7);
    }
}

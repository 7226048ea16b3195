//! Mailboxes over JMAP (RFC 8620, RFC 8621).
//!
//! ```text
//!   session ──> account, API address
//!   look: Mailbox/get (roles), Email/query newest first, Email/get of what is new: its header fields
//! ```

use std::collections::HashMap;

use serde_json::{Value, json};

use super::http::Http;
use super::message::MAX_HEADER;
use super::notes::Notes;
use super::shelf::{self, FAR_POLL, Item, Known, NEAR_POLL, Page, Setback, Shelf};
use super::{Collecting, Context, Trouble};
use crate::inventory::{HttpUrl, Jmap};
use crate::record::Placement;

/// What is used of JMAP.
const USING: &[&str] = &["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"];
/// How many messages are asked for at a time.
const PAGE: usize = 50;
/// The most pages that are read in one look.
const MAX_PAGES: usize = 200;

/// Begins to look into an account.
pub(super) async fn open(settings: &Jmap, context: &Context, notes: Notes) -> Result<Collecting, Trouble> {
    let http = Http::new(&settings.url, &settings.login, settings.ca.as_deref(), context).await?;
    let near = settings.url.place().is_loopback();
    let poll = settings.poll.unwrap_or(if near { NEAR_POLL } else { FAR_POLL });
    let account = Account::of(http, &settings.url).await.map_err(|setback| setback.trouble)?;
    let why = format!("the account `{}` can be read", account.name);
    shelf::open(account, poll, context.since, notes, &why).await
}

struct Account {
    http: Http,
    api: String,
    id: String,
    name: String,
}

impl Account {
    /// The account whose mail the login owns (RFC 8620 2).
    async fn of(http: Http, url: &HttpUrl) -> Result<Self, Setback> {
        let session = http.json("").await?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let id = text(&session["primaryAccounts"]["urn:ietf:params:jmap:mail"]);
        let (Some(id), Some(api)) = (id, text(&session["apiUrl"])) else {
            return Err(Trouble::new("what answers there is no JMAP session with a mail account")
                .help("`url` must be that of the session resource, such as https://mail.example/.well-known/jmap")
                .into());
        };
        let api = absolute(&api, url).ok_or_else(|| {
            Trouble::new(format!("the session sends its clients to another server, `{api}`"))
                .help("set `url` to the session resource of that server: the login is not shown to others")
        })?;
        let name = text(&session["username"]).filter(|it| !it.is_empty()).unwrap_or_else(|| id.clone());
        Ok(Self { http, api, id, name })
    }

    /// Calls methods, each with the account's id, and gives their answers in order.
    async fn call(&self, calls: &[(&str, Value)]) -> Result<Vec<Value>, Setback> {
        let calls: Vec<Value> = calls
            .iter()
            .enumerate()
            .map(|(number, (name, arguments))| {
                let mut arguments = arguments.clone();
                arguments["accountId"] = json!(self.id);
                json!([name, arguments, number.to_string()])
            })
            .collect();
        let count = calls.len();
        let answer = self.http.post(&self.api, &json!({ "using": USING, "methodCalls": calls })).await?;
        let answers = answer["methodResponses"].as_array().cloned().unwrap_or_default();
        if let Some(error) = answers.iter().find(|it| it[0] == "error") {
            let what = error[1]["description"].as_str().or(error[1]["type"].as_str()).unwrap_or("no reason");
            return Err(Trouble::new(format!("the server refused to look: {what}")).into());
        }
        if answers.len() != count {
            return Err(Trouble::new("the server left calls without an answer").into());
        }
        Ok(answers.into_iter().map(|mut it| it[1].take()).collect())
    }

    /// Where messages of a mailbox are seen, by its id (RFC 8621 2).
    async fn mailboxes(&self) -> Result<HashMap<String, (String, Placement)>, Setback> {
        let arguments = json!({ "ids": null, "properties": ["id", "name", "role"] });
        let answers = self.call(&[("Mailbox/get", arguments)]).await?;
        let mailbox = |it: &Value| {
            let placement = match it["role"].as_str() {
                Some("inbox") => Placement::Inbox,
                Some("junk") => Placement::Junk,
                _ => Placement::Other,
            };
            Some((it["id"].as_str()?.to_owned(), (it["name"].as_str()?.to_owned(), placement)))
        };
        Ok(answers.iter().flat_map(|it| it["list"].as_array().into_iter().flatten()).filter_map(mailbox).collect())
    }

    async fn page(&self, page: usize) -> Result<Vec<Item>, Setback> {
        let query = json!({
            "sort": [{ "property": "receivedAt", "isAscending": false }],
            "position": page * PAGE,
            "limit": PAGE,
        });
        let get = json!({
            "#ids": { "resultOf": "0", "name": "Email/query", "path": "/ids" },
            "properties": ["id", "mailboxIds", "receivedAt", "headers"],
        });
        let answers = self.call(&[("Email/query", query), ("Email/get", get)]).await?;
        let list = answers.get(1).and_then(|it| it["list"].as_array()).cloned().unwrap_or_default();
        let mailboxes = self.mailboxes().await?;
        Ok(list.iter().filter_map(|email| item(email, &mailboxes)).collect())
    }
}

fn item(email: &Value, mailboxes: &HashMap<String, (String, Placement)>) -> Option<Item> {
    let id = email["id"].as_str()?.to_owned();
    let within: Vec<&(String, Placement)> =
        email["mailboxIds"].as_object()?.keys().filter_map(|id| mailboxes.get(id)).collect();
    let is = |placement: Placement| within.iter().any(|(_, it)| *it == placement);
    let placement = match (is(Placement::Junk), is(Placement::Inbox)) {
        (true, _) => Placement::Junk,
        (false, true) => Placement::Inbox,
        (false, false) => Placement::Other,
    };
    let names: Vec<&str> = within.iter().map(|(name, _)| name.as_str()).collect();
    let detail = format!("{} {id}", names.join(", "));
    let at = email["receivedAt"].as_str().and_then(|text| text.parse().ok());
    Some(Item { id, at, placement, detail, header: Some(header(&email["headers"])) })
}

/// The header block again, from its raw fields (RFC 8621 4.1.3).
fn header(fields: &Value) -> Vec<u8> {
    let mut block = vec![];
    for field in fields.as_array().into_iter().flatten() {
        let (Some(name), Some(value)) = (field["name"].as_str(), field["value"].as_str()) else { continue };
        let line = format!("{name}:{}\r\n", value.trim_end());
        if block.len() + line.len() > MAX_HEADER {
            break;
        }
        block.extend_from_slice(line.as_bytes());
    }
    block.extend_from_slice(b"\r\n");
    block
}

/// The address of the API, which may be relative, where it is on the same server.
fn absolute(api: &str, url: &HttpUrl) -> Option<String> {
    let scheme = url.as_str().split("://").next()?;
    let authority = url.as_str().split("://").nth(1)?.split('/').next()?;
    if api.starts_with('/') && !api.starts_with("//") {
        return Some(format!("{scheme}://{authority}{api}"));
    }
    let other: HttpUrl = api.split('?').next()?.parse().ok()?;
    (other.place() == url.place() && other.scheme() == url.scheme()).then(|| api.to_owned())
}

impl Shelf for Account {
    async fn list(&mut self, known: &Known) -> Result<Vec<Item>, Setback> {
        let mut all = vec![];
        for page in 0..MAX_PAGES {
            let items = self.page(page).await?;
            let (count, seen) = (items.len(), known.lacks_any(&items));
            all.extend(items);
            if count < PAGE || seen == Page::Old {
                break;
            }
        }
        Ok(all)
    }

    async fn header(&mut self, _: &Item) -> Result<Option<Vec<u8>>, Setback> {
        // The list holds it.
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::http::testing::Server;
    use crate::collect::testing::{Bench, message_of};
    use crate::inventory::{HttpLogin, Looks, Secret};

    const SESSION: &str =
        r#"{"username":"probe","apiUrl":"/api/","primaryAccounts":{"urn:ietf:params:jmap:mail":"u1"}}"#;
    const MAILBOXES: &str = r#"{"methodResponses":[["Mailbox/get",{"list":[{"id":"m1","name":"Inbox","role":"inbox"},
        {"id":"m2","name":"Spam","role":"junk"}]},"0"]]}"#;

    fn emails(messages: &[(&str, &str, String)]) -> String {
        let list: Vec<Value> = messages
            .iter()
            .map(|(id, mailbox, text)| {
                let header = text.split("\n\n").next().unwrap_or_default().replace("\n\t", " ");
                let fields = header.lines().filter_map(|line| line.split_once(':'));
                let fields: Vec<Value> = fields.map(|(name, value)| json!({ "name": name, "value": value })).collect();
                json!({ "id": id, "mailboxIds": { *mailbox: true }, "receivedAt": "2026-11-21T05:42:25Z", "headers": fields })
            })
            .collect();
        let ids: Vec<&str> = messages.iter().map(|it| it.0).collect();
        json!({ "methodResponses": [["Email/query", { "ids": ids }, "0"], ["Email/get", { "list": list }, "1"]] })
            .to_string()
    }

    fn looks(server: &Server) -> Looks {
        let url = format!("{}/session", server.url()).parse().expect("an address");
        let login = HttpLogin::Bearer(Secret::Env("PASSWORD".to_owned()));
        Looks::Jmap(Jmap { url, login, ca: None, poll: None })
    }

    /// Answers composed from RFC 8620 and RFC 8621.
    #[tokio::test]
    async fn probes_are_found_with_the_role_of_their_mailbox() {
        let bench = Bench::new();
        let (one, two) = (message_of(&bench.run.probe(1), "A1"), message_of(&bench.run.probe(2), "A2"));
        let server = Server::start().await;
        server.on("GET /session", 200, SESSION);
        server.on_body("POST /api/", "Mailbox/get", 200, MAILBOXES);
        server.on_body("POST /api/", "Email/query", 200, &emails(&[]));
        let collecting = bench.open(looks(&server)).await.expect("it opens");
        assert_eq!(bench.looked()[0].why, "the account `probe` can be read");
        server.on_body("POST /api/", "Email/query", 200, &emails(&[("e2", "m2", two), ("e1", "m1", one)]));
        bench.until_landed(2).await;
        collecting.close().await;
        let landed: Vec<_> = bench.landed().into_iter().map(|it| (it.tag.short(), it.placement, it.detail)).collect();
        let expected = [("2", Placement::Junk, "Spam e2"), ("1", Placement::Inbox, "Inbox e1")];
        assert_eq!(landed, expected.map(|(tag, at, detail)| (tag.to_owned(), at, detail.to_owned())));
        assert!(server.heard().iter().all(|request| request.contains("uthorization: Bearer s3cret")));
    }

    #[tokio::test]
    async fn an_error_of_a_call_is_no_empty_mailbox() {
        let (bench, server) = (Bench::new(), Server::start().await);
        server.on("GET /session", 200, SESSION);
        let refused = r#"{"methodResponses":[["error",{"type":"accountNotFound"},"0"]]}"#;
        server.on_body("POST /api/", "", 200, refused);
        let error = bench.open(looks(&server)).await.expect_err("refused");
        assert_eq!(error.what, "the server refused to look: accountNotFound");
        server.on(
            "GET /session",
            200,
            r#"{"apiUrl":"https://elsewhere.example/","primaryAccounts":{"urn:ietf:params:jmap:mail":"u1"}}"#,
        );
        let error = bench.open(looks(&server)).await.expect_err("elsewhere");
        assert!(error.what.contains("another server, `https://elsewhere.example/`"), "{error}");
        server.on("GET /session", 401, "");
        let error = bench.open(looks(&server)).await.expect_err("refused");
        assert!(error.what.contains("401") && !error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn an_api_is_on_the_same_server() {
        let url: HttpUrl = "https://mail.example/.well-known/jmap".parse().expect("an address");
        let at = |api: &str| absolute(api, &url);
        assert_eq!(at("/jmap/").as_deref(), Some("https://mail.example/jmap/"));
        assert_eq!(at("https://mail.example:443/jmap/?x").as_deref(), Some("https://mail.example:443/jmap/?x"));
        assert_eq!(at("http://mail.example/jmap/"), None);
        assert_eq!(at("//other.example/"), None);
    }
}

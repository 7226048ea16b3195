//! Dialogues with a server that does as it likes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::fake::{Encrypts, Fake};
use crate::collect::testing::{Bench, bounce_of, message_of};
use crate::collect::{CollectError, Collecting};
use crate::inventory::{Endpoint, Imap, ImapLogin, Looks, Secret, TlsMode};
use crate::record::{CleanedState, LookedState, Placement, ReportedAction};

fn settings(fake: &Fake) -> Imap {
    Imap {
        address: Endpoint { host: "127.0.0.1".to_owned(), port: fake.address.port() },
        tls: TlsMode::Plain,
        user: "probe".to_owned(),
        login: ImapLogin::Password,
        password: Secret::Env("PASSWORD".to_owned()),
        mailboxes: vec![],
        ca: None,
    }
}

async fn open(bench: &Bench, settings: Imap) -> Result<Collecting, CollectError> {
    let opened = bench.open(Looks::Imap(settings)).await;
    if let Err(error) = &opened {
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    opened
}

async fn until<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let polled = async {
        let mut every = tokio::time::interval(Duration::from_millis(5));
        loop {
            every.tick().await;
            if let Some(it) = what() {
                return it;
            }
        }
    };
    timeout(Duration::from_secs(10), polled).await.expect("it happens in time")
}

#[tokio::test]
async fn probes_are_found_in_the_inbox_and_in_junk() {
    let (fake, bench) = (Fake::start("IMAP4rev1 IDLE").await, Bench::new());
    let [one, two, old] = [1, 2, 9].map(|number| bench.run.probe(number));
    fake.deliver("INBOX", &message_of(&old, "0"));
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    assert_eq!(bench.looked()[0].why, "logged in as `probe`; looks into `Junk` and `INBOX`");
    fake.deliver("INBOX", &message_of(&one, "A1"));
    bench.until_landed(1).await;
    fake.deliver("Junk", &message_of(&two, "A2"));
    fake.deliver("INBOX", "Subject: not ours\n\nbody\n");
    fake.deliver("INBOX", &message_of(&one, "A3"));
    collecting.look().await.expect("it looks");
    collecting.look().await.expect("it looks");
    collecting.close().await;
    let landed: Vec<_> = bench
        .landed()
        .into_iter()
        .map(|it| (it.tag, it.placement, it.queue_id.unwrap_or_default(), it.detail, it.at.to_string()))
        .collect();
    let at = || "2026-11-21T05:42:24Z".to_owned();
    let expected = [
        (one.clone(), Placement::Inbox, "A1".to_owned(), "INBOX UID 2".to_owned(), at()),
        (two, Placement::Junk, "A2".to_owned(), "Junk UID 1".to_owned(), at()),
        (one, Placement::Inbox, "A3".to_owned(), "INBOX UID 4".to_owned(), at()),
    ];
    assert_eq!(landed, expected);
    assert_eq!(fake.count("LOGOUT"), 1);
}

#[tokio::test]
async fn a_notification_is_read_whole_and_is_no_copy() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    let [one, two] = [1, 2].map(|number| bench.run.probe(number));
    fake.deliver("INBOX", &bounce_of(&one));
    fake.deliver("INBOX", &message_of(&two, "A2"));
    bench.until_landed(1).await;
    collecting.look().await.expect("it looks");
    collecting.close().await;
    let returned = bench.returned();
    assert_eq!(returned.len(), 1, "{returned:?}");
    assert_eq!((&returned[0].tag, returned[0].detail.as_str()), (&one, "INBOX UID 1"));
    assert_eq!(returned[0].action, ReportedAction::Failed);
    assert_eq!(bench.landed().into_iter().map(|it| it.tag).collect::<Vec<_>>(), [two]);
}

#[tokio::test]
async fn probes_of_this_run_are_deleted_and_nothing_else() {
    let (fake, bench) = (Fake::start("IMAP4rev1 UIDPLUS").await, Bench::new());
    let [one, two] = [1, 2].map(|number| bench.run.probe(number));
    let other = crate::record::RunId::from_entropy(9).probe(1);
    fake.deliver("INBOX", &message_of(&other, "A0"));
    fake.deliver("INBOX", &message_of(&one, "A1"));
    fake.deliver("INBOX", &bounce_of(&one));
    fake.deliver("Junk", &message_of(&two, "A2"));
    // Somebody else's mark, which a plain EXPUNGE would carry out.
    fake.state().deleted.push(("INBOX".to_owned(), 1));
    let cleaned = bench.erase(Looks::Imap(settings(&fake))).await;
    assert_eq!((cleaned.state, cleaned.why.as_str()), (CleanedState::Deleted, "2 messages deleted"));
    assert_eq!(cleaned.messages, ["Junk UID 1", "INBOX UID 2"]);
    let left = |name: &str| fake.state().mailboxes[name].iter().map(|(uid, _)| *uid).collect::<Vec<_>>();
    assert_eq!((left("INBOX"), left("Junk")), (vec![1, 3], vec![]));
}

#[tokio::test]
async fn without_uidplus_probes_are_marked_and_that_is_said() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    let cleaned = bench.erase(Looks::Imap(settings(&fake))).await;
    assert_eq!((cleaned.state, cleaned.messages), (CleanedState::Marked, vec!["INBOX UID 1".to_owned()]));
    assert!(cleaned.why.contains("no UIDPLUS"), "{}", cleaned.why);
    assert_eq!(fake.count("UID EXPUNGE"), 0);
    fake.on(|command, _| command.starts_with("UID STORE").then(|| "TAG NO [NOPERM] read-only\r\n".to_owned()));
    let refused = bench.erase(Looks::Imap(settings(&fake))).await;
    assert_eq!(refused.state, CleanedState::Failed);
    assert!(refused.why.contains("[NOPERM]"), "{}", refused.why);
}

#[tokio::test]
async fn a_server_without_idle_is_looked_at_by_the_clock() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    bench.until_landed(1).await;
    collecting.close().await;
    assert_eq!(fake.count("IDLE"), 0);
}

#[tokio::test]
async fn a_server_that_refuses_to_idle_is_looked_at_by_the_clock() {
    let (fake, bench) = (Fake::start("IMAP4rev1 IDLE").await, Bench::new());
    fake.on(|command, _| (command == "IDLE").then(|| "TAG BAD what\r\n".to_owned()));
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    bench.until_landed(1).await;
    collecting.close().await;
    assert_eq!(fake.count("IDLE"), 1);
}

#[tokio::test]
async fn a_refused_login_says_whose_and_what_to_do() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    fake.on(|command, _| command.starts_with("LOGIN").then(|| "TAG NO [AUTHENTICATIONFAILED] no\r\n".to_owned()));
    let error = open(&bench, settings(&fake)).await.expect_err("refused");
    assert_eq!(error.what, "the server refused the login of `probe`: [AUTHENTICATIONFAILED] no");
    assert!(error.help.is_some());
    assert_eq!(bench.looked()[0].state, LookedState::Failed);
}

#[tokio::test]
async fn a_refused_search_is_no_empty_mailbox() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    for answer in ["TAG NO [SERVERBUG] later\r\n", "TAG BAD what\r\n", "* BYE shutting down\r\n", ""] {
        fake.on(move |command, _| command.starts_with("UID SEARCH").then(|| answer.to_owned()));
        let looked = if answer.starts_with("* BYE") {
            // It says goodbye and hangs up with the next command.
            fake.on(|command, _| command.starts_with("EXAMINE").then(String::new));
            collecting.look().await
        } else {
            collecting.look().await
        };
        assert!(looked.is_err(), "{answer}");
    }
    fake.on(|_, _| None);
    collecting.look().await.expect("it looks again");
    let states: Vec<_> = bench.looked().into_iter().map(|it| it.state).collect();
    assert_eq!((states[0], states[1]), (LookedState::Open, LookedState::Lost));
    assert_eq!(states.last(), Some(&LookedState::Open));
    collecting.close().await;
}

#[tokio::test]
async fn a_connection_that_is_closed_once_hides_nothing() {
    let (fake, bench) = (Fake::start("IMAP4rev1 IDLE").await, Bench::new());
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    let closed = std::sync::atomic::AtomicBool::new(false);
    fake.on(move |command, _| {
        let first = command.starts_with("UID SEARCH") && !closed.swap(true, std::sync::atomic::Ordering::Relaxed);
        first.then(String::new)
    });
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    collecting.look().await.expect("it looks");
    assert_eq!(bench.landed().len(), 1);
    assert!(bench.looked().iter().all(|it| it.state == LookedState::Open), "{:?}", bench.looked());
    assert_eq!(fake.count("LOGIN"), 2);
    collecting.close().await;
}

#[tokio::test]
async fn a_server_that_goes_away_is_lost_and_found_again() {
    let (fake, bench) = (Fake::start("IMAP4rev1 IDLE").await, Bench::new());
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    bench.until_landed(1).await;
    let address = fake.stop().await;
    let state = |state: LookedState| bench.looked().into_iter().find(|it| it.state == state);
    let lost = until(|| state(LookedState::Lost)).await;
    assert!(lost.why.contains("the server cannot be reached"), "{}", lost.why);
    let again = Fake::start_on(&address.to_string(), "IMAP4rev1 IDLE", Encrypts::Never).await;
    again.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    again.deliver("INBOX", &message_of(&bench.run.probe(2), "A2"));
    bench.until_landed(2).await;
    until(|| (bench.looked().last()?.state == LookedState::Open).then_some(())).await;
    collecting.close().await;
}

#[tokio::test]
async fn renumbered_messages_are_the_same_copies() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    collecting.look().await.expect("it looks");
    {
        let mut state = fake.state();
        state.validity = 2;
        let messages = state.mailboxes.get_mut("INBOX").expect("it is there");
        let moved = messages[0].1.clone();
        *messages = vec![(7, "Subject: other\r\n\r\n".to_owned()), (8, moved)];
    }
    fake.deliver("INBOX", &message_of(&bench.run.probe(2), "A2"));
    collecting.look().await.expect("it looks");
    collecting.close().await;
    let tags: Vec<_> = bench.landed().into_iter().map(|it| it.tag.short()).collect();
    assert_eq!(tags, ["1", "2"]);
}

#[tokio::test]
async fn a_mailbox_that_is_not_there_is_named() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    let settings = Imap { mailboxes: vec!["Spam & more".to_owned()], ..settings(&fake) };
    let error = open(&bench, settings).await.expect_err("not there");
    let expected = "the server refused opening the mailbox `Spam &- more`: [NONEXISTENT] no such mailbox";
    assert_eq!(error.what, expected);
}

#[tokio::test]
async fn a_password_is_not_sent_in_clear_over_a_network() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    let far = Imap { address: Endpoint { host: "far.example".to_owned(), port: 143 }, ..settings(&fake) };
    let error = open(&bench, far).await.expect_err("refused");
    assert_eq!(error.what, "`tls: plain` would send the password of `probe` over the network in clear");
    let near = Endpoint { host: "near.example".to_owned(), port: fake.address.port() };
    let collecting = open(&bench, Imap { address: near, ..settings(&fake) }).await.expect("it is this machine");
    collecting.close().await;
}

#[tokio::test]
async fn what_keeps_from_looking_is_said() {
    let (fake, bench) = (Fake::start("IMAP4rev1 LOGINDISABLED").await, Bench::new());
    let error = open(&bench, settings(&fake)).await.expect_err("not allowed");
    assert!(error.what.contains("LOGINDISABLED"), "{error}");
    fake.state().greeting = "* BYE too many connections".to_owned();
    let error = open(&bench, settings(&fake)).await.expect_err("turned away");
    assert_eq!(error.what, "the server turned the connection away: too many connections");
    let secret = Imap { password: Secret::Env("NOT_SET".to_owned()), ..settings(&fake) };
    let error = open(&bench, secret).await.expect_err("no password");
    assert!(error.what.contains("the environment variable `NOT_SET` is not set"), "{error}");
    let nowhere = Endpoint { host: "nowhere.example".to_owned(), port: 993 };
    let error = open(&bench, Imap { address: nowhere, ..settings(&fake) }).await.expect_err("no address");
    assert_eq!(error.what, "`nowhere.example` has no address: no such host");
    let settings = settings(&fake);
    fake.stop().await;
    let error = open(&bench, settings).await.expect_err("gone");
    assert!(error.what.contains("the server cannot be reached: 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_password_outside_of_ascii_goes_as_a_literal() {
    let (fake, mut bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    bench.environment = crate::world::Environment::new([("PASSWORD".to_owned(), "pässwörd".to_owned())]);
    open(&bench, settings(&fake)).await.expect("it opens").close().await;
    assert_eq!(fake.count("LOGIN probe pässwörd"), 1, "{:?}", fake.state().commands);
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let pem = params.self_signed(&key).expect("signed").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The authority's own certificate as that of a server, as tools make them that sign it by
    /// itself.
    fn itself(name: &str) -> (TlsAcceptor, String) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("signed");
        (acceptor(&certificate, &key), certificate.pem())
    }

    fn acceptor(&self, name: &str, expired: bool) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        if expired {
            (params.not_before, params.not_after) =
                (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        acceptor(&certificate, &key)
    }
}

fn acceptor(certificate: &rcgen::Certificate, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate");
    TlsAcceptor::from(Arc::new(config))
}

async fn encrypted(mode: TlsMode, encrypts: Encrypts, ca: Option<&Path>) -> Result<(), CollectError> {
    let fake = Fake::start_on("127.0.0.1:0", "IMAP4rev1 STARTTLS", encrypts).await;
    let bench = Bench::new();
    let settings = Imap { tls: mode, ca: ca.map(Path::to_owned), ..settings(&fake) };
    let collecting = open(&bench, settings).await?;
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    collecting.look().await?;
    assert_eq!(bench.landed().len(), 1);
    collecting.close().await;
    Ok(())
}

#[tokio::test]
async fn connections_are_encrypted_and_certificates_are_explained() {
    let authority = Authority::new("Authority");
    let (other, anew) = (Authority::new("Other"), Authority::new("Authority"));
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &authority.pem).expect("written");
    let good = authority.acceptor("127.0.0.1", false);
    encrypted(TlsMode::Implicit, Encrypts::AtOnce(good.clone()), Some(&ca)).await.expect("it opens");
    encrypted(TlsMode::Starttls, Encrypts::WhenAsked(good.clone()), Some(&ca)).await.expect("it opens");
    for (acceptor, what) in [
        (other.acceptor("127.0.0.1", false), "issued by `CN=Other`, is of no authority that is trusted here"),
        (anew.acceptor("127.0.0.1", false), "is not signed by the authority `CN=Authority` that is trusted here"),
        (authority.acceptor("imap.example", false), "the certificate is for `imap.example`, not for `127.0.0.1`"),
        (authority.acceptor("127.0.0.1", true), "expired on Jan  1 00:00:00 2021"),
    ] {
        let error = encrypted(TlsMode::Implicit, Encrypts::AtOnce(acceptor), Some(&ca)).await.expect_err("not trusted");
        assert!(error.what.contains(what), "{error}");
        assert!(error.help.is_some());
    }
    let error = encrypted(TlsMode::Implicit, Encrypts::Never, Some(&ca)).await.expect_err("no TLS");
    assert_eq!(error.what, "the server does not speak TLS on this port");
    let error = encrypted(TlsMode::Implicit, Encrypts::AtOnce(good), None).await.expect_err("nobody to trust");
    assert_eq!(error.what, "no certificate authority is known on this machine");
    std::fs::write(&ca, "no certificate").expect("written");
    let error = encrypted(TlsMode::Implicit, Encrypts::Never, Some(&ca)).await.expect_err("nobody to trust");
    assert!(error.what.ends_with("holds no certificate"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_trusted_where_it_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let [ca, other] = ["ca.pem", "other.pem"].map(|name| folder.path().join(name));
    std::fs::write(&other, Authority::new("Authority").pem).expect("written");
    let (server, pem) = Authority::itself("127.0.0.1");
    std::fs::write(&ca, pem).expect("written");
    encrypted(TlsMode::Implicit, Encrypts::AtOnce(server.clone()), Some(&ca)).await.expect("it opens");
    let error = encrypted(TlsMode::Implicit, Encrypts::AtOnce(server), Some(&other)).await.expect_err("not trusted");
    assert!(error.what.ends_with("is signed by itself, and not trusted here"), "{error}");
    let (elsewhere, pem) = Authority::itself("imap.example");
    std::fs::write(&ca, pem).expect("written");
    let error = encrypted(TlsMode::Implicit, Encrypts::AtOnce(elsewhere), Some(&ca)).await.expect_err("wrong name");
    assert!(error.what.contains("is for `imap.example`, not for `127.0.0.1`"), "{error}");
}

fn with_token(fake: &Fake) -> Imap {
    Imap { login: ImapLogin::Xoauth2, ..settings(fake) }
}

/// `user=probe^Aauth=Bearer s3cret^A^A`
const TOKEN: &str = "dXNlcj1wcm9iZQFhdXRoPUJlYXJlciBzM2NyZXQBAQ==";

#[tokio::test]
async fn a_token_is_shown_at_once_or_when_the_server_asks() {
    for capabilities in ["IMAP4rev1 AUTH=XOAUTH2 SASL-IR", "IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED"] {
        let (fake, bench) = (Fake::start(capabilities).await, Bench::new());
        fake.on(|command, _| (command == "AUTHENTICATE XOAUTH2").then(|| "+ \r\n".to_owned()));
        // The server reads the answer as if it were a command, of which it is the tag.
        fake.state().bare = Some("m2 OK in\r\n".to_owned());
        let collecting = open(&bench, with_token(&fake)).await.expect("it opens");
        collecting.close().await;
        let shown = fake.state().commands.iter().any(|it| it.ends_with(TOKEN));
        assert!(shown, "{:?}", fake.state().commands);
        assert_eq!(fake.count("LOGIN"), 0);
    }
}

#[tokio::test]
async fn a_token_that_expired_is_refused_with_a_reason() {
    let (fake, bench) = (Fake::start("IMAP4rev1 AUTH=XOAUTH2 SASL-IR").await, Bench::new());
    fake.on(|command, _| command.starts_with("AUTHENTICATE").then(|| "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n".to_owned()));
    fake.state().bare = Some("m2 NO [AUTHENTICATIONFAILED] expired\r\n".to_owned());
    let error = open(&bench, with_token(&fake)).await.expect_err("refused");
    assert_eq!(error.what, "the server refused the login of `probe`: [AUTHENTICATIONFAILED] expired");
    assert!(error.help.is_some_and(|it| it.contains("`token`")));
    let (without, bench) = (Fake::start("IMAP4rev1 AUTH=PLAIN").await, Bench::new());
    let error = open(&bench, with_token(&without)).await.expect_err("no tokens");
    assert_eq!(error.what, "the server takes no tokens (AUTH=XOAUTH2)");
}

#[tokio::test]
async fn gmail_is_searched_where_all_mail_is_and_labels_say_where_it_is_seen() {
    let (fake, bench) = (Fake::start("IMAP4rev1 X-GM-EXT-1 SPECIAL-USE").await, Bench::new());
    {
        let mut state = fake.state();
        state.mailboxes = ["INBOX", "[Gmail]/All Mail", "[Gmail]/Spam"].map(|name| (name.to_owned(), vec![])).into();
    }
    fake.on(|command, _| {
        let marked = "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n* LIST (\\All) \"/\" \"[Gmail]/All Mail\"\r\n\
            * LIST (\\Junk) \"/\" \"[Gmail]/Spam\"\r\nTAG OK\r\n";
        command.starts_with("LIST").then(|| marked.to_owned())
    });
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    assert_eq!(bench.looked()[0].why, "logged in as `probe`; looks into `[Gmail]/Spam` and `[Gmail]/All Mail`");
    fake.state().labels = "\\\\Inbox \\\\Important".to_owned();
    fake.deliver("[Gmail]/All Mail", &message_of(&bench.run.probe(1), "A1"));
    collecting.look().await.expect("it looks");
    fake.state().labels = "\"a filter's\"".to_owned();
    fake.deliver("[Gmail]/All Mail", &message_of(&bench.run.probe(2), "A2"));
    collecting.look().await.expect("it looks");
    fake.deliver("[Gmail]/Spam", &message_of(&bench.run.probe(3), "A3"));
    collecting.look().await.expect("it looks");
    collecting.close().await;
    let placed: Vec<_> = bench.landed().into_iter().map(|it| it.placement).collect();
    assert_eq!(placed, [Placement::Inbox, Placement::Other, Placement::Junk]);
}

#[tokio::test]
async fn exchange_is_not_asked_for_header_fields_that_it_does_not_know() {
    let (fake, bench) = (Fake::start("IMAP4rev1").await, Bench::new());
    fake.state().greeting = "* OK The Microsoft Exchange IMAP4 service is ready.".to_owned();
    let collecting = open(&bench, settings(&fake)).await.expect("it opens");
    fake.deliver("INBOX", "Subject: not ours\n\nbody\n");
    fake.deliver("INBOX", &message_of(&bench.run.probe(1), "A1"));
    bench.until_landed(1).await;
    collecting.close().await;
    let searched: Vec<_> = fake.state().commands.iter().filter(|it| it.starts_with("UID SEARCH")).cloned().collect();
    assert!(!searched.is_empty() && searched.iter().all(|it| it == "UID SEARCH UID 1:*"), "{searched:?}");
}

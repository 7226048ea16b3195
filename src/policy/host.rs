//! A policy host for a lab: one page over HTTPS, right or wrong on purpose.
//!
//! ```text
//!   listener (one address) ── TLS, with the certificate of its page ── GET ──> Page
//! ```

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::fetch::PATH;

/// How long a client may take for handshake and request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many clients are served at the same time; others wait to be accepted.
const CLIENTS: usize = 64;

/// What one address of a policy host answers.
#[derive(Clone)]
pub struct Page {
    /// Whose certificate it shows.
    pub acceptor: TlsAcceptor,
    /// The status.
    pub status: u16,
    /// Where it says that the policy has moved to.
    pub location: Option<String>,
    /// The media type; none: it sends none.
    pub content_type: Option<String>,
    /// The body.
    pub body: String,
    /// How long it waits before it answers.
    pub delay: Duration,
}

impl Page {
    /// A policy served rightly.
    pub fn of(acceptor: TlsAcceptor, body: impl Into<String>) -> Self {
        Self {
            acceptor,
            status: 200,
            location: None,
            content_type: Some("text/plain; charset=utf-8".to_owned()),
            body: body.into(),
            delay: Duration::ZERO,
        }
    }

    fn answer(&self, path: &str) -> Response<String> {
        let mut response = Response::new(String::new());
        if path != PATH {
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in [(CONTENT_TYPE, &self.content_type), (LOCATION, &self.location)] {
            if let Some(value) = value.as_ref().and_then(|it| it.parse().ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        *response.body_mut() = self.body.clone();
        response
    }
}

/// One address of a policy host, whose page can be replaced while it serves.
#[derive(Clone)]
pub struct PolicyDoor(Arc<RwLock<Page>>);

impl PolicyDoor {
    /// A door that shows this page.
    pub fn new(page: Page) -> Self {
        Self(Arc::new(RwLock::new(page)))
    }

    /// From now on it shows this page.
    pub fn show(&self, page: Page) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = page;
    }

    fn page(&self) -> Page {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves everybody who connects, for ever; dropping the future ends every connection.
    pub async fn serve(self, listener: TcpListener) {
        let mut clients = JoinSet::new();
        loop {
            while clients.try_join_next().is_some() {}
            while clients.len() >= CLIENTS {
                clients.join_next().await;
            }
            match listener.accept().await {
                Ok((stream, _)) => {
                    clients.spawn(talk(stream, self.page()));
                }
                // Out of file descriptors, most likely: one is free when a client leaves.
                Err(_) => {
                    clients.join_next().await;
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

async fn talk(stream: TcpStream, page: Page) {
    let Ok(Ok(stream)) = timeout(PATIENCE, page.acceptor.accept(stream)).await else { return };
    let answer = service_fn(|request: Request<Incoming>| {
        let page = page.clone();
        async move {
            tokio::time::sleep(page.delay).await;
            Ok::<_, Infallible>(page.answer(request.uri().path()))
        }
    });
    // A client that goes away, or asks for nothing in time, is served no further.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::policy::FailureType;
    use crate::policy::fetch::{Fetched, Getter, Limits};
    use crate::tls::{Authority, Flaw};
    use crate::world::{Clock, Dialer, Listening};

    const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mx1.new.example\nmax_age: 604800\n";
    const HOST: &str = "mta-sts.drill.example";

    /// Serves a page and fetches it.
    async fn fetched(authority: &Authority, page: Page) -> Fetched {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let place: SocketAddr = listener.local_addr().expect("an address");
        let dialer = Dialer::default();
        dialer.route(HOST, place.ip(), Listening::plain(place));
        let getter = Getter {
            dialer,
            trust: authority.trust(),
            clock: Clock::starting_at("2026-11-21T06:40:00Z".parse().expect("a time")),
            limits: Limits { connect: Duration::from_secs(2), whole: Duration::from_millis(1_500) },
        };
        let mut served = JoinSet::new();
        served.spawn(PolicyDoor::new(page).serve(listener));
        getter.at("drill.example", place.ip()).await
    }

    #[tokio::test]
    async fn a_policy_is_fetched_with_all_its_facts() {
        let authority = Authority::new().expect("keys");
        let page = Page::of(authority.acceptor(&[HOST]).expect("a certificate"), POLICY);
        let fetched = fetched(&authority, page).await;
        assert_eq!(fetched.policy().expect("a policy").mx, ["mx1.new.example"], "{fetched:?}");
        assert_eq!((fetched.status, fetched.bytes), (Some(200), POLICY.len() as u64));
        let tls = fetched.tls.expect("TLS");
        assert_eq!((tls.verdicts, tls.certificates[0].names.clone()), (vec!["trusted".into()], vec![HOST.to_owned()]));
    }

    #[tokio::test]
    async fn each_fault_is_seen_for_what_it_is() {
        use FailureType::{StsPolicyFetchError, StsPolicyInvalid, StsWebpkiInvalid};
        let authority = Authority::new().expect("keys");
        let right = Page::of(authority.acceptor(&[HOST]).expect("a certificate"), POLICY);
        let flawed =
            |flaw| Page { acceptor: authority.flawed_acceptor(HOST, flaw).expect("a certificate"), ..right.clone() };
        let status = |status| Page { status, ..right.clone() };
        let location = Some("https://www.example.com/.well-known/mta-sts.txt".to_owned());
        for (what, page, kind) in [
            ("wrong certificate", flawed(Flaw::WrongName), StsWebpkiInvalid),
            ("expired", flawed(Flaw::Expired), StsWebpkiInvalid),
            ("self-signed", flawed(Flaw::SelfSigned), StsWebpkiInvalid),
            ("redirect", Page { location, ..status(301) }, StsPolicyFetchError),
            ("404", status(404), StsPolicyFetchError),
            ("503", status(503), StsPolicyFetchError),
            ("204", Page { body: String::new(), ..status(204) }, StsPolicyFetchError),
            ("slow", Page { delay: Duration::from_secs(30), ..right.clone() }, StsPolicyFetchError),
            (
                "huge",
                Page { body: format!("{POLICY}{}", "x: y\n".repeat(20_000)), ..right.clone() },
                StsPolicyFetchError,
            ),
            ("type", Page { content_type: Some("text/html".to_owned()), ..right.clone() }, StsPolicyFetchError),
            ("body", Page { body: "<html>".to_owned(), ..right.clone() }, StsPolicyInvalid),
        ] {
            let fetched = fetched(&authority, page).await;
            assert_eq!(fetched.policy().expect_err(what).kind, kind, "{what}: {fetched:?}");
            assert!(fetched.bytes <= crate::policy::MAX_POLICY as u64 + 1);
        }
    }
}

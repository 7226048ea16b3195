//! The client of HTTP APIs: the only part of `collect/` that speaks HTTP.
//!
//! ```text
//!   path ──> GET or POST ──> status 2xx: at most so many bytes of the body
//!                            404: nothing there      429, 503: when to ask again
//! ```
//!
//! Names are looked up through the run's door, the environment's proxies are not used, and a
//! redirect is followed only to the same host, because the login goes with it.

#[cfg(test)]
pub(super) mod testing;

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::shelf::Setback;
use super::{Context, Trouble, dial, tls};
use crate::inventory::{HttpLogin, HttpUrl, Scheme};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a request may take, with its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);
/// The largest JSON answer, in bytes: a page of a list may hold whole messages.
const MAX_JSON: usize = 32 << 20;
/// How often one request is sent elsewhere.
const MAX_REDIRECTS: usize = 3;

/// A server and who asks it.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    url: HttpUrl,
    login: HttpLogin,
    context: Context,
}

impl Http {
    /// A client of the server at `url`.
    ///
    /// # Errors
    /// Where its name has no address, or its certificates cannot be judged.
    pub(super) async fn new(
        url: &HttpUrl,
        login: &HttpLogin,
        ca: Option<&Path>,
        context: &Context,
    ) -> Result<Self, Trouble> {
        let place = url.place();
        let addresses = dial::addresses(&place.host, context).await?;
        let sockets: Vec<SocketAddr> = addresses.into_iter().map(|it| SocketAddr::new(it, place.port)).collect();
        let encrypted = match url.scheme() {
            Scheme::Https => tls::client_config(dial::trust(ca, context)?)?,
            Scheme::Http => tls::trusting_nobody()?,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(encrypted)
            .resolve_to_addrs(&place.host, &sockets)
            .redirect(to_the_same_host())
            .no_proxy()
            .connect_timeout(CONNECT_LIMIT)
            .timeout(REQUEST_LIMIT)
            .user_agent("mxdrill")
            .build()
            .map_err(|error| Trouble::new(format!("HTTP cannot be used: {}", causes(&error))))?;
        Ok(Self { client, url: url.clone(), login: login.clone(), context: context.clone() })
    }

    /// The JSON that a GET of `path` gives.
    ///
    /// # Errors
    /// Where it cannot be had; nothing at that path is an error too.
    pub(super) async fn json(&self, path: &str) -> Result<Value, Setback> {
        let answer = self.send(self.client.get(self.at(path))).await?;
        read_json(succeeded(answer, path)?, path).await
    }

    /// The JSON that a POST of JSON to `url`, of the same host, gives.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub(super) async fn post(&self, url: &str, body: &Value) -> Result<Value, Setback> {
        let request = self.client.post(url).header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        let answer = self.send(request).await?;
        read_json(succeeded(answer, url)?, url).await
    }

    /// The first `limit` bytes of what is at `path`; none where nothing is there.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub(super) async fn start_of(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, Setback> {
        let answer = self.send(self.client.get(self.at(path))).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(read(succeeded(answer, path)?, limit, path).await?.0))
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Setback> {
        let request = match &self.login {
            HttpLogin::Nobody => request,
            HttpLogin::Basic(user, password) => {
                request.basic_auth(user, Some(self.secret(password).await?.expose_secret()))
            }
            HttpLogin::Bearer(token) => request.bearer_auth(self.secret(token).await?.expose_secret()),
        };
        let sent = request.send().await;
        sent.map_err(|error| {
            Trouble::new(format!("the server cannot be asked: {}", causes(&error)))
                .help("check `url`, and that the server runs and can be reached from here")
                .into()
        })
    }

    /// Fetched anew for every request: tokens expire.
    async fn secret(&self, secret: &crate::inventory::Secret) -> Result<SecretString, Setback> {
        let secret = self.context.environment.secret(secret).await;
        secret.map_err(|error| Trouble::new(format!("there is no login: {error}")).into())
    }
}

fn to_the_same_host() -> Policy {
    Policy::custom(|attempt| {
        let first = attempt.previous().first().map(|it| (it.scheme().to_owned(), it.host_str().map(str::to_owned)));
        let next = Some((attempt.url().scheme().to_owned(), attempt.url().host_str().map(str::to_owned)));
        if attempt.previous().len() > MAX_REDIRECTS || first != next { attempt.stop() } else { attempt.follow() }
    })
}

fn succeeded(answer: Response, path: &str) -> Result<Response, Setback> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let trouble = Trouble::new(format!("the server answered {status} to `{path}`"));
    let trouble = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => trouble.help("check `user` and `password`, or `token`"),
        StatusCode::NOT_FOUND => trouble.help("check `url` and `kind`: another program may listen there"),
        _ => trouble,
    };
    let asked_too_often = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let pause = asked_too_often.then(|| retry_after(&answer)).flatten();
    Err(Setback { trouble, pause })
}

/// The seconds of `Retry-After` (RFC 9110 10.2.3); a date there is passed over.
fn retry_after(answer: &Response) -> Option<Duration> {
    let value = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(value.trim().parse().ok()?))
}

async fn read_json(answer: Response, path: &str) -> Result<Value, Setback> {
    let (body, extent) = read(answer, MAX_JSON, path).await?;
    if extent == Extent::Cut {
        let trouble = Trouble::new(format!("the answer to `{path}` has more than {MAX_JSON} bytes"));
        return Err(trouble.help("remove old messages from the store").into());
    }
    serde_json::from_slice(&body).map_err(|error| {
        Trouble::new(format!("the answer to `{path}` is no JSON: {error}"))
            .help("check `url` and `kind`: another program may listen there")
            .into()
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Cut,
}

async fn read(answer: Response, limit: usize, path: &str) -> Result<(Vec<u8>, Extent), Setback> {
    let mut body = vec![];
    let mut blocks = answer.bytes_stream();
    while let Some(block) = blocks.next().await {
        let block = block.map_err(|error| {
            Setback::from(Trouble::new(format!("the answer to `{path}` broke off: {}", causes(&error))))
        })?;
        body.extend_from_slice(&block[..block.len().min(limit.saturating_add(1) - body.len())]);
        if body.len() > limit {
            body.truncate(limit);
            return Ok((body, Extent::Cut));
        }
    }
    Ok((body, Extent::Whole))
}

/// An error with what is behind it: the library's own words are short. Its URL is left out, which
/// may be long.
fn causes(error: &dyn Error) -> String {
    let mut causes = vec![];
    let mut next = Some(error);
    while let Some(error) = next {
        next = error.source();
        causes.push(error.to_string());
    }
    // The innermost says what happened.
    causes.pop().unwrap_or_default()
}

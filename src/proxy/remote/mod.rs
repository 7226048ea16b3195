//! The other side of the control API: a run that tells a standing proxy about its faults.
//!
//! ```text
//!   run ── put, renew, lift ──> /v1/runs/{run} ──> Stand
//!       <── firings ───────────
//! ```
//!
//! It knows paths and answers, no phases: when to put what is the run's to say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::standing::{RunState, Since};
use crate::record::RunId;

/// How long a proxy may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The most of an answer that is read, in bytes: thousands of firings fit.
const MAX_ANSWER: usize = 8 << 20;
/// How much of an answer that is no control API's is quoted.
const EXCERPT: usize = 200;

/// A control API, from afar. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Remote {
    http: reqwest::Client,
    control: Arc<str>,
    token: Option<SecretString>,
}

/// Why a proxy does not do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It cannot be asked.
    #[error("the control API at {control} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        control: String,
        /// Why.
        why: String,
    },
    /// It does not take the token, or wants one.
    #[error("the control API at {control} does not let this run in: {why}")]
    Refused {
        /// Where.
        control: String,
        /// In its own words.
        why: String,
    },
    /// It is busy, or its system cannot do it.
    #[error("the standing proxy at {control} cannot put the faults in force: {why}")]
    Cannot {
        /// Where.
        control: String,
        /// In its own words.
        why: String,
    },
    /// It holds none of the run's faults.
    #[error("the standing proxy at {control} holds no faults of this run any more")]
    Gone {
        /// Where.
        control: String,
    },
    /// What it says is no answer of a control API that this version knows.
    #[error("what listens at {control} is no control API that this version knows: {why}")]
    Foreign {
        /// Where.
        control: String,
        /// What it said.
        why: String,
    },
}

/// A fault that somebody else has put in force.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Foreign {
    /// Its host.
    pub host: String,
    /// As it was written.
    pub text: String,
    /// The run that it belongs to, if it does.
    #[serde(default)]
    pub run: Option<String>,
}

impl Remote {
    /// The control API at this URL, `http://` or `https://`.
    ///
    /// # Errors
    /// Where no client can be made for it.
    pub fn new(control: &str, token: Option<SecretString>, roots: Arc<RootCertStore>) -> Result<Self, RemoteError> {
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // Neither may the token go elsewhere, nor the environment say where.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(LIMIT)
            .build();
        let control: Arc<str> = control.trim_end_matches('/').into();
        let http =
            http.map_err(|error| RemoteError::Unreachable { control: control.to_string(), why: told(&error) })?;
        Ok(Self { http, control, token })
    }

    /// The hosts that the proxy stands before.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub async fn hosts(&self) -> Result<BTreeSet<String>, RemoteError> {
        #[derive(Deserialize)]
        struct Ready {
            listeners: Vec<Listener>,
        }
        #[derive(Deserialize)]
        struct Listener {
            host: String,
        }
        let ready: Ready = self.ask(Method::GET, "/readyz", None).await?;
        Ok(ready.listeners.into_iter().map(|listener| listener.host).collect())
    }

    /// What is in force there. Wants the token.
    ///
    /// # Errors
    /// Where it cannot be asked, or does not take the token.
    pub async fn in_force(&self) -> Result<Vec<Foreign>, RemoteError> {
        #[derive(Deserialize)]
        struct Held {
            faults: Vec<Foreign>,
        }
        self.ask(Method::GET, "/v1/faults", None).await.map(|held: Held| held.faults)
    }

    /// Puts numbered faults of a run in the place of those that it has, all of them or none.
    ///
    /// # Errors
    /// Where it cannot or does not want to.
    pub async fn put(
        &self,
        run: &RunId,
        seed: u64,
        lease: Duration,
        faults: &[(usize, Value)],
    ) -> Result<RunState, RemoteError> {
        let faults: Vec<Value> =
            faults.iter().map(|(number, fault)| json!({ "number": number, "fault": fault })).collect();
        let body = json!({ "seed": seed, "lease": format!("{}ms", lease.as_millis()), "faults": faults });
        self.ask(Method::PUT, &format!("/v1/runs/{run}"), Some(body)).await
    }

    /// What happened to a run since.
    ///
    /// # Errors
    /// Where it cannot be asked.
    pub async fn state(&self, run: &RunId, since: Since) -> Result<RunState, RemoteError> {
        let path = format!("/v1/runs/{run}?firing={}&bare={}", since.firing, since.bare);
        self.ask(Method::GET, &path, None).await
    }

    /// Begins the leases of a run's faults anew.
    ///
    /// # Errors
    /// Where it cannot be asked, or holds none of them any more.
    pub async fn renew(&self, run: &RunId) -> Result<(), RemoteError> {
        self.ask(Method::POST, &format!("/v1/runs/{run}/renew"), None).await.map(|_: Value| ())
    }

    /// Lifts the faults of a run. Gives the numbers of those that were in force until now.
    ///
    /// # Errors
    /// Where it cannot be asked: they lift themselves by their lease.
    pub async fn lift(&self, run: &RunId) -> Result<Vec<usize>, RemoteError> {
        #[derive(Deserialize)]
        struct Lifted {
            faults: Vec<usize>,
        }
        self.ask(Method::DELETE, &format!("/v1/runs/{run}"), None).await.map(|lifted: Lifted| lifted.faults)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<T, RemoteError> {
        let unreachable =
            |error: reqwest::Error| RemoteError::Unreachable { control: self.control.to_string(), why: told(&error) };
        let mut request = self.http.request(method, format!("{}{path}", self.control));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut text = vec![];
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            text.extend_from_slice(&part);
            if text.len() > MAX_ANSWER {
                return Err(self.foreign("its answer has no end".to_owned()));
            }
        }
        self.read(status, &text)
    }

    fn read<T: DeserializeOwned>(&self, status: StatusCode, text: &[u8]) -> Result<T, RemoteError> {
        if status.is_success() {
            return serde_json::from_slice(text).map_err(|error| self.foreign(error.to_string()));
        }
        let control = self.control.to_string();
        let Some(why) = reason(text) else {
            let start = String::from_utf8_lossy(&text[..text.len().min(EXCERPT)]).trim().to_owned();
            return Err(self.foreign(format!("it answers {} and `{start}`", status.as_u16())));
        };
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => RemoteError::Refused { control, why },
            StatusCode::NOT_FOUND if !why.contains("there is no") => RemoteError::Gone { control },
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => RemoteError::Foreign { control, why },
            _ => RemoteError::Cannot { control, why },
        })
    }

    fn foreign(&self, why: String) -> RemoteError {
        RemoteError::Foreign { control: self.control.to_string(), why }
    }
}

/// What a control API says is wrong; its drawing where it made one.
fn reason(text: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(text).ok()?;
    let said = |key: &str| answer[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    said("drawing").map(|drawing| format!("\n{drawing}")).or_else(|| said("error"))
}

/// An error with its causes: by itself it only says that something went wrong. URLs may hold what
/// nobody should read, and the address is said beside.
fn told(error: &reqwest::Error) -> String {
    let mut why = vec![];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        why.push(error.to_string());
        cause = error.source();
    }
    match why.pop() {
        Some(root) => root,
        None if error.is_timeout() => "no answer in time".to_owned(),
        None => "the connection failed".to_owned(),
    }
}

//! Faults of runs: put, watched, renewed and lifted as a whole.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::json as value;

use super::answer::{Said, cannot, json, mistakes, wrong};
use super::routes::{It, text};
use crate::proxy::standing::{RunState, Since};
use crate::record::RunId;
use crate::scenario::standing::of_a_run;
use crate::source::SourceText;

/// What became of a run's faults, and what their writer should know.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    state: RunState,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Said>,
}

pub(super) async fn put(State(stand): It, Path(run): Path<String>, body: Body) -> Response {
    let (run, text) = match (id(&run), text(body).await) {
        (Ok(run), Ok(text)) => (run, text),
        (Err(refusal), _) | (_, Err(refusal)) => return refusal,
    };
    let wanted = match of_a_run(&SourceText::new("body", text), &stand.hosts()) {
        Ok(wanted) => wanted,
        Err(remarks) => return mistakes(&remarks),
    };
    let warnings = wanted.faults.warnings.iter().map(Said::from).collect();
    match stand.put_run(run, wanted).await {
        Ok(state) => json(StatusCode::OK, &Answer { state, warnings }),
        Err(error) => cannot(&error),
    }
}

/// What happened behind `?firing=N&bare=N`.
pub(super) async fn show(State(stand): It, Path(run): Path<String>, RawQuery(query): RawQuery) -> Response {
    let run = match id(&run) {
        Ok(run) => run,
        Err(refusal) => return refusal,
    };
    match since(query.as_deref().unwrap_or_default()) {
        Some(since) => json(StatusCode::OK, &Answer { state: stand.run(&run, since), warnings: vec![] }),
        None => wrong(StatusCode::BAD_REQUEST, "the keys are `firing` and `bare`, such as `?firing=12&bare=0`"),
    }
}

fn since(query: &str) -> Option<Since> {
    let mut since = Since::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=')? {
            ("firing", number) => since.firing = number.parse().ok()?,
            ("bare", number) => since.bare = number.parse().ok()?,
            _ => return None,
        }
    }
    Some(since)
}

pub(super) async fn renew(State(stand): It, Path(run): Path<String>) -> Response {
    let run = match id(&run) {
        Ok(run) => run,
        Err(refusal) => return refusal,
    };
    match stand.renew_run(run).await {
        Ok(faults) if faults.is_empty() => wrong(StatusCode::NOT_FOUND, "no fault of this run is in force"),
        Ok(faults) => json(StatusCode::OK, &value!({ "faults": faults })),
        Err(error) => cannot(&error),
    }
}

pub(super) async fn lift(State(stand): It, Path(run): Path<String>) -> Response {
    let run = match id(&run) {
        Ok(run) => run,
        Err(refusal) => return refusal,
    };
    match stand.lift_run(run).await {
        Ok(faults) => json(StatusCode::OK, &value!({ "faults": faults })),
        Err(error) => cannot(&error),
    }
}

fn id(text: &str) -> Result<RunId, Response> {
    text.parse().map_err(|_| wrong(StatusCode::BAD_REQUEST, "a run is named by twelve characters of base 32"))
}

//! Answers: JSON, also where something is wrong.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::proxy::standing::StandError;
use crate::source::{Level, Paint, Remark, draw_remarks};

/// What is wrong with a request.
#[derive(Debug, Serialize)]
pub(super) struct Wrong {
    /// In a sentence.
    error: String,
    /// As the command line would draw it.
    #[serde(skip_serializing_if = "String::is_empty")]
    drawing: String,
    /// Each mistake by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<Said>,
}

/// One remark about a body.
#[derive(Debug, Serialize)]
pub(super) struct Said {
    level: &'static str,
    title: String,
    line: usize,
    column: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    help: Vec<String>,
}

impl Said {
    /// A warning about no place in particular.
    pub(super) fn warning(title: String) -> Self {
        Self { level: "warning", title, line: 1, column: 1, label: String::new(), notes: vec![], help: vec![] }
    }
}

impl From<&Remark> for Said {
    fn from(remark: &Remark) -> Self {
        let (span, label) = remark.said.mark.clone().unwrap_or_default();
        let place = remark.source.place(span);
        Self {
            level: if remark.said.level == Level::Warning { "warning" } else { "error" },
            title: remark.said.title.clone(),
            line: place.line,
            column: place.column,
            label,
            notes: remark.said.notes.clone(),
            help: remark.said.help.clone(),
        }
    }
}

/// An answer of any value.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => plain(status, "application/json", text + "\n"),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
    }
}

/// An answer of this type.
pub(super) fn plain(status: StatusCode, kind: &'static str, text: impl Into<Body>) -> Response {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// Something is wrong, in a sentence.
pub(super) fn wrong(status: StatusCode, error: impl Into<String>) -> Response {
    json(status, &Wrong { error: error.into(), drawing: String::new(), remarks: vec![] })
}

/// The mistakes of a body.
pub(super) fn mistakes(remarks: &[Remark]) -> Response {
    let first = remarks.iter().find(|remark| remark.is_error());
    let wrong = Wrong {
        error: first.map(|remark| remark.said.title.clone()).unwrap_or_default(),
        drawing: draw_remarks(remarks, Paint::Plain),
        remarks: remarks.iter().map(Said::from).collect(),
    };
    json(StatusCode::UNPROCESSABLE_ENTITY, &wrong)
}

/// Faults could not be put in force.
pub(super) fn cannot(error: &StandError) -> Response {
    let status = match error {
        StandError::Proxy(_) | StandError::Tls(_) | StandError::Taken { .. } => StatusCode::CONFLICT,
        StandError::TooMany => StatusCode::INSUFFICIENT_STORAGE,
        StandError::Down => StatusCode::SERVICE_UNAVAILABLE,
    };
    wrong(status, error.to_string())
}

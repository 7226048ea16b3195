//! What can be asked, one handler each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use serde::Serialize;
use serde_json::json as value;

use super::answer::{Said, cannot, json, mistakes, plain, wrong};
use super::guard::Guard;
use super::{metrics, runs};
use crate::proxy::standing::{Fired, Held, Origin, Stand, StandError};
use crate::scenario::schema::standing_fault;
use crate::scenario::standing::{Faults, from_text};
use crate::source::SourceText;

/// The largest body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// How long a request may take, its body with it.
const LIMIT: Duration = Duration::from_secs(15);
/// The description of all this, but for what a fault is.
const OPENAPI: &str = include_str!("openapi.json");

/// What handlers are given.
pub(super) type It = State<Arc<Stand>>;

/// A method, a path, and who answers.
type Route = (Method, &'static str, MethodRouter<Arc<Stand>>);

/// For whom a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// Those who may change and see everything.
    Masters,
    /// Everybody: whether it lives, and what it could be asked.
    Everybody,
}

/// Every route.
fn routes() -> [Route; 19] {
    [
        (Method::GET, "/v1/faults", get(list)),
        (Method::POST, "/v1/faults", post(add)),
        (Method::PUT, "/v1/faults", put(replace)),
        (Method::DELETE, "/v1/faults", delete(clear)),
        (Method::POST, "/v1/faults/renew", post(renew_all)),
        (Method::GET, "/v1/faults/{id}", get(show)),
        (Method::DELETE, "/v1/faults/{id}", delete(remove)),
        (Method::POST, "/v1/faults/{id}/renew", post(renew)),
        (Method::PUT, "/v1/runs/{run}", put(runs::put)),
        (Method::GET, "/v1/runs/{run}", get(runs::show)),
        (Method::DELETE, "/v1/runs/{run}", delete(runs::lift)),
        (Method::POST, "/v1/runs/{run}/renew", post(runs::renew)),
        (Method::GET, "/v1/connections", get(connections)),
        (Method::GET, "/v1/counters", get(counters)),
        (Method::GET, "/v1/firings", get(firings)),
        (Method::GET, "/metrics", get(prometheus)),
        (Method::GET, "/healthz", get(healthy)),
        (Method::GET, "/readyz", get(ready)),
        (Method::GET, "/openapi.json", get(openapi)),
    ]
}

fn is_for(path: &str) -> For {
    match path {
        "/healthz" | "/readyz" | "/openapi.json" => For::Everybody,
        _ => For::Masters,
    }
}

/// All of it behind the guard.
pub(super) fn service(stand: Arc<Stand>, guard: Guard) -> Router {
    let all = routes().into_iter().fold(Router::new(), |router, (_, path, answer)| router.route(path, answer));
    all.fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(guard, admit))
        .with_state(stand)
}

/// Turns away who may not come in, and ends what takes too long.
async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if is_for(request.uri().path()) == For::Masters
        && let Some((status, why)) = guard.refuses(request.headers())
    {
        return wrong(status, why);
    }
    let late = |_| wrong(StatusCode::REQUEST_TIMEOUT, format!("this took longer than {} s", LIMIT.as_secs()));
    tokio::time::timeout(LIMIT, next.run(request)).await.unwrap_or_else(late)
}

async fn nothing_here(request: Request) -> Response {
    let what = format!("there is no `{}`; see /openapi.json", request.uri().path());
    wrong(StatusCode::NOT_FOUND, what)
}

async fn not_so(request: Request) -> Response {
    let what = format!("`{}` cannot be asked with {}; see /openapi.json", request.uri().path(), request.method());
    wrong(StatusCode::METHOD_NOT_ALLOWED, what)
}

/// Faults, and what their writer should know.
#[derive(Serialize)]
struct Answer {
    faults: Vec<Held>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Said>,
}

fn answer(status: StatusCode, faults: Result<Vec<Held>, StandError>, warnings: Vec<Said>) -> Response {
    match faults {
        Ok(faults) => json(status, &Answer { faults, warnings }),
        Err(error) => cannot(&error),
    }
}

async fn list(State(stand): It) -> Response {
    answer(StatusCode::OK, Ok(stand.faults()), vec![])
}

async fn add(State(stand): It, body: Body) -> Response {
    let Faults { faults, warnings } = match read(&stand, body).await {
        Ok(read) => read,
        Err(refusal) => return refusal,
    };
    let mut said: Vec<Said> = warnings.iter().map(Said::from).collect();
    said.extend(faults.iter().filter_map(|it| stand.hidden(&it.fault)).map(Said::warning));
    answer(StatusCode::CREATED, stand.add(faults, Origin::Control).await, said)
}

async fn replace(State(stand): It, body: Body) -> Response {
    match read(&stand, body).await {
        Ok(Faults { faults, warnings }) => {
            let said = warnings.iter().map(Said::from).collect();
            answer(StatusCode::OK, stand.replace(faults, Origin::Control).await, said)
        }
        Err(refusal) => refusal,
    }
}

/// The faults in a body.
async fn read(stand: &Stand, body: Body) -> Result<Faults, Response> {
    let text = text(body).await?;
    from_text(&SourceText::new("body", text), &stand.hosts()).map_err(|remarks| mistakes(&remarks))
}

/// The text of a body.
pub(super) async fn text(body: Body) -> Result<String, Response> {
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|_| {
        let what = format!("the body has more than {} KiB, or did not arrive as a whole", MAX_BODY >> 10);
        wrong(StatusCode::PAYLOAD_TOO_LARGE, what)
    })?;
    String::from_utf8(bytes.into()).map_err(|_| wrong(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}

async fn clear(State(stand): It) -> Response {
    answer(StatusCode::OK, stand.remove(None).await, vec![])
}

async fn renew_all(State(stand): It) -> Response {
    answer(StatusCode::OK, stand.renew(None).await, vec![])
}

async fn show(State(stand): It, Path(id): Path<String>) -> Response {
    let held = known(&stand, &id);
    held.map_or_else(|refusal| refusal, |held| answer(StatusCode::OK, Ok(vec![held]), vec![]))
}

async fn remove(State(stand): It, Path(id): Path<String>) -> Response {
    match known(&stand, &id) {
        Ok(held) => answer(StatusCode::OK, stand.remove(Some(held.id)).await, vec![]),
        Err(refusal) => refusal,
    }
}

async fn renew(State(stand): It, Path(id): Path<String>) -> Response {
    match known(&stand, &id) {
        Ok(held) => answer(StatusCode::OK, stand.renew(Some(held.id)).await, vec![]),
        Err(refusal) => refusal,
    }
}

/// The fault of this number.
fn known(stand: &Stand, id: &str) -> Result<Held, Response> {
    let held = id.parse().ok().and_then(|id: usize| stand.faults().into_iter().find(|held| held.id == id));
    held.ok_or_else(|| {
        let what = format!("no fault `{id}` is in force: it was lifted, its lease ran out, or it never was");
        wrong(StatusCode::NOT_FOUND, what)
    })
}

async fn connections(State(stand): It) -> Response {
    let one = |(host, guest): (&str, crate::proxy::Guest)| {
        value!({
            "host": host,
            "number": guest.number,
            "client": guest.client,
            "age_seconds": guest.age.as_secs_f64(),
            "bytes_from_client": guest.from_client,
            "bytes_from_upstream": guest.from_upstream,
        })
    };
    let all: Vec<serde_json::Value> = stand.guests().map(one).collect();
    json(StatusCode::OK, &value!({ "connections": all }))
}

async fn counters(State(stand): It) -> Response {
    let of_host = |(host, traffic): (&str, crate::proxy::Traffic)| {
        let commands: BTreeMap<&str, u64> =
            traffic.commands.iter().map(|(stage, count)| (stage.word(), *count)).collect();
        let smuggling: BTreeMap<&str, u64> =
            traffic.smuggling.iter().map(|(what, count)| (what.word(), *count)).collect();
        value!({
            "host": host,
            "accepted": traffic.accepted,
            "open": traffic.open,
            "bytes_from_clients": traffic.from_clients,
            "bytes_from_upstream": traffic.from_upstream,
            "commands": commands,
            "smuggling": smuggling,
        })
    };
    let hosts: Vec<serde_json::Value> = stand.traffic().map(of_host).collect();
    let fired: Vec<serde_json::Value> = stand
        .fired()
        .into_iter()
        .map(|((host, stage, word), count)| value!({ "host": &*host, "at": stage, "do": word, "count": count }))
        .collect();
    json(StatusCode::OK, &value!({ "hosts": hosts, "firings": fired }))
}

/// Firings with a greater number than `?since=N`.
async fn firings(State(stand): It, RawQuery(query): RawQuery) -> Response {
    #[derive(Serialize)]
    struct Firings {
        firings: Vec<Fired>,
        /// What to ask for the next time.
        last: u64,
    }
    let since = match query.as_deref().filter(|query| !query.is_empty()) {
        None => Some(0),
        Some(query) => query.strip_prefix("since=").and_then(|number| number.parse().ok()),
    };
    let Some(since) = since else {
        return wrong(StatusCode::BAD_REQUEST, "the only key is `since`, the number of a firing, such as `?since=12`");
    };
    let firings = stand.firings(since);
    let last = firings.last().map_or(since, |fired| fired.number);
    json(StatusCode::OK, &Firings { firings, last })
}

async fn prometheus(State(stand): It) -> Response {
    match metrics::text(&stand) {
        Ok(text) => plain(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text),
        Err(error) => wrong(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn healthy() -> Response {
    json(StatusCode::OK, &value!({ "healthy": true }))
}

/// Whether it takes connections.
async fn ready(State(stand): It) -> Response {
    let listeners: Vec<serde_json::Value> =
        stand.addresses().into_iter().map(|(host, address)| value!({ "host": host, "address": address })).collect();
    let leaving = stand.is_leaving();
    let status = if leaving { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    json(status, &value!({ "ready": !leaving, "listeners": listeners }))
}

/// The description, with faults as scenarios define them.
async fn openapi() -> Response {
    let mut description: serde_json::Value = serde_json::from_str(OPENAPI).unwrap_or_default();
    if let Some(schemas) = description["components"]["schemas"].as_object_mut() {
        schemas.extend(standing_fault("#/components/schemas/"));
    }
    json(StatusCode::OK, &description)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_description_holds_every_route_and_no_other() {
        let described: serde_json::Value = serde_json::from_str(OPENAPI).expect("JSON");
        let paths = described["paths"].as_object().expect("paths");
        let of_path = |(path, methods): (&String, &serde_json::Value)| {
            let methods = methods.as_object().expect("methods").keys().filter(|key| *key != "parameters");
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        };
        let described: BTreeSet<(String, String)> = paths.iter().flat_map(of_path).collect();
        let served = routes().map(|(method, path, _)| (method.to_string(), path.to_owned()));
        assert_eq!(described, served.into_iter().collect());
    }
}

//! `mxdrill healthcheck`: asks a proxy whether it is ready, for containers without any other client.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::arguments::Healthcheck;
use super::{Exit, Screen, drill};
use crate::inventory::Endpoint;

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;

pub(super) fn healthcheck(screen: &Screen, wanted: &Healthcheck) -> Exit {
    let runtime = match drill::runtime(screen) {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let control = &wanted.control;
    let asked = runtime.block_on(async { tokio::time::timeout(wanted.timeout, ask(control)).await });
    let (what, exit) = match asked {
        Ok(Ok(answer)) if status(&answer) == Some(200) => return Exit::Clean,
        Ok(Ok(answer)) => (said(control, &answer), Exit::Failed),
        Ok(Err(error)) => (format!("the control API at {control} cannot be asked: {error}"), Exit::Inconclusive),
        Err(_) => {
            (format!("the control API at {control} does not answer within {:?}", wanted.timeout), Exit::Inconclusive)
        }
    };
    screen.error(&what, &[], None);
    exit
}

async fn ask(control: &Endpoint) -> io::Result<String> {
    let mut stream = TcpStream::connect((control.host.as_str(), control.port)).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {control}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = vec![];
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// `HTTP/1.1 200 OK`.
fn status(answer: &str) -> Option<u16> {
    let rest = answer.strip_prefix("HTTP/1.")?;
    rest.split(' ').nth(1)?.parse().ok()
}

fn said(control: &Endpoint, answer: &str) -> String {
    let line = answer.lines().next().unwrap_or_default();
    match status(answer) {
        Some(503) => format!("the proxy at {control} is going down"),
        Some(_) => format!("the control API at {control} says: {line}"),
        None => format!("what listens at {control} is no control API"),
    }
}

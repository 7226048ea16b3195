//! The fault proxy with nothing in force: `proxy LISTEN:PORT UPSTREAM:PORT [THREADS]`, until it is
//! killed.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

mod support;

use std::net::SocketAddr;

use mxdrill::proxy::{Front, Limits, Ours, Proxy, Settings};
use mxdrill::terms::Smuggling;
use mxdrill::world::{Callers, Dice};

fn main() {
    let arguments = support::arguments();
    let address = |at: usize| arguments.get(at).and_then(|text| text.parse::<SocketAddr>().ok());
    let (Some(listen), Some(upstream)) = (address(0), address(1)) else {
        println!("usage: proxy LISTEN:PORT UPSTREAM:PORT [THREADS]");
        return;
    };
    support::runtime(arguments.get(2)).block_on(serve(listen, upstream));
}

async fn serve(listen: SocketAddr, upstream: SocketAddr) {
    let settings = Settings {
        host: "sink.example".into(),
        fronts: vec![Front::plain(listen.ip(), listen, upstream.into())],
        ours: Ours::AnyProbe,
        callers: Callers::default(),
        dice: Dice::new(1),
        journal: support::journal(),
        phase_of: None,
        tls: None,
        limits: Limits::default(),
        smuggling: Smuggling::Pass,
    };
    let _proxy = Proxy::start(settings).await.unwrap();
    std::future::pending::<()>().await;
}

//! A lab's store as a sink that only counts: `sink ADDRESS:PORT [THREADS]`, until it is killed.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

mod support;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use mxdrill::lab::{Keep, Lab, Outbound, Setting, listen};
use mxdrill::record::RunId;
use mxdrill::scenario::{Defaults, LabHost, LabHostKind, LabTls, Timeouts};
use mxdrill::source::{Span, Spanned};
use mxdrill::tls::Authority;
use mxdrill::world::Dialer;

fn main() {
    let arguments = support::arguments();
    let Some(address) = arguments.first().and_then(|text| text.parse().ok()) else {
        println!("usage: sink ADDRESS:PORT [THREADS]");
        return;
    };
    support::runtime(arguments.get(1)).block_on(serve(address));
}

async fn serve(address: SocketAddr) {
    let setting = Setting {
        run: RunId::from_entropy(1),
        journal: support::journal(),
        dialer: Dialer::default(),
        authority: Arc::new(Authority::new().unwrap()),
        platforms: HashMap::new(),
        addresses: HashMap::new(),
        timeouts: Timeouts::of(Defaults::Lab),
        outbound: Outbound::default(),
        keep: Keep::Nothing,
    };
    let name = Spanned::new("sink.example".to_owned(), Span::default());
    let host = LabHost { name, kind: LabHostKind::Store, tls: LabTls::Absent, busy: None };
    let mut lab = Lab::new(setting);
    let listener = listen("sink.example", address).unwrap();
    lab.start(&host, vec![listener]).unwrap();
    std::future::pending::<()>().await;
}

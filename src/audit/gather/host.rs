//! One host: where its name leads.

use std::net::IpAddr;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::{Name, RecordType};

use super::super::facts::{AddressFacts, Answer, Data, HostFacts, Rr};
use super::{Names, trail};
use crate::audit::facts::record_name;

/// The addresses of a host with their reverse names, and its TLSA records.
pub async fn host(names: &dyn Names, name: &str) -> HostFacts {
    if name.is_empty() || name.parse::<IpAddr>().is_ok() {
        return HostFacts::unasked(name);
    }
    let (v4, v6) = futures_util::join!(trail(names, name, RecordType::A), trail(names, name, RecordType::AAAA));
    let records: Vec<Rr> = v4.end.records().iter().chain(v6.end.records()).cloned().collect();
    let addresses = join_all(records.into_iter().map(|record| address(names, record))).await;
    let base = if v4.aliases.is_empty() { name } else { v4.last_name() };
    let tlsa = names.ask(&format!("_25._tcp.{base}"), RecordType::TLSA).await;
    let aliases = if v4.aliases.is_empty() { v6.aliases.clone() } else { v4.aliases.clone() };
    HostFacts {
        name: name.to_owned(),
        aliases,
        v4: v4.end,
        v6: v6.end,
        addresses: addresses.into_iter().flatten().collect(),
        tlsa,
    }
}

async fn address(names: &dyn Names, record: Rr) -> Option<AddressFacts> {
    let Data::Address(address) = record.data else { return None };
    let reverse = names.ask(&record_name(&Name::from(address)), RecordType::PTR).await;
    let reverse = match reverse {
        // An alias is usual in reverse zones (RFC 2317); its target says whose the address is, too.
        Answer::Alias(alias) => match &alias.data {
            Data::Alias(target) => trail(names, target, RecordType::PTR).await.end,
            _ => Answer::NoData,
        },
        // Hardly anybody serves the reverse zone of loopback: no answer says nothing.
        Answer::Unable(_) if address.is_loopback() => Answer::Left("a loopback address".to_owned()),
        answer => answer,
    };
    Some(AddressFacts { address, record, reverse, visit: None })
}

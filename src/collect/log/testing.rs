//! What the tests of the formats share.

use super::told::{Delivery, Next, State, Told, What};
use super::wrapper::{Entry, Parts, Peeled};

/// A line without its wrapper.
pub(super) fn entry(line: &str) -> Entry<'_> {
    match Parts::default().peel(line) {
        Peeled::Entry(entry) => entry,
        Peeled::Part => panic!("a whole line: {line}"),
    }
}

/// The deliveries that a line tells of.
pub(super) fn deliveries(mut read: impl FnMut(&Entry<'_>) -> Vec<Told>, line: &str) -> Vec<Delivery> {
    let told = read(&entry(line)).into_iter();
    told.filter_map(|it| if let What::Tried(delivery) = it.what { Some(delivery) } else { None }).collect()
}

/// Each delivery in a line: queue-id, state, recipient, where, code, next queue-id.
pub(super) fn shown(mut read: impl FnMut(&Entry<'_>) -> Vec<Told>, line: &str) -> Vec<String> {
    let told = read(&entry(line)).into_iter();
    let tried = told.filter_map(|it| match it.what {
        What::Tried(delivery) => Some((it.queue_id.unwrap_or_default(), delivery)),
        _ => None,
    });
    tried.map(|(id, delivery)| show(&id, &delivery)).collect()
}

pub(super) fn show(id: &str, delivery: &Delivery) -> String {
    let state = match delivery.state {
        State::Sent => "sent",
        State::Deferred => "deferred",
        State::Bounced => "bounced",
        State::Expired => "expired",
        State::Discarded => "discarded",
    };
    let or_dash = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
    let place = match &delivery.next {
        Next::Nowhere => "nowhere".to_owned(),
        Next::Here => "here".to_owned(),
        Next::Unsaid => "somewhere".to_owned(),
        Next::Host { name, address, port } => format!(
            "at {} {} {}",
            or_dash(name.clone()),
            or_dash(address.map(|it| it.to_string())),
            or_dash(port.map(|it| it.to_string()))
        ),
    };
    let code = delivery.status.map(|it| format!(" {it}")).unwrap_or_default();
    let next = delivery.next_queue_id.as_ref().map(|it| format!(" next {it}")).unwrap_or_default();
    format!("{id} {state} {} {place}{code}{next}", delivery.recipient)
}

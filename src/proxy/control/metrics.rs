//! Metrics in the text format of Prometheus, gathered when they are asked for.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::proxy::standing::Stand;

/// All metrics of a stand.
pub(super) fn text(stand: &Arc<Stand>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("mxdrill_proxy");
    registry.register_collector(Box::new(Gathered(Arc::clone(stand))));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Gathered(Arc<Stand>);

type Labels = Vec<(&'static str, String)>;

impl Collector for Gathered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let traffic: Vec<_> =
            self.0.traffic().map(|(host, traffic)| (vec![("host", host.to_owned())], traffic)).collect();
        let of_hosts = |of: fn(&crate::proxy::Traffic) -> u64| {
            traffic.iter().map(|(labels, traffic)| (labels.clone(), of(traffic))).collect::<Vec<_>>()
        };
        let commands = traffic.iter().flat_map(|(host, traffic)| {
            traffic.commands.iter().map(|(stage, count)| (with(host, "stage", stage.word()), *count))
        });
        counters(&mut encoder, "connections", "Connections that were accepted", of_hosts(|it| it.accepted))?;
        counters(&mut encoder, "client_bytes", "Bytes that were read from clients", of_hosts(|it| it.from_clients))?;
        counters(
            &mut encoder,
            "upstream_bytes",
            "Bytes that were read from the host",
            of_hosts(|it| it.from_upstream),
        )?;
        counters(&mut encoder, "commands", "Commands that were read, by stage; eom counts messages", commands)?;
        let smuggling = traffic.iter().flat_map(|(host, traffic)| {
            traffic.smuggling.iter().map(|(what, count)| (with(host, "smuggling", what.word()), *count))
        });
        let help = "Messages, and connections with commands, in which CR or LF stood alone";
        counters(&mut encoder, "bare_line_ends", help, smuggling)?;
        let open = of_hosts(|it| it.open).into_iter().map(|(labels, open)| (labels, open as f64));
        gauges(&mut encoder, "open_connections", "Connections that are open", open)?;
        self.faults(&mut encoder)
    }
}

impl Gathered {
    fn faults(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let kinds = self.0.fired().into_iter().map(|((host, stage, word), count)| {
            (vec![("host", host.to_string()), ("stage", stage.to_string()), ("action", word.to_owned())], count)
        });
        counters(encoder, "firings", "Faults that took effect", kinds)?;
        let held = self.0.faults();
        let label = |it: &crate::proxy::standing::Held| {
            vec![("host", it.host.clone()), ("fault", it.id.to_string()), ("action", it.action.clone())]
        };
        let in_force = self.0.hosts().into_iter().map(|host| {
            let count = held.iter().filter(|it| it.host == host).count();
            (vec![("host", host)], count as f64)
        });
        gauges(encoder, "faults", "Faults in force", in_force)?;
        counters(
            encoder,
            "fault_firings",
            "How often a fault in force fired",
            held.iter().map(|it| (label(it), it.fired)),
        )?;
        let left = held.iter().filter_map(|it| it.left_seconds.map(|left| (label(it), left)));
        gauges(encoder, "fault_lease_seconds", "How long a fault stays unless it is renewed", left)
    }
}

fn with(labels: &Labels, key: &'static str, value: &str) -> Labels {
    labels.iter().cloned().chain([(key, value.to_owned())]).collect()
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let zero = ConstCounter::new(0u64);
    let mut family = encoder.encode_descriptor(name, help, None, zero.metric_type())?;
    for (labels, value) in values {
        ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Labels, f64)>,
) -> fmt::Result {
    let zero = ConstGauge::new(0f64);
    let mut family = encoder.encode_descriptor(name, help, None, zero.metric_type())?;
    for (labels, value) in values {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

//! A fault of a scenario as JSON, as it was written: for the control API of a proxy that stands by
//! itself, which reads it by the same decoder.

use serde_json::Value as Json;

use crate::source::yaml::{self, Node, Plainness, Value};
use crate::source::{SourceText, Span};

/// What stands at `span` of a scenario that was read before.
pub fn written(source: &SourceText, span: Span) -> Option<Json> {
    let whole = yaml::parse(source).ok()?;
    find(&whole, span).map(as_json)
}

/// The outermost structure that stands there.
fn find(node: &Node, span: Span) -> Option<&Node> {
    if node.span == span {
        return Some(node);
    }
    let within = |node: &&Node| node.span.start <= span.start && span.end <= node.span.end;
    match &node.value {
        Value::List(items) => items.iter().filter(within).find_map(|item| find(item, span)),
        Value::Map(entries) => entries.iter().map(|(_, node)| node).filter(within).find_map(|node| find(node, span)),
        Value::Scalar { .. } | Value::Null => None,
    }
}

/// Plain numbers stay numbers; everything else that is no structure is text.
fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => entries.iter().map(|(key, node)| (key.value.clone(), as_json(node))).collect(),
        Value::Scalar { text, plain: Plainness::Plain } => match (text.parse::<u64>(), text.parse::<f64>()) {
            (Ok(number), _) => Json::from(number),
            (_, Ok(number)) if number.is_finite() => Json::from(number),
            _ => Json::from(text.as_str()),
        },
        Value::Scalar { text, .. } => Json::from(text.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn what_was_written_is_read_again_as_the_same_fault() {
        for source in crate::scenario::bundled() {
            let Ok(loaded) = load(source.clone(), None) else { continue };
            for (_, fault) in loaded.scenario.faults() {
                let json = written(&source, fault.span).expect("it stands there").to_string();
                let again = crate::scenario::read_fault(&SourceText::new("json", json.clone())).expect("a fault");
                assert_eq!((again.to_string(), again.scope), (fault.to_string(), fault.scope), "{json}");
                assert_eq!(again.when.first.map(|it| it.value), fault.when.first.as_ref().map(|it| it.value));
            }
        }
    }

    #[test]
    fn a_fault_in_block_form_is_found_as_well() {
        let text = "phases:\n  - faults:\n      - host: mx.test\n        at: rcpt\n        when:\n          first: 2\n        do: { reply: 451 4.7.1 later }\n";
        let source = SourceText::new("t.yaml", text);
        let node = yaml::parse(&source).expect("YAML");
        let Value::Map(top) = &node.value else { panic!("a map") };
        let Value::List(phases) = &top[0].1.value else { panic!("a list") };
        let Value::Map(phase) = &phases[0].value else { panic!("a map") };
        let Value::List(faults) = &phase[0].1.value else { panic!("a list") };
        let json = written(&source, faults[0].span).expect("it stands there");
        assert_eq!(json["when"]["first"], 2);
        assert_eq!(json["do"]["reply"], "451 4.7.1 later");
    }
}

//! XML: elements and attributes by their path; property lists by their keys.

use roxmltree::{Document, Node, NodeType, ParsingOptions};

use crate::scan::setting::{Reading, Setting};
use crate::scan::text::Text;

/// The most nodes of one document.
const MAX_NODES: u32 = 5_000_000;

/// Reads XML. A text that is none, as in a signed profile, is searched for the XML inside.
pub(crate) fn read(text: &Text) -> Reading {
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let whole = text.as_str();
    let start = whole.find("<?xml").unwrap_or(0);
    let end = whole.rfind('>').map_or(whole.len(), |at| at + 1);
    let mut reading = Reading::default();
    let Some(inner) = whole.get(start..end) else { return reading };
    if let Ok(document) = Document::parse_with_options(inner, options) {
        for node in document.descendants() {
            visit(node, start, &mut reading);
        }
    }
    reading
}

fn visit(node: Node<'_, '_>, offset: usize, reading: &mut Reading) {
    let range = node.range();
    match node.node_type() {
        NodeType::Comment => reading.comments.push(range.start + offset..range.end + offset),
        NodeType::Element => {
            for attribute in node.attributes() {
                let key = format!("{}.@{}", path(node), attribute.name());
                let span = attribute.range_value();
                reading.settings.push(Setting::new(key, attribute.value(), span.start + offset..span.end + offset));
            }
        }
        NodeType::Text => {
            let value = node.text().unwrap_or("");
            let Some(element) = node.parent().filter(|_| !value.trim().is_empty()) else { return };
            let lead = value.len() - value.trim_start().len();
            let from = range.start + offset + lead;
            reading.settings.push(Setting::new(path(element), value.trim(), from..range.end + offset));
        }
        _ => {}
    }
}

/// The names of the elements down to this one; the type that an element or its first lines say, and the key
/// that stands before a value in a property list, are part of it.
fn path(node: Node<'_, '_>) -> String {
    let above: Vec<Node<'_, '_>> = node.ancestors().filter(Node::is_element).collect();
    let parts = above.iter().rev().map(|it| {
        let name = it.tag_name().name();
        let key = it.prev_sibling_element().filter(|before| before.tag_name().name() == "key");
        let child = it.children().find(|child| child.tag_name().name() == "Type").and_then(|child| child.text());
        match (key.and_then(|key| key.text()), it.attribute("type").or(child)) {
            (Some(key), _) => key.to_owned(),
            (None, Some(kind)) => format!("{name}[{kind}]"),
            (None, None) => name.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_property_lists() {
        let text = Text::new(
            "<?xml version='1.0'?><!DOCTYPE plist><c><!-- <h>x</h> --><n host='a'/><o type='smtp'><h> b </h></o>\
             <dict><key>K</key><string>v</string></dict></c>"
                .to_owned(),
        );
        let read = read(&text);
        let told: Vec<String> = read.settings.iter().map(|it| format!("{}={}", it.key, it.value)).collect();
        assert_eq!(told, ["c.n.@host=a", "c.o[smtp].@type=smtp", "c.o[smtp].h=b", "c.dict.key=K", "c.dict.K=v"]);
        assert_eq!(read.comments.len(), 1);
    }
}

//! Triggers of faults.

use crate::inventory::decode::network;
use crate::scenario::fault::{Count, Limit, When};
use crate::source::Diagnostic;
use crate::source::read::{Fields, Said, duration, fraction, number, scalar, spanned, text, word};
use crate::source::yaml::Node;

/// The highest count of a trigger.
const MOST: u64 = 1_000_000;

/// The `when` of a fault.
pub(super) fn when(node: &Node, said: &mut Said) -> Option<When> {
    let mut map = Fields::of(node, "a fault's `when`", said)?;
    let when = When {
        first: map.optional("first", spanned(number(1..=MOST))),
        nth: map.optional("nth", spanned(number(1..=MOST))),
        every: map.optional("every", spanned(number(1..=MOST))),
        chance: map.optional("chance", spanned(fraction)),
        after: map.optional("after", spanned(duration)),
        lasting: map.optional("for", spanned(duration)),
        recipient: map.optional("recipient", spanned(glob)),
        sender: map.optional("sender", spanned(glob)),
        client: map.optional("client", spanned(network)),
        probe: map.optional("probe", spanned(text)),
        limit: map.optional("limit", spanned(limit)),
        count: map.optional("count", word("a count of a fault", "counts", &COUNTS, spell)).unwrap_or_default(),
    };
    map.done();
    Some(when)
}

const COUNTS: [Count; 2] = [Count::Probe, Count::All];

fn spell(count: Count) -> &'static str {
    match count {
        Count::Probe => "probe",
        Count::All => "all",
    }
}

/// A pattern of addresses.
fn glob(node: &Node, said: &mut Said) -> Option<String> {
    let text = scalar(node, "a pattern of addresses", said)?;
    if !text.contains(char::is_whitespace) {
        return Some(text.to_owned());
    }
    let title = format!("`{text}` is not a pattern of addresses");
    let note = "in a pattern `*` stands for any characters and `?` for one, such as `*@drill.example`";
    said.refuse(Diagnostic::error(node.span, title).note(note))
}

fn limit(node: &Node, said: &mut Said) -> Option<Limit> {
    let mut map = Fields::of(node, "a limit", said)?;
    let connections = map.optional("connections", number::<u32>(0..=MOST));
    let messages = map.optional("messages", number::<u32>(0..=MOST));
    let per = map.optional("per", duration);
    let given = (map.has("connections"), map.has("messages"), map.has("per"));
    let span = map.span();
    map.done();
    match given {
        (true, false, false) => connections.map(Limit::Connections),
        (false, true, true) => Some(Limit::Messages(messages?, per?)),
        _ => {
            let error = Diagnostic::error(span, "a limit counts either connections, or messages in a time");
            let one = said.spelling().kind("limit", "connections", "5");
            let other = said.spelling().pair("limit", "{ messages: 10, per: 1m }");
            said.refuse(error.note(format!("write `{one}` or `{other}`")))
        }
    }
}

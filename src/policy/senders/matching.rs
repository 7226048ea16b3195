//! Which MX hosts a pattern covers for a project.

use super::super::name;

/// How a pattern is held against the name of an MX host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Rules {
    /// By the letter; `dot` says what becomes of a final dot of the MX host's name.
    Strict { dot: Dot },
    /// Names are compared as they are, `*.` stands for one label; a pattern that is none is
    /// compared all the same.
    Compared { pattern_dot: Dot, a_labels: ALabels },
    /// Postfix's `match=`: the stars are cut off, and `.domain` stands for every host below it. It
    /// is compared with the names in the certificate, not with that of the MX record.
    PostfixMatch,
    /// A regular expression that is searched anywhere in the name.
    Searched,
}

/// A final dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Dot {
    /// It is removed.
    Removed,
    /// It is a part of the name, so that nothing matches.
    Kept,
}

/// A wildcard and a host whose first label is an A-label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ALabels {
    /// It matches like any other.
    Matched,
    /// It does not: the length of one spelling is used on the other.
    Missed,
}

pub(super) fn covers(rules: Rules, pattern: &str, mx: &str) -> bool {
    match rules {
        Rules::Strict { dot: Dot::Kept } if mx.ends_with('.') => false,
        Rules::Strict { .. } => name::covers(pattern, mx),
        Rules::Compared { pattern_dot, a_labels } => compared(pattern, mx, pattern_dot, a_labels),
        Rules::PostfixMatch => postfix(pattern, mx),
        Rules::Searched => searched(&pattern.to_ascii_lowercase(), &mx.to_ascii_lowercase()),
    }
}

fn undotted(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn compared(pattern: &str, mx: &str, pattern_dot: Dot, a_labels: ALabels) -> bool {
    let pattern = if pattern_dot == Dot::Removed { undotted(pattern) } else { pattern };
    let mx = undotted(mx);
    if mx.eq_ignore_ascii_case(pattern) {
        return true;
    }
    let Some(rest) = pattern.strip_prefix("*.") else { return false };
    let missed = a_labels == ALabels::Missed && mx.len() > 4 && mx.is_char_boundary(4) && {
        mx[..4].eq_ignore_ascii_case("xn--")
    };
    !missed && mx.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest))
}

fn postfix(pattern: &str, mx: &str) -> bool {
    let mx = undotted(mx).to_ascii_lowercase();
    // Patterns become one word, with colons between them.
    pattern.trim_start_matches('*').to_ascii_lowercase().split(':').any(|part| match part.strip_prefix('.') {
        Some(_) => mx.len() > part.len() && mx.ends_with(part),
        None => !part.is_empty() && mx == part,
    })
}

/// `*` stands for anything, and the match may begin and end anywhere.
fn searched(pattern: &str, mx: &str) -> bool {
    let mut rest = mx;
    for part in pattern.split('*').filter(|it| !it.is_empty()) {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

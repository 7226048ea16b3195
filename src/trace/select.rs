//! Which messages are wanted.

/// What a message is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The mark of a probe: a word in its Message-ID, sender or recipient.
    Tag(String),
    /// Its Message-ID, without angle brackets.
    MessageId(String),
    /// One of its queue-ids, at any host.
    QueueId(String),
}

impl Selector {
    /// What a line must hold to be of interest by itself.
    pub fn needle(&self) -> &str {
        match self {
            Selector::Tag(text) | Selector::MessageId(text) | Selector::QueueId(text) => text,
        }
    }
}

/// Whether a text bears a tag as a word of its own: tags may be the start of other tags.
pub fn bears(text: &str, tag: &str) -> bool {
    let apart = |neighbour: Option<char>| neighbour.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
    text.match_indices(tag)
        .any(|(at, _)| apart(text[..at].chars().next_back()) && apart(text[at + tag.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_word() {
        assert!(bears("<r1-2@drill>", "r1-2"));
        assert!(bears("r1-2.a@x", "r1-2"));
        assert!(!bears("<r1-23@drill>", "r1-2"));
        assert!(!bears("<xr1-2@drill>", "r1-2"));
    }
}

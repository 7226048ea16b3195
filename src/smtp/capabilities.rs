//! What a server offers in its answer to EHLO (RFC 5321 4.1.1.1).

use crate::mail::Reply;

/// The server's answer to EHLO, or to HELO where it does not know EHLO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The reply, whatever its code.
    pub reply: Reply,
    /// What it offers; nothing behind HELO or a refusal.
    pub capabilities: Capabilities,
}

/// The keywords of an EHLO answer, unknown ones too, in the server's order and spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<(String, String)>);

impl Capabilities {
    /// The keywords of the answer: one a line from the second line on.
    pub fn of(reply: &Reply) -> Self {
        let lines = reply.lines.iter().skip(1);
        Self(lines.filter_map(|line| split(line)).collect())
    }

    /// Whether the keyword is offered, in either case.
    pub fn has(&self, keyword: &str) -> bool {
        self.parameters(keyword).is_some()
    }

    /// What stands behind a keyword; empty where nothing does.
    pub fn parameters(&self, keyword: &str) -> Option<&str> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword)).map(|(_, parameters)| parameters)
    }

    /// The greatest message in bytes (RFC 1870), where the server names one.
    pub fn size(&self) -> Option<u64> {
        self.parameters("SIZE")?.trim().parse().ok().filter(|size| *size > 0)
    }

    /// Every keyword and its parameters.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, parameters)| (name.as_str(), parameters.as_str()))
    }
}

fn split(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, parameters) = line.split_once([' ', '\t', '=']).unwrap_or((line, ""));
    (!name.is_empty()).then(|| (name.to_owned(), parameters.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_in_any_case_and_unknown_ones_are_kept() {
        let lines = ["mx1.new.example", "SIZE 10240000", "starttls", "AUTH=LOGIN PLAIN", "XCUSTOM a b", ""];
        let reply = Reply { code: 250, lines: lines.map(str::to_owned).to_vec() };
        let offered = Capabilities::of(&reply);
        assert!(offered.has("STARTTLS") && !offered.has("mx1.new.example") && !offered.has("DSN"));
        assert_eq!(offered.size(), Some(10_240_000));
        assert_eq!(offered.parameters("XCUSTOM"), Some("a b"));
        assert_eq!(offered.iter().count(), 4);
    }
}

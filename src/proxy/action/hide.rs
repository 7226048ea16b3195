//! An EHLO answer without one of its capabilities.

/// The reply without the lines of `keyword` (RFC 5321 4.1.1.1; letters in either case); none where
/// it has no such line.
pub(in crate::proxy) fn without_capability(reply: &[u8], keyword: &str) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = reply.split_inclusive(|byte| *byte == b'\n').collect();
    let mut kept: Vec<&[u8]> = vec![];
    for (index, line) in lines.iter().enumerate() {
        // The first line names the server.
        if index == 0 || !offers(line, keyword) {
            kept.push(line);
        }
    }
    if kept.len() == lines.len() {
        return None;
    }
    let last = kept.len() - 1;
    let mut less = kept[..last].concat();
    let mark = less.len() + 3;
    less.extend_from_slice(kept[last]);
    if let Some(hyphen) = less.get_mut(mark) {
        *hyphen = b' ';
    }
    Some(less)
}

fn offers(line: &[u8], keyword: &str) -> bool {
    let text = line.get(4..).unwrap_or_default();
    // `AUTH=LOGIN` is how servers told Outlook Express.
    let end = text.iter().position(|byte| matches!(byte, b' ' | b'=' | b'\r' | b'\n')).unwrap_or(text.len());
    text[..end].eq_ignore_ascii_case(keyword.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &[u8] = b"250-mx\r\n250-AUTH PLAIN\r\n250-AUTH=PLAIN\r\n250 STARTTLS\r\n";

    #[test]
    fn all_lines_of_a_capability_go() {
        let less = without_capability(REPLY, "auth");
        assert_eq!(less.as_deref(), Some(b"250-mx\r\n250 STARTTLS\r\n".as_slice()));
    }

    #[test]
    fn the_line_that_becomes_the_last_says_so() {
        let less = without_capability(REPLY, "STARTTLS");
        assert_eq!(less.as_deref(), Some(b"250-mx\r\n250-AUTH PLAIN\r\n250 AUTH=PLAIN\r\n".as_slice()));
        let less = without_capability(b"250-mx\r\n250 SIZE\r\n", "SIZE");
        assert_eq!(less.as_deref(), Some(b"250 mx\r\n".as_slice()));
    }

    #[test]
    fn what_is_not_offered_is_not_hidden() {
        assert_eq!(without_capability(REPLY, "SIZE"), None);
        assert_eq!(without_capability(b"250 SIZE\r\n", "SIZE"), None);
    }
}

//! Dot stuffing (RFC 5321 4.5.2).

use memchr::memchr_iter;

/// Appends `message` to `out` as it goes behind DATA: a dot added to each line that begins with
/// one, CRLF added where the last line has none, and the final `.<CRLF>`.
pub fn stuff(message: &[u8], out: &mut Vec<u8>) {
    out.reserve(message.len() + 16);
    let mut start = 0;
    if message.first() == Some(&b'.') {
        out.push(b'.');
    }
    for newline in memchr_iter(b'\n', message) {
        let line_end = newline > 0 && message[newline - 1] == b'\r';
        if line_end && message.get(newline + 1) == Some(&b'.') {
            out.extend_from_slice(&message[start..=newline]);
            out.push(b'.');
            start = newline + 1;
        }
    }
    out.extend_from_slice(&message[start..]);
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
}

/// The message in `body`, which ends with the final `.<CRLF>`; the reverse of [`stuff`].
pub fn unstuff(body: &[u8]) -> Vec<u8> {
    let body = body.strip_suffix(b".\r\n").unwrap_or(body);
    let mut message = Vec::with_capacity(body.len());
    let mut start = usize::from(body.first() == Some(&b'.'));
    for newline in memchr_iter(b'\n', body) {
        let line_end = newline > 0 && body[newline - 1] == b'\r';
        if line_end && body.get(newline + 1) == Some(&b'.') {
            message.extend_from_slice(&body[start..=newline]);
            start = newline + 2;
        }
    }
    message.extend_from_slice(&body[start..]);
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::BodyScanner;
    use super::*;

    fn stuffed(message: &[u8]) -> Vec<u8> {
        let mut out = vec![];
        stuff(message, &mut out);
        out
    }

    #[test]
    fn a_dot_on_the_first_line_is_stuffed_too() {
        assert_eq!(stuffed(b".a\r\n.b\r\n"), b"..a\r\n..b\r\n.\r\n");
        assert_eq!(stuffed(b""), b".\r\n");
        assert_eq!(stuffed(b"a"), b"a\r\n.\r\n");
    }

    proptest! {
        #[test]
        fn what_is_stuffed_ends_once_and_comes_back(text in "[a.\r\n]{0,24}") {
            let message = format!("{text}\r\n").into_bytes();
            let wire = stuffed(&message);
            prop_assert_eq!(BodyScanner::default().scan(&wire), Some(wire.len()));
            prop_assert_eq!(unstuff(&wire), message);
        }
    }
}

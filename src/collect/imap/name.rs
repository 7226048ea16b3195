//! Strings in commands: quotes, and names of mailboxes outside of ASCII.

/// Whether a string can stand in quotes (RFC 3501 4.3): seven bits, no line ends, no NUL.
pub(super) fn can_be_quoted(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

/// The string in quotes.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A mailbox name as the wire wants it: modified UTF-7 (RFC 3501 5.1.3).
pub(super) fn encode(name: &str) -> String {
    let mut wire = String::with_capacity(name.len());
    let mut wide: Vec<u16> = vec![];
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            shift(&mut wire, &mut wide);
            wire.push(c);
            if c == '&' {
                wire.push('-');
            }
        } else {
            wide.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    shift(&mut wire, &mut wide);
    wire
}

fn shift(wire: &mut String, wide: &mut Vec<u16>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    if wide.is_empty() {
        return;
    }
    wire.push('&');
    let bytes: Vec<u8> = wide.drain(..).flat_map(u16::to_be_bytes).collect();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            wire.push(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63] as char);
        }
    }
    wire.push('-');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("Gelöscht", "Gel&APY-scht"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ] {
            assert_eq!(encode(name), wire);
        }
        assert_eq!(quote(r#"a"b\c"#), r#""a\"b\\c""#);
        assert!(!can_be_quoted("pässword") && !can_be_quoted("a\r\nb") && can_be_quoted("a b"));
    }
}

//! Replies that are no SMTP.

use crate::scenario::fault::Corruption;

/// How long a line becomes, with its CRLF: RFC 5321 4.5.3.1.5 allows 512 bytes.
const LONG_LINE: usize = 2000;

/// The reply as `how` says.
pub(in crate::proxy) fn corrupted(reply: &[u8], how: Corruption) -> Vec<u8> {
    match how {
        Corruption::BareLf => reply.iter().copied().filter(|byte| *byte != b'\r').collect(),
        Corruption::NoCode => lines(reply).flat_map(|line| line.get(4..).unwrap_or(b"\r\n")).copied().collect(),
        Corruption::LongLine => long_line(reply),
        Corruption::MixedCodes => mixed_codes(reply),
    }
}

fn lines(reply: &[u8]) -> impl Iterator<Item = &[u8]> {
    reply.split_inclusive(|byte| *byte == b'\n')
}

fn long_line(reply: &[u8]) -> Vec<u8> {
    let first = lines(reply).next().unwrap_or_default();
    let text = first.strip_suffix(b"\r\n").unwrap_or(first);
    let mut long = text.to_vec();
    long.resize(LONG_LINE.max(text.len() + 2) - 2, b'x');
    long.extend_from_slice(b"\r\n");
    long.extend_from_slice(&reply[first.len()..]);
    long
}

/// A first line with a code of another class before the reply.
fn mixed_codes(reply: &[u8]) -> Vec<u8> {
    let other: &[u8] = if reply.starts_with(b"5") { b"250-" } else { b"550-" };
    [other, b"mixed codes\r\n", reply].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Reply;
    use crate::mail::reply::{Flaw, Parsed};

    fn flaw(how: Corruption) -> Flaw {
        match Reply::parse(&corrupted(b"250-a b\r\n250 c\r\n", how)) {
            Parsed::Garbage(flaw) => flaw,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_corrupt_reply_is_none() {
        assert!(matches!(flaw(Corruption::BareLf), Flaw::BareLf(_)));
        assert!(matches!(flaw(Corruption::NoCode), Flaw::NoCode(_)));
        assert_eq!(flaw(Corruption::MixedCodes), Flaw::MixedCodes(550, 250));
        let long = corrupted(b"250-a\r\n250 c\r\n", Corruption::LongLine);
        assert_eq!(lines(&long).map(<[u8]>::len).collect::<Vec<_>>(), [LONG_LINE, 7]);
    }
}

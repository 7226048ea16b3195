//! The ways in which a text can spell a host name or an address.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The shortest run of base64 that can hold a name.
const SHORTEST_BASE64: usize = 8;

/// The longest run of base64 that is decoded, in bytes.
const LONGEST_BASE64: usize = 8 << 20;

/// The host name that the bytes at `hit` are part of.
pub(crate) fn host_around(text: &str, hit: Range<usize>) -> Range<usize> {
    let left: usize = text[..hit.start].chars().rev().take_while(|c| in_host(*c)).map(char::len_utf8).sum();
    let right: usize = text[hit.end..].chars().take_while(|c| in_host(*c)).map(char::len_utf8).sum();
    hit.start - left..hit.end + right
}

fn in_host(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// What a run of letters may be as a name: itself, or without the end of an escape (`%40`, `\n`,
/// `\u0040`) that stands before it.
pub(crate) fn readings(text: &str, token: Range<usize>) -> Vec<Range<usize>> {
    let whole = &text[token.clone()];
    let escape = match text[..token.start].chars().next_back() {
        Some('%') => 2,
        Some('\\') if whole.starts_with('u') => 5,
        Some('\\') => 1,
        _ => 0,
    };
    let mut starts = vec![0];
    if escape > 0 && whole.is_char_boundary(escape) && escape < whole.len() {
        starts.push(escape);
    }
    let trimmed = starts.into_iter().map(|start| {
        let part = &whole[start..];
        let inner = part.trim_start_matches(['.', '-']);
        let from = token.start + start + (part.len() - inner.len());
        from..from + inner.trim_end_matches('.').len()
    });
    trimmed.collect()
}

/// Every address in a text, with or without port and brackets.
pub(crate) fn addresses(text: &str) -> impl Iterator<Item = (Range<usize>, IpAddr)> + '_ {
    runs(text).flat_map(|run| in_run(text, run))
}

/// Runs of the characters of which addresses are made that could hold one.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            while at < bytes.len() && !in_address(bytes[at]) {
                at += 1;
            }
            if at >= bytes.len() {
                return None;
            }
            let start = at;
            let (mut dots, mut colons) = (0, 0);
            while at < bytes.len() && in_address(bytes[at]) {
                dots += usize::from(bytes[at] == b'.');
                colons += usize::from(bytes[at] == b':');
                at += 1;
            }
            if dots >= 3 || colons >= 2 {
                return Some(start..at);
            }
        }
    })
}

fn in_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b':' || byte == b'.'
}

/// The addresses of one run. `host:port`, `host::port` and lists of IPv4 addresses are taken apart.
fn in_run(text: &str, run: Range<usize>) -> Vec<(Range<usize>, IpAddr)> {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    if text[run.end..].chars().next().is_some_and(part_of_word) {
        return vec![];
    }
    let glued = text[..run.start].chars().next_back().is_some_and(part_of_word);
    let start = run.start;
    let whole = text[run.clone()].trim_end_matches(['.', ':']);
    if !glued {
        let mut shorter = whole;
        loop {
            if let Ok(address) = shorter.parse::<IpAddr>() {
                return vec![(start..start + shorter.len(), address)];
            }
            // A port in front of which IPv6 would need brackets: only behind IPv4.
            match shorter.rsplit_once(':') {
                Some((before, _)) if before.contains('.') => shorter = before.trim_end_matches(':'),
                _ => break,
            }
        }
    }
    let mut found = vec![];
    let mut at = start;
    for (index, part) in whole.split(':').enumerate() {
        if let Ok(address) = part.trim_end_matches('.').parse::<Ipv4Addr>()
            && (index > 0 || !glued)
        {
            found.push((at..at + part.len(), IpAddr::V4(address)));
        }
        at += part.len() + 1;
    }
    found
}

/// The parts of a text that say something else once decoded: percent-encoding, `\uXXXX` and `&#NN;`
/// escapes by word, and runs of base64.
pub(crate) fn hidden(text: &str) -> Vec<(Range<usize>, String)> {
    let mut parts = vec![];
    for (start, word) in words(text) {
        let escaped = word.contains('%') || word.contains("\\u") || word.contains("&#");
        if escaped && let Some(decoded) = unescape(word) {
            parts.push((start..start + word.len(), decoded));
        }
        parts.extend(base64_runs(word).map(|(range, decoded)| (start + range.start..start + range.end, decoded)));
    }
    parts
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split([' ', '\t', '\n', '\r', '"', '\'']).scan(0, |at, word| {
        let start = *at;
        *at += word.len() + 1;
        Some((start, word))
    })
}

/// A word with its escapes resolved; `None` where it has none.
pub(crate) fn unescape(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    let mut changed = false;
    while let Some(c) = rest.chars().next() {
        let code = |prefix: &str, length: usize| {
            let digits = rest.strip_prefix(prefix)?.get(..length)?;
            Some((u32::from_str_radix(digits, 16).ok()?, prefix.len() + length))
        };
        if let Some((byte, length)) = code("%", 2) {
            bytes.push(byte as u8);
            rest = &rest[length..];
            changed = true;
        } else if let Some((point, length)) = code("\\u", 4).or_else(|| entity(rest))
            && let Some(decoded) = char::from_u32(point)
        {
            bytes.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[length..];
            changed = true;
        } else {
            bytes.extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
            rest = &rest[c.len_utf8()..];
        }
    }
    changed.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// A constant of a program with its `\\uXXXX` resolved.
pub(crate) fn unescape_points(constant: &str) -> String {
    let mut parts = constant.split("\\u");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let point = part.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match point {
            Some(c) => {
                out.push(c);
                out.push_str(&part[4..]);
            }
            None => {
                out.push_str("\\u");
                out.push_str(part);
            }
        }
    }
    out
}

/// `&#46;` or `&#x2e;` at the start of `rest`: the character and how long it is written.
fn entity(rest: &str) -> Option<(u32, usize)> {
    let body = rest.strip_prefix("&#")?;
    let end = body.find(';').filter(|end| *end <= 7)?;
    let point = match body[..end].strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => body[..end].parse().ok()?,
    };
    Some((point, 2 + end + 1))
}

fn base64_runs(word: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(rest) = word.get(at..).filter(|rest| !rest.is_empty()) {
            let run = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            let start = at;
            at += run + rest[run..].chars().next().map_or(0, char::len_utf8);
            if (SHORTEST_BASE64..=LONGEST_BASE64).contains(&run)
                && let Some(decoded) = decode_base64(&rest[..run])
            {
                return Some((start..start + run, decoded));
            }
        }
        None
    })
}

/// The text that `encoded` is the base64 of, in either alphabet, padded or not.
pub(crate) fn decode_base64(encoded: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let standard = encoded.replace('-', "+").replace('_', "/");
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(standard.trim()).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()))
}

//! The PROXY protocol, versions 1 and 2: for whom a connection is made, in front of its first byte.
//!
//! ```text
//!   PROXY TCP4 192.0.2.7 192.0.2.1 4711 25 CRLF                     version 1, a line of at most 107 bytes
//!   0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A  21 11 00 0C  addresses     version 2, and what it is followed by
//! ```
//!
//! Defined by HAProxy's `proxy-protocol.txt`. A header can never be told from other bytes by guessing:
//! who reads one must know that it is there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, with its CRLF.
pub const MAX_V1: usize = 107;
/// The most bytes behind the first 16 of version 2 that are read; addresses of IPv6 take 36, and what
/// follows them (TLVs) is skipped.
pub const MAX_V2: usize = 4096;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const START: &[u8; 6] = b"PROXY ";
/// The shortest header of all.
const SHORTEST: &[u8; 15] = b"PROXY UNKNOWN\r\n";
/// Version 2, command PROXY.
const V2_PROXY: u8 = 0x21;
/// Version 2, command LOCAL: the sender's own connection, such as a health check.
const V2_LOCAL: u8 = 0x20;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

/// For whom a connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// For a client that called `destination` from `source`.
    For {
        /// The client.
        source: SocketAddr,
        /// What it called.
        destination: SocketAddr,
    },
    /// For nobody else, or for somebody whose address is of no use here.
    Unknown,
}

/// What stands at the start of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A header, and how many bytes it took.
    Header(Header, usize),
    /// No whole header yet: at least this many bytes are still to come, from 1. Where no more than
    /// these are read, nothing behind the header is.
    Incomplete(usize),
    /// No header.
    No(Flaw),
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// They begin otherwise.
    #[error("it does not begin with a PROXY header")]
    NoHeader,
    /// A line of version 1 that says nothing, or no end within 107 bytes.
    #[error("its PROXY header of version 1 cannot be read")]
    Line,
    /// Another version or command.
    #[error("its PROXY header has a version or command that is not known")]
    Version,
    /// More than is read, or less than the addresses take.
    #[error("its PROXY header has an impossible length")]
    Length,
}

/// Reads the header at the start of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed {
    if bytes.is_empty() {
        // Which version it is, is not known, and neither is shorter.
        return Parsed::Incomplete(SHORTEST.len());
    }
    let starts = |with: &[u8]| with.starts_with(&bytes[..bytes.len().min(with.len())]);
    if starts(SIGNATURE) {
        version_2(bytes)
    } else if starts(START) {
        version_1(bytes)
    } else {
        Parsed::No(Flaw::NoHeader)
    }
}

fn version_1(bytes: &[u8]) -> Parsed {
    let window = &bytes[..bytes.len().min(MAX_V1)];
    let Some(newline) = window.iter().position(|byte| *byte == b'\n') else {
        return match bytes.len() {
            seen if seen >= MAX_V1 => Parsed::No(Flaw::Line),
            seen => Parsed::Incomplete(SHORTEST.len().saturating_sub(seen).max(1)),
        };
    };
    let line = window[..newline].strip_suffix(b"\r").and_then(|line| std::str::from_utf8(line).ok());
    match line.and_then(said) {
        Some(header) => Parsed::Header(header, newline + 1),
        None => Parsed::No(Flaw::Line),
    }
}

fn said(line: &str) -> Option<Header> {
    let mut words = line.split(' ');
    let (_, family) = (words.next()?, words.next()?);
    if family == "UNKNOWN" {
        return Some(Header::Unknown);
    }
    let (source, destination) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (from, to) = (port(words.next()?)?, port(words.next()?)?);
    let fits = match family {
        "TCP4" => IpAddr::is_ipv4,
        "TCP6" => IpAddr::is_ipv6,
        _ => return None,
    };
    let whole = words.next().is_none() && fits(&source) && fits(&destination);
    let (source, destination) = (SocketAddr::new(source, from), SocketAddr::new(destination, to));
    whole.then_some(Header::For { source, destination })
}

/// Digits only: `+25` is none.
fn port(word: &str) -> Option<u16> {
    word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

fn version_2(bytes: &[u8]) -> Parsed {
    let Some((head, rest)) = bytes.split_at_checked(16) else { return Parsed::Incomplete(16 - bytes.len()) };
    let (command, family) = (head[12], head[13]);
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if length > MAX_V2 {
        return Parsed::No(Flaw::Length);
    }
    if !matches!(command, V2_PROXY | V2_LOCAL) {
        return Parsed::No(Flaw::Version);
    }
    let Some(body) = rest.get(..length) else { return Parsed::Incomplete(length - rest.len()) };
    let header = match (command, family) {
        (V2_PROXY, TCP4) => v4(body),
        (V2_PROXY, TCP6) => v6(body),
        _ => Some(Header::Unknown),
    };
    header.map_or(Parsed::No(Flaw::Length), |header| Parsed::Header(header, 16 + length))
}

fn v4(body: &[u8]) -> Option<Header> {
    let address = |at: usize| -> Option<IpAddr> {
        let bytes: [u8; 4] = body.get(at..at + 4)?.try_into().ok()?;
        Some(Ipv4Addr::from(bytes).into())
    };
    Some(Header::For {
        source: SocketAddr::new(address(0)?, port_at(body, 8)?),
        destination: SocketAddr::new(address(4)?, port_at(body, 10)?),
    })
}

fn v6(body: &[u8]) -> Option<Header> {
    let address = |at: usize| -> Option<IpAddr> {
        let bytes: [u8; 16] = body.get(at..at + 16)?.try_into().ok()?;
        Some(Ipv6Addr::from(bytes).into())
    };
    Some(Header::For {
        source: SocketAddr::new(address(0)?, port_at(body, 32)?),
        destination: SocketAddr::new(address(16)?, port_at(body, 34)?),
    })
}

fn port_at(body: &[u8], at: usize) -> Option<u16> {
    let bytes: [u8; 2] = body.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_be_bytes(bytes))
}

/// A header of version 1. Addresses of two families cannot stand in one: both are then written as
/// those of IPv6.
pub fn to_v1(source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let (source, destination) = of_one_family(source, destination);
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.port(), destination.port());
    format!("PROXY {family} {} {} {from} {to}\r\n", source.ip(), destination.ip()).into_bytes()
}

/// A header of version 2, in which addresses stand as in version 1.
pub fn to_v2(source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let (source, destination) = of_one_family(source, destination);
    let mut addresses = vec![];
    for address in [source, destination] {
        match address.ip() {
            IpAddr::V4(v4) => addresses.extend(v4.octets()),
            IpAddr::V6(v6) => addresses.extend(v6.octets()),
        }
    }
    addresses.extend(source.port().to_be_bytes());
    addresses.extend(destination.port().to_be_bytes());
    let mut header = SIGNATURE.to_vec();
    header.extend([V2_PROXY, if source.is_ipv4() { TCP4 } else { TCP6 }, 0]);
    // 12 or 36.
    header.push(addresses.len() as u8);
    header.extend(addresses);
    header
}

fn of_one_family(source: SocketAddr, destination: SocketAddr) -> (SocketAddr, SocketAddr) {
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let (source, destination) = (plain(source), plain(destination));
    if source.is_ipv4() == destination.is_ipv4() {
        return (source, destination);
    }
    let mapped = |address: SocketAddr| match address.ip() {
        IpAddr::V4(v4) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    };
    (mapped(source), mapped(destination))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_line_says_for_whom_it_is() {
        let line = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\nEHLO x\r\n";
        let header = Header::For { source: at("192.0.2.7:4711"), destination: at("192.0.2.1:25") };
        assert_eq!(parse(line), Parsed::Header(header, 40));
        assert_eq!(parse(b"PROXY UNKNOWN\r\n"), Parsed::Header(Header::Unknown, 15));
        assert_eq!(parse(b"PROXY UNKNOWN ffff:: and more\r\n"), Parsed::Header(Header::Unknown, 31));
    }

    #[test]
    fn what_is_no_header_is_none() {
        for (bytes, flaw) in [
            (&b"EHLO x\r\n"[..], Flaw::NoHeader),
            (b"PROXX", Flaw::NoHeader),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\n", Flaw::Line),
            (b"PROXY TCP4 192.0.2.7 2001:db8::1 4711 25\r\n", Flaw::Line),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 +4711 25\r\n", Flaw::Line),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25 x\r\n", Flaw::Line),
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 65536\r\n", Flaw::Line),
            (b"PROXY UDP4 192.0.2.7 192.0.2.1 4711 25\r\n", Flaw::Line),
            (b"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\x0c", Flaw::Version),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", Flaw::Length),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x01x", Flaw::Length),
        ] {
            assert_eq!(parse(bytes), Parsed::No(flaw), "{:?}", String::from_utf8_lossy(bytes));
        }
        let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat();
        assert_eq!(parse(&endless), Parsed::No(Flaw::Line));
        assert_eq!(parse(&endless[..106]), Parsed::Incomplete(1));
    }

    #[test]
    fn a_health_check_is_for_nobody_and_what_is_not_known_is_skipped() {
        let local = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\x00";
        assert_eq!(parse(local), Parsed::Header(Header::Unknown, 16));
        let mut with_more = to_v2(at("[2001:db8::7]:4711"), at("[2001:db8::1]:25"));
        with_more[15] += 4;
        with_more.extend(*b"\x04\0\x01x");
        let header = Header::For { source: at("[2001:db8::7]:4711"), destination: at("[2001:db8::1]:25") };
        assert_eq!(parse(&with_more), Parsed::Header(header, 56));
    }

    #[test]
    fn addresses_of_two_families_are_written_as_one() {
        let line = to_v1(at("192.0.2.7:4711"), at("[2001:db8::1]:25"));
        assert_eq!(line, b"PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 4711 25\r\n");
        assert_eq!(to_v1(at("[::ffff:192.0.2.7]:1"), at("192.0.2.1:25")), b"PROXY TCP4 192.0.2.7 192.0.2.1 1 25\r\n");
    }

    /// Reads as a socket would be read: never more than is asked for.
    fn read_by_need(wire: &[u8]) -> Parsed {
        let mut have = 0;
        loop {
            match parse(&wire[..have]) {
                Parsed::Incomplete(more) if have + more <= wire.len() => have += more,
                other => return other,
            }
        }
    }

    #[test]
    fn no_more_is_asked_for_than_the_shortest_has() {
        assert_eq!(read_by_need(SHORTEST), Parsed::Header(Header::Unknown, 15));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_nothing_behind_it(
            source: SocketAddr,
            destination: SocketAddr,
            behind in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            for header in [to_v1(source, destination), to_v2(source, destination)] {
                let wire = [header.as_slice(), &behind].concat();
                let Parsed::Header(Header::For { source: from, destination: to }, taken) = read_by_need(&wire) else {
                    return Err(TestCaseError::fail("no header"));
                };
                prop_assert_eq!(taken, header.len());
                prop_assert_eq!((from.ip().to_canonical(), from.port()), (source.ip().to_canonical(), source.port()));
                prop_assert_eq!((to.ip().to_canonical(), to.port()), (destination.ip().to_canonical(), destination.port()));
            }
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200), start in 0usize..3) {
            let start: &[u8] = [&b""[..], START, SIGNATURE][start];
            let wire = [start, &bytes].concat();
            if let Parsed::Header(_, taken) = parse(&wire) {
                prop_assert!(taken <= wire.len());
            }
            if let Parsed::Incomplete(more) = parse(&wire) {
                prop_assert!((1..=MAX_V2 + 16).contains(&more));
            }
        }
    }
}

//! Who may use the control API.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::ControlError;

/// The shortest token that is taken.
const SHORTEST_TOKEN: usize = 16;

/// Tells those who may come in from others.
#[derive(Clone, Debug)]
pub(super) struct Guard(Door);

#[derive(Clone, Debug)]
enum Door {
    /// Only this machine reaches it.
    Loopback,
    /// The digest of the token that everybody needs.
    Token([u8; 32]),
}

impl Guard {
    /// For an API at `address`.
    pub(super) fn new(address: SocketAddr, token: Option<&SecretString>) -> Result<Self, ControlError> {
        match token.map(|token| token.expose_secret()) {
            Some(token) if token.chars().count() < SHORTEST_TOKEN => Err(ControlError::ShortToken(SHORTEST_TOKEN)),
            Some(token) => Ok(Self(Door::Token(digest(token.as_bytes())))),
            None if address.ip().to_canonical().is_loopback() => Ok(Self(Door::Loopback)),
            None => Err(ControlError::Open(address)),
        }
    }

    /// Why a request with these headers is turned away, if it is.
    pub(super) fn refuses(&self, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        match &self.0 {
            Door::Token(wanted) => {
                let given = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
                let fits = given.is_some_and(|token| same(&digest(token), wanted));
                (!fits).then_some((StatusCode::UNAUTHORIZED, "this needs `Authorization: Bearer TOKEN`"))
            }
            Door::Loopback => from_a_page(headers).then_some((
                StatusCode::FORBIDDEN,
                "this was sent by a web page, or to a name that is not this machine's; give the proxy a token",
            )),
        }
    }
}

/// Whether a browser of this machine was made to send it: pages of others reach loopback, too, by
/// a plain form or by a name of theirs that they let lead here.
fn from_a_page(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host });
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    headers.contains_key(ORIGIN) || (address.is_err() && !name.eq_ignore_ascii_case("localhost"))
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Compares all bytes, so that the time that it takes tells nothing.
fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    std::hint::black_box(one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    fn guard(address: &str, token: Option<&str>) -> Result<Guard, ControlError> {
        Guard::new(address.parse().expect("an address"), token.map(SecretString::from).as_ref())
    }

    #[test]
    fn other_machines_need_a_token_that_cannot_be_guessed() {
        assert!(matches!(guard("0.0.0.0:8025", None), Err(ControlError::Open(_))));
        assert!(matches!(guard("[::]:8025", None), Err(ControlError::Open(_))));
        assert!(matches!(guard("127.0.0.1:8025", Some("short")), Err(ControlError::ShortToken(_))));
        assert!(guard("127.0.0.1:8025", None).is_ok() && guard("[::1]:8025", None).is_ok());
    }

    #[test]
    fn only_the_token_opens() {
        let guard = guard("0.0.0.0:8025", Some("0123456789abcdef")).expect("a guard");
        for right in ["Bearer 0123456789abcdef", "bearer  0123456789abcdef "] {
            assert!(guard.refuses(&headers(&[("authorization", right)])).is_none(), "{right}");
        }
        for wrong in ["Bearer 0123456789abcdeg", "Bearer 0123456789abcdef0", "Basic 0123456789abcdef", "Bearer", ""] {
            assert!(guard.refuses(&headers(&[("authorization", wrong)])).is_some(), "{wrong}");
        }
        assert!(guard.refuses(&HeaderMap::new()).is_some());
    }

    #[test]
    fn web_pages_are_turned_away_on_loopback() {
        let guard = guard("127.0.0.1:8025", None).expect("a guard");
        for host in ["127.0.0.1:8025", "localhost:8025", "[::1]:8025", "localhost", "[::1]"] {
            assert!(guard.refuses(&headers(&[("host", host)])).is_none(), "{host}");
        }
        assert!(guard.refuses(&headers(&[("host", "rebound.example:8025")])).is_some());
        assert!(guard.refuses(&headers(&[("host", "localhost"), ("origin", "https://evil.example")])).is_some());
    }
}

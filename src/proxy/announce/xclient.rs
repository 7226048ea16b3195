//! XCLIENT, as Postfix's XCLIENT_README has it: attributes only as the host offers them, and behind
//! it the session begins anew with another 220.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::mail::Reply;
use crate::mail::reply::Parsed;

/// Says who the client is before it says anything itself. Gives the host's greeting for it.
pub(super) async fn introduce<S: AsyncRead + AsyncWrite + Unpin>(
    host: &mut S,
    client: SocketAddr,
    called: SocketAddr,
) -> io::Result<Vec<u8>> {
    let (greeting, wire) = reply(host).await?;
    if !greeting.is_positive() {
        // It takes nobody now: so it is for the client.
        return Ok(wire);
    }
    let offered = ask(host, &format!("EHLO {}\r\n", literal(called.ip()))).await?.0;
    let attributes = attributes(&offered, client, called)?;
    let (answer, wire) = ask(host, &format!("XCLIENT {attributes}\r\n")).await?;
    if answer.code != 220 {
        return Err(refused(format!("the host answers XCLIENT with `{answer}`")));
    }
    Ok(wire)
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(host: &mut S, line: &str) -> io::Result<(Reply, Vec<u8>)> {
    host.write_all(line.as_bytes()).await?;
    host.flush().await?;
    reply(host).await
}

/// One reply, and its bytes. Nobody says more than was asked for here.
async fn reply<S: AsyncRead + Unpin>(host: &mut S) -> io::Result<(Reply, Vec<u8>)> {
    let mut bytes = vec![];
    loop {
        match Reply::parse(&bytes) {
            Parsed::Reply(reply, taken) if taken == bytes.len() => return Ok((reply, bytes)),
            Parsed::Reply(..) => return Err(refused("the host said more than it was asked".to_owned())),
            Parsed::Garbage(flaw) => return Err(io::Error::new(io::ErrorKind::InvalidData, flaw)),
            Parsed::Incomplete => {
                bytes.reserve(512);
                if host.read_buf(&mut bytes).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
}

/// What can be said of the client with what the host offers.
fn attributes(offered: &Reply, client: SocketAddr, called: SocketAddr) -> io::Result<String> {
    let line = offered.lines.iter().skip(1).find_map(|line| {
        let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
        keyword.eq_ignore_ascii_case("XCLIENT").then(|| rest.to_ascii_uppercase())
    });
    let Some(line) = line.filter(|_| offered.is_positive()) else {
        return Err(refused("the host does not offer XCLIENT to this machine".to_owned()));
    };
    let known: Vec<&str> = line.split_ascii_whitespace().collect();
    if !known.contains(&"ADDR") {
        return Err(refused("the host's XCLIENT takes no ADDR".to_owned()));
    }
    let all = [
        // Nobody has looked it up; without it the host would go on to take the client for the proxy.
        ("NAME", "[UNAVAILABLE]".to_owned()),
        ("ADDR", address(client.ip())),
        ("PORT", client.port().to_string()),
        ("DESTADDR", address(called.ip())),
        ("DESTPORT", called.port().to_string()),
    ];
    let said = all.iter().filter(|(name, _)| known.contains(name));
    Ok(said.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
}

fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

fn address(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("IPV6:{v6}"),
    }
}

/// An address in the place of a name (RFC 5321 4.1.3).
fn literal(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => format!("[{v4}]"),
        IpAddr::V6(v6) => format!("[IPv6:{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// A host that says these things, one for each thing that it hears; gives what it heard.
    async fn heard(says: &[&str]) -> (io::Result<Vec<u8>>, Vec<String>) {
        let (mut near, mut far) = duplex(4096);
        let (client, called) = ("[2001:db8::7]:4711".parse().expect("one"), "192.0.2.1:25".parse().expect("one"));
        let said = introduce(&mut near, client, called);
        let host = async {
            let mut heard = vec![];
            for (index, say) in says.iter().enumerate() {
                if index > 0 {
                    let mut bytes = [0; 500];
                    let count = far.read(&mut bytes).await.expect("a line");
                    heard.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
                }
                far.write_all(say.as_bytes()).await.expect("written");
            }
            heard
        };
        tokio::join!(said, host)
    }

    #[tokio::test]
    async fn only_what_is_offered_is_said() {
        let ehlo = "250-mx\r\n250-xclient NAME ADDR PROTO HELO PORT\r\n250 SIZE\r\n";
        let (greeting, lines) = heard(&["220 one\r\n", ehlo, "220 two\r\n"]).await;
        assert_eq!(greeting.expect("a greeting"), b"220 two\r\n");
        assert_eq!(lines, ["EHLO [192.0.2.1]\r\n", "XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7 PORT=4711\r\n"]);
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_told_is_left() {
        let (answer, _) = heard(&["220 one\r\n", "250-mx\r\n250 SIZE\r\n"]).await;
        assert!(answer.expect_err("refused").to_string().contains("does not offer XCLIENT"));
        let (answer, _) = heard(&["220 one\r\n", "250-mx\r\n250 XCLIENT ADDR\r\n", "550 5.7.0 no\r\n"]).await;
        assert!(answer.expect_err("refused").to_string().contains("550 5.7.0 no"));
        let (answer, lines) = heard(&["554 no\r\n"]).await;
        assert_eq!((answer.expect("a greeting").as_slice(), lines.len()), (&b"554 no\r\n"[..], 0));
    }
}

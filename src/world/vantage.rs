//! Ways to a host that do not begin at this machine: a SOCKS5 server (RFC 1928), or a program.
//!
//! ```text
//!   Dialer::connect ── Direct ────────────────────────────────> host
//!                   ── Socks5 ──> server ─────────────────────> host
//!                   ── Command ─> loopback ─> stdin, stdout ──> host      (ssh -W)
//! ```

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// Asks the SOCKS5 server at the other end for a connection to `target`.
///
/// # Errors
/// What it answered, as the kind of error that a direct connection would have had; or that it is no such server.
pub(super) async fn ask(stream: &mut TcpStream, target: SocketAddr) -> Result<()> {
    // Version 5, one method: no login.
    stream.write_all(&[5, 1, 0]).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match chosen {
        [5, 0] => {}
        [5, _] => return Err(Error::new(ErrorKind::PermissionDenied, "the SOCKS5 server asks for a login")),
        _ => return Err(Error::new(ErrorKind::InvalidData, "what answers there is no SOCKS5 server")),
    }
    stream.write_all(&request(target)).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    refusal(head[1]).map_or(Ok(()), Err)?;
    let rest = match head[3] {
        1 => 4 + 2,
        4 => 16 + 2,
        3 => usize::from(stream.read_u8().await?) + 2,
        _ => return Err(Error::new(ErrorKind::InvalidData, "the SOCKS5 server names an address of no known kind")),
    };
    let mut bound = vec![0; rest];
    stream.read_exact(&mut bound).await.map(|_| ())
}

/// CONNECT (RFC 1928 4).
fn request(target: SocketAddr) -> Vec<u8> {
    let mut request = vec![5, 1, 0];
    match target.ip() {
        IpAddr::V4(address) => {
            request.push(1);
            request.extend(address.octets());
        }
        IpAddr::V6(address) => {
            request.push(4);
            request.extend(address.octets());
        }
    }
    request.extend(target.port().to_be_bytes());
    request
}

/// RFC 1928 6.
fn refusal(code: u8) -> Option<Error> {
    let (kind, what) = match code {
        0 => return None,
        2 => (ErrorKind::PermissionDenied, "the SOCKS5 server's rules forbid it"),
        3 => (ErrorKind::NetworkUnreachable, "the SOCKS5 server cannot reach the network"),
        4 => (ErrorKind::HostUnreachable, "the SOCKS5 server cannot reach the host"),
        5 => (ErrorKind::ConnectionRefused, "refused, as the SOCKS5 server says"),
        6 => (ErrorKind::TimedOut, "no answer to SYN, as the SOCKS5 server says"),
        _ => (ErrorKind::Other, "the SOCKS5 server could not connect"),
    };
    Some(Error::new(kind, what))
}

/// Starts the program, and gives a connection whose bytes are its stdin and stdout. The program ends with the
/// connection, and the connection with the program.
///
/// # Errors
/// Where it cannot be started.
pub(super) async fn run(words: &[String], target: SocketAddr) -> Result<TcpStream> {
    let (address, port) = (target.ip().to_string(), target.port().to_string());
    let filled = |word: &String| word.replace("{address}", &address).replace("{port}", &port);
    let program = words.first().map(filled).unwrap_or_default();
    let child = Command::new(&program)
        .args(words.iter().skip(1).map(filled))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let child = child.map_err(|error| Error::new(error.kind(), format!("`{program}` cannot be started: {error}")))?;
    // Whoever dials wants a socket; nobody else gets in between, for the other end's port is compared.
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let near = TcpStream::connect(door.local_addr()?).await?;
    let far = loop {
        let (far, peer) = door.accept().await?;
        if peer == near.local_addr()? {
            break far;
        }
    };
    tokio::spawn(carry(far, child));
    Ok(near)
}

/// Carries bytes until one of the two ends.
async fn carry(stream: TcpStream, mut child: Child) {
    let (Some(mut stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else { return };
    let (mut read, mut write) = stream.into_split();
    let out = async {
        let copied = tokio::io::copy(&mut read, &mut stdin).await;
        drop(stdin);
        copied
    };
    let back = async {
        let copied = tokio::io::copy(&mut stdout, &mut write).await;
        let _ = write.shutdown().await;
        copied
    };
    // The host's last words may come after ours: its end decides. Dropping the child ends the program.
    tokio::pin!(out);
    tokio::pin!(back);
    tokio::select! {
        _ = &mut back => {}
        _ = &mut out => drop(tokio::time::timeout(LAST_WORDS, back).await),
    }
}

/// How long the host's last words are waited for once we have said ours.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::inventory::{Endpoint, Vantage, VantageWay};
    use crate::world::{Dialer, Listening};

    const LIMIT: Duration = Duration::from_secs(10);

    /// A host that says who calls, and repeats one line.
    async fn host() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, peer)) = listener.accept().await {
                let _ = stream.write_all(format!("{}\n", peer.ip()).as_bytes()).await;
                let mut heard = [0; 5];
                let _ = stream.read_exact(&mut heard).await;
                let _ = stream.write_all(&heard).await;
            }
        });
        address
    }

    /// A SOCKS5 server that connects, or answers with `code`; how it was asked is handed back.
    async fn socks(code: u8) -> (SocketAddr, tokio::task::JoinHandle<SocketAddr>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut hello = [0; 3];
            stream.read_exact(&mut hello).await.expect("a hello");
            assert_eq!(hello, [5, 1, 0]);
            stream.write_all(&[5, 0]).await.expect("written");
            let mut request = [0; 10];
            stream.read_exact(&mut request).await.expect("a request");
            assert_eq!(request[..4], [5, 1, 0, 1]);
            let ip = Ipv4Addr::new(request[4], request[5], request[6], request[7]);
            let target = SocketAddr::from((ip, u16::from_be_bytes([request[8], request[9]])));
            stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await.expect("written");
            if code == 0 {
                let mut onward = TcpStream::connect(target).await.expect("the host");
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
            }
            target
        });
        (address, asked)
    }

    fn through(way: VantageWay, source: Option<&str>) -> Dialer {
        let source = source.map(|it| it.parse().expect("an address"));
        Dialer::default().through(Vantage { source, way })
    }

    fn at(address: SocketAddr) -> VantageWay {
        VantageWay::Socks5(Endpoint { host: address.ip().to_string(), port: address.port() })
    }

    async fn talk(dialer: &Dialer, host: SocketAddr) -> Result<String> {
        let mut stream = dialer.connect(&Listening::plain(host), None, LIMIT).await?;
        stream.write_all(b"hello").await?;
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await?;
        Ok(heard)
    }

    #[tokio::test]
    async fn a_socks5_server_is_asked_for_the_host() {
        let (server, asked) = socks(0).await;
        let host = host().await;
        assert_eq!(talk(&through(at(server), None), host).await.expect("it talks"), "127.0.0.1\nhello");
        assert_eq!(asked.await.expect("asked"), host);
    }

    #[tokio::test]
    async fn what_a_socks5_server_refuses_looks_like_a_direct_failure() {
        for (code, kind) in [
            (5, ErrorKind::ConnectionRefused),
            (4, ErrorKind::HostUnreachable),
            (6, ErrorKind::TimedOut),
            (2, ErrorKind::PermissionDenied),
        ] {
            let (server, _asked) = socks(code).await;
            let error = talk(&through(at(server), None), "192.0.2.1:25".parse().expect("one")).await;
            assert_eq!(error.expect_err("refused").kind(), kind, "{code}");
        }
    }

    #[tokio::test]
    async fn what_is_no_socks5_server_is_said_to_be_none() {
        let error = talk(&through(at(host().await), None), "192.0.2.1:25".parse().expect("one")).await;
        let error = error.expect_err("no SOCKS5 server");
        assert_eq!(error.to_string(), "what answers there is no SOCKS5 server");
    }

    #[tokio::test]
    async fn a_program_is_told_the_host_and_is_the_connection() {
        let script = "echo {address} {port}; read -r -n 5 word || true; printf %s \"$word\"";
        let words = ["bash", "-c", script].map(str::to_owned).to_vec();
        let dialer = through(VantageWay::Command(words), None);
        let heard = talk(&dialer, "192.0.2.1:25".parse().expect("one")).await.expect("it talks");
        assert_eq!(heard, "192.0.2.1 25\nhello");
        let dialer = through(VantageWay::Command(vec!["no-such-program".to_owned()]), None);
        let error = talk(&dialer, "192.0.2.1:25".parse().expect("one")).await.expect_err("not there");
        assert!(error.to_string().starts_with("`no-such-program` cannot be started"), "{error}");
    }

    #[tokio::test]
    async fn a_connection_is_made_from_the_stated_address() {
        let host = host().await;
        let dialer = through(VantageWay::Direct, Some("127.0.0.9"));
        assert_eq!(talk(&dialer, host).await.expect("it talks"), "127.0.0.9\nhello");
        let error = talk(&through(VantageWay::Direct, Some("::1")), host).await.expect_err("another family");
        assert!(error.to_string().contains("of another family"), "{error}");
    }
}

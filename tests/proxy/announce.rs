//! Who the client is: heard from a balancer, told to the host.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::support::*;

/// A host that tells the first `bytes` bytes that it reads from each client, and only then greets.
fn host(bytes: usize) -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    let (heard, told) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut first = vec![0; bytes];
            if stream.read_exact(&mut first).is_ok() && heard.send(first).is_ok() {
                let _ = stream.write_all(b"220 host.test ESMTP\r\n");
                let mut lines = BufReader::new(stream.try_clone().expect("a second handle"));
                while lines.read_line(&mut String::new()).is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(b"250 2.1.0 ok\r\n");
                }
            }
        }
    });
    (address, told)
}

fn before(host: SocketAddr, arguments: &[&str]) -> Program {
    let upstream = host.to_string();
    let own = ["--listen", "127.0.0.1:0", "--upstream", &upstream, "--host", "mx.test"];
    Program::start(&[&own[..], &["--control", "127.0.0.1:0"], arguments].concat())
}

#[test]
fn a_header_comes_before_everything_else() {
    let line = |mail: SocketAddr, client: SocketAddr| {
        format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\n", client.port(), mail.port())
    };
    let (address, told) = host(line(address_of(65_535), address_of(65_535)).len());
    let mut program = before(address, &["--client", "proxy-v1"]);
    let mail = program.mail();
    let stream = TcpStream::connect(mail).expect("connected");
    let own = stream.local_addr().expect("an address");
    // Ports of four digits make the line shorter: what follows it is then a part of what is heard.
    (&stream).write_all(b"NOOP\r\n").expect("written");
    let heard = String::from_utf8(told.recv_timeout(PATIENCE).expect("heard")).expect("text");
    assert!(format!("{}NOOP\r\n", line(mail, own)).starts_with(&heard), "{heard}");
}

fn address_of(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[test]
fn the_client_of_a_balancer_is_told_and_meets_its_faults() {
    let (address, told) = host(28);
    let fault = "at=mail do=reply:\"451 4.7.1 later\" client=192.0.2.0/24";
    let mut program = before(address, &["--client", "proxy-v2", "--accept-proxy", "127.0.0.0/8", "--fault", fault]);
    let (mail, api) = (program.mail(), program.control());
    let mut client = Client::connect(mail);
    client.write("PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n");
    let header = told.recv_timeout(PATIENCE).expect("a header");
    assert_eq!(&header[12..16], [0x21, 0x11, 0, 12]);
    assert_eq!((&header[16..20], &header[24..26]), (&[192, 0, 2, 7][..], &4711u16.to_be_bytes()[..]));
    assert_eq!(client.reply(), "220 host.test ESMTP");
    assert_eq!(client.ask("MAIL FROM:<a@x.example>"), "451 4.7.1 later");
    assert_eq!(program.fired(1)[0]["client"], "192.0.2.7:4711");
    assert_eq!(api.get("/v1/connections")["connections"][0]["client"], "192.0.2.7:4711");
}

#[test]
fn who_does_not_say_for_whom_it_calls_is_reset() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--accept-proxy", "127.0.0.1"]);
    let mail = program.mail();
    let mut client = Client::connect(mail);
    client.write("EHLO client.test\r\n");
    assert_eq!(client.reply(), "");
    program.until_says("does not begin with a PROXY header");
    let mut check = Client::connect(mail);
    check.write("PROXY UNKNOWN\r\n");
    assert_eq!(check.reply(), "220 host.test ESMTP");
}

#[test]
fn from_others_a_header_is_what_it_looks_like() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--accept-proxy", "192.0.2.0/24"]);
    let mut client = Client::greeted(program.mail());
    assert_eq!(client.ask("PROXY TCP4 192.0.2.7 198.51.100.1 4711 25"), "250 2.1.0 ok", "the host's own answer");
}

//! Hosts that are told who their client is: Postfix behind `mxdrill proxy`, with HAProxy in front of it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use super::PATIENCE;
use super::servers::{Network, Server, until};

/// Where the client calls from, which no other part of the test does.
const CLIENT: u8 = 200;
const HOST: u8 = 101;
const PROXY: u8 = 102;
const BALANCER: u8 = 103;
const BY_HEADER: &str = "smtpd_upstream_proxy_protocol = haproxy";

/// A running `mxdrill proxy`.
struct Proxy(Child);

impl Proxy {
    fn start(network: &Network, arguments: &[&str]) -> Self {
        let (listen, upstream) = (network.address(PROXY, 2525), network.address(HOST, 2525));
        let child = Command::new(env!("CARGO_BIN_EXE_mxdrill"))
            .args(["proxy", "--listen", &listen, "--upstream", &upstream, "--host", "told.new.example"])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the built mxdrill");
        let proxy = Self(child);
        let address: SocketAddr = listen.parse().expect("an address");
        until(PATIENCE, || TcpStream::connect(address).ok()).expect("the proxy listens");
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn told(network: &Network, setting: &str) -> Server {
    let setting = setting.replace("{PROXY}", network.address(PROXY, 0).trim_end_matches(":0"));
    let mut server = Server::launch("told", &[("SMTP", &*network.address(HOST, 2525)), ("TOLD", &*setting)]);
    server.await_ready();
    server
}

/// A client at an address of its own.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(network: &Network, host: u8) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        let address = |text: String| text.parse::<SocketAddr>().expect("an address");
        socket.bind(&address(network.address(CLIENT, 0)).into()).expect("an address of loopback");
        socket.connect(&address(network.address(host, 2525)).into()).expect("connected");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        Self(BufReader::new(stream))
    }

    /// The lines of a reply.
    fn reply(&mut self) -> Vec<String> {
        let mut lines = vec![];
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or(0) == 0 {
                return lines;
            }
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line.trim_end().to_owned());
            if !more {
                return lines;
            }
        }
    }

    fn ask(&mut self, line: &str) -> Vec<String> {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("written");
        self.reply()
    }

    /// Sends a message; the last reply.
    fn send(&mut self) -> String {
        self.ask("MAIL FROM:<a@sender.example>");
        self.ask("RCPT TO:<b@drill.example>");
        assert!(self.ask("DATA")[0].starts_with("354"));
        self.ask("Subject: who am I\r\n\r\ntext\r\n.").concat()
    }
}

/// The address by which Postfix knows who sent it a message.
fn client_of(server: &Server) -> Option<String> {
    until(PATIENCE, || {
        let log = server.log();
        let line = log.lines().find(|line| line.contains(": client="))?;
        Some(line.split("client=").nth(1)?.split('[').nth(1)?.split(']').next()?.to_owned())
    })
}

fn address_of_the_client(network: &Network) -> Option<String> {
    Some(network.address(CLIENT, 0).trim_end_matches(":0").to_owned())
}

#[test]
fn postfix_hears_of_the_client_by_the_proxy_protocol() {
    for version in ["proxy-v1", "proxy-v2"] {
        let network = Network::claim();
        let server = told(&network, BY_HEADER);
        let _proxy = Proxy::start(&network, &["--client", version]);
        let mut client = Client::connect(&network, PROXY);
        assert!(client.reply()[0].starts_with("220 told.new.example"), "{}", server.last_words());
        client.ask("EHLO client.example");
        assert!(client.send().starts_with("250"), "{}", server.last_words());
        assert_eq!(client_of(&server), address_of_the_client(&network), "{version}");
    }
}

#[test]
fn a_balancer_in_front_is_believed_and_passed_on() {
    let network = Network::claim();
    let server = told(&network, BY_HEADER);
    let next = network.address(PROXY, 2525);
    let mut balancer = Server::launch("balancer", &[("SMTP", &*network.address(BALANCER, 2525)), ("NEXT", &*next)]);
    let _proxy = Proxy::start(&network, &["--client", "proxy-v2", "--accept-proxy", "127.0.0.1"]);
    balancer.await_ready();
    let mut client = Client::connect(&network, BALANCER);
    assert!(client.reply()[0].starts_with("220 told.new.example"), "{}", balancer.last_words());
    client.ask("EHLO client.example");
    assert!(client.send().starts_with("250"));
    assert_eq!(client_of(&server), address_of_the_client(&network));
}

#[test]
fn postfix_hears_of_the_client_by_xclient_and_of_nobody_else() {
    let network = Network::claim();
    // Postfix knows the proxy by the address that the system gives it towards loopback.
    let server = told(&network, "smtpd_authorized_xclient_hosts = 127.0.0.0/8");
    let _proxy = Proxy::start(&network, &["--client", "xclient"]);
    let mut client = Client::connect(&network, PROXY);
    assert!(client.reply()[0].starts_with("220 told.new.example"), "{}", server.last_words());
    let offered = client.ask("EHLO client.example");
    assert!(!offered.iter().any(|line| line.contains("XCLIENT")), "{offered:?}");
    assert!(client.ask("XCLIENT ADDR=192.0.2.9")[0].starts_with("550 5.7.0"));
    assert!(client.send().starts_with("250"), "{}", server.last_words());
    assert_eq!(client_of(&server), address_of_the_client(&network));

    let direct = Client::connect(&network, HOST).reply();
    assert!(direct[0].starts_with("220"), "without the proxy it is a plain host: {direct:?}");
}

#[test]
fn a_host_that_does_not_take_xclient_is_not_spoken_to() {
    let network = Network::claim();
    let _server = told(&network, "smtpd_authorized_xclient_hosts =");
    let _proxy = Proxy::start(&network, &["--client", "xclient"]);
    assert!(Client::connect(&network, PROXY).reply().is_empty(), "the client is reset");
}

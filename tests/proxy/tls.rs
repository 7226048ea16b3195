//! STARTTLS through a standing proxy: it passes unseen, unless the proxy was given a certificate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::support::*;

const FAULT: &str = "at=rcpt do=reply:\"451 4.7.1 later\"";

/// A certificate for `mx.test`, and its key.
struct Identity {
    certificate: String,
    key: String,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["mx.test".to_owned()]).expect("a certificate");
        Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("a certificate")
    }

    fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("a key");
        Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![self.der()], key).expect("a pair"))
    }

    fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der()).expect("a root");
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    }
}

/// A host that takes STARTTLS and answers 250 to whatever comes inside.
fn host(identity: &Identity) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    let config = identity.server();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || serve(stream, config));
        }
    });
    address
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> Option<()> {
    let mut clear = Talk::new(stream.try_clone().ok()?);
    clear.say("220 host.test ESMTP");
    clear.hear();
    clear.say("250 STARTTLS");
    clear.hear();
    clear.say("220 go ahead");
    let mut inside = Talk::new(StreamOwned::new(ServerConnection::new(config).ok()?, stream));
    while !inside.hear().is_empty() {
        inside.say("250 2.0.0 ok");
    }
    Some(())
}

/// Lines in both directions.
struct Talk<S: Read + Write>(BufReader<S>);

impl<S: Read + Write> Talk<S> {
    fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// A peer that is gone is noticed at the next reading.
    fn say(&mut self, line: &str) {
        let _ = self.0.get_mut().write_all(format!("{line}\r\n").as_bytes());
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        let _ = self.0.read_line(&mut line);
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.hear()
    }
}

/// The reply to RCPT behind STARTTLS; none where the certificate is not that of `shown`.
fn rcpt_inside(address: SocketAddr, shown: &Identity, sender: &str) -> Option<String> {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut clear = Talk::new(stream.try_clone().expect("a second handle"));
    clear.hear();
    assert_eq!(clear.ask("EHLO client.test"), "250 STARTTLS");
    assert_eq!(clear.ask("STARTTLS"), "220 go ahead");
    let name = "mx.test".try_into().expect("a name");
    let mut session = ClientConnection::new(shown.client(), name).expect("a session");
    let mut stream = stream;
    while session.is_handshaking() {
        session.complete_io(&mut stream).ok()?;
    }
    let mut inside = Talk::new(StreamOwned::new(session, stream));
    inside.ask("EHLO client.test");
    inside.ask(&format!("MAIL FROM:<{sender}>"));
    Some(inside.ask("RCPT TO:<someone@drill.example>"))
}

fn proxy(host: SocketAddr, arguments: &[&str]) -> (Program, SocketAddr) {
    let upstream = host.to_string();
    let own = ["--listen", "127.0.0.1:0", "--upstream", &upstream, "--host", "mx.test"];
    let mut program = Program::start(&[&own[..], arguments].concat());
    let mail = program.mail();
    (program, mail)
}

#[test]
fn without_a_certificate_it_passes_unseen_and_that_is_said() {
    let own = Identity::new();
    let (mut program, mail) = proxy(host(&own), &["--fault", FAULT]);
    assert_eq!(rcpt_inside(mail, &own, PROBE).as_deref(), Some("250 2.0.0 ok"));
    program.until_says("behind which the proxy sees nothing");
}

#[test]
fn with_a_certificate_faults_see_inside() {
    let (own, shown) = (Identity::new(), Identity::new());
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (folder.path().join("mx.pem"), folder.path().join("mx.key"));
    write(&certificate, &shown.certificate);
    write(&key, &shown.key);
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let arguments = ["--tls-cert", &certificate, "--tls-key", &key];
    let (mut program, mail) = proxy(host(&own), &[&arguments[..], &["--fault", FAULT]].concat());
    assert_eq!(rcpt_inside(mail, &shown, PROBE).as_deref(), Some("451 4.7.1 later"));
    assert_eq!(rcpt_inside(mail, &shown, STRANGER).as_deref(), Some("250 2.0.0 ok"));
    assert_eq!(program.fired(1).len(), 1);
    let (_program, mail) = proxy(host(&own), &arguments);
    assert_eq!(rcpt_inside(mail, &own, PROBE).as_deref(), Some("250 2.0.0 ok"), "nothing to see, nothing ended");
}

#[test]
fn a_spoilt_certificate_needs_none_of_ones_own() {
    let own = Identity::new();
    let (mut program, mail) = proxy(host(&own), &["--fault", "at=starttls do=tls:wrong-name scope=all"]);
    assert_eq!(rcpt_inside(mail, &own, PROBE), None);
    assert_eq!(program.fired(1)[0]["action"], "tls wrong-name");
}

#[test]
fn a_certificate_and_a_key_must_fit() {
    let (one, other) = (Identity::new(), Identity::new());
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (folder.path().join("mx.pem"), folder.path().join("mx.key"));
    write(&certificate, &one.certificate);
    write(&key, &other.key);
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let own = ["proxy", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9"];
    let output = run(&[&own[..], &["--tls-cert", &certificate, "--tls-key", &key]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be used together"), "{output:?}");
}

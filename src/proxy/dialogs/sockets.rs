//! The same dialogues over TCP: a whole proxy, its listener, its way to the upstream, and real time.
//!
//! Nothing is left out. Times of faults are a fifth of what is written. Waits are half as long as they
//! could be, since a busy machine is late now and then; those of a minute and more, at faults without
//! a time of their own, would show the same however long they are, and are cut to a moment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::play::{End, Theatre, armed, perform, run, settings};
use super::script::{Announced, Dialog, Sight, Who};
use crate::proxy::announce::Introduction;
use crate::proxy::{Front, Proxy};
use crate::record::Journal;
use crate::scenario::Fault;
use crate::scenario::fault::{Action, Limit, Rate};
use crate::world::{Calls, Dialer, Listening};

/// How much faster everything goes.
const FASTER: u32 = 5;
/// How long something may take that needs no time, on a busy machine.
const SOON: Duration = Duration::from_secs(10);
/// Long enough to see that nothing comes.
const MOMENT: Duration = Duration::from_millis(60);
/// A wait that is only to show that nothing comes.
const ENDLESS: Duration = Duration::from_secs(60);

/// A proxy, and sockets on both of its sides.
struct Sockets {
    proxy: Proxy,
    journal: Journal,
    windows: Windows,
    client: End,
    server: Server,
}

/// Whether some fault has a time at which it begins or ends, which a wait must reach.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Windows {
    Some,
    None,
}

/// The upstream, which is called when the proxy likes.
enum Server {
    Waiting(JoinHandle<TcpStream>),
    Called(End),
}

/// Plays it over sockets.
pub(super) async fn play(dialog: &Dialog) -> Result<(), String> {
    let limit = Duration::from_secs(30);
    let played = async { perform(dialog, Sockets::begin(dialog).await).await };
    tokio::time::timeout(limit, played).await.unwrap_or_else(|_| Err("it does not end".to_owned()))
}

impl Sockets {
    async fn begin(dialog: &Dialog) -> Self {
        let dialer = Dialer::default();
        let upstream = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let mut settings = settings();
        settings.callers = dialer.callers.clone();
        settings.tls = settings.tls.filter(|_| dialog.sight == Sight::Inside);
        settings.smuggling = dialog.smuggling;
        settings.limits.handshake /= FASTER;
        settings.fronts = vec![Front {
            introduction: dialog.introduced,
            // The header that the client sends first makes it the one of the dialogue.
            balancers: vec!["127.0.0.0/8".parse().expect("a network")],
            ..Front::plain(
                "192.0.2.1".parse().expect("an address"),
                "127.0.0.1:0".parse().expect("an address"),
                upstream.local_addr().expect("an address").into(),
            )
        }];
        let journal = settings.journal.clone();
        let proxy = Proxy::start(settings).await.expect("it starts");
        proxy.raise(armed(&faster(&dialog.faults))).await.expect("they can be raised");
        let server = Server::Waiting(tokio::spawn(accept(upstream, dialog.introduced)));
        let client = call(&dialer, proxy.addresses()[0], dialog.announced).await;
        let windows = if dialog.faults.iter().any(|it| has_window(it)) { Windows::Some } else { Windows::None };
        Self { proxy, journal, windows, client: End::socket(client, SOON), server }
    }
}

/// Calls the proxy, as the client of the dialogue.
async fn call(dialer: &Dialer, address: SocketAddr, announced: Announced) -> TcpStream {
    let tag = run().probe(1);
    let calls = if announced == Announced::Yes { Calls::Announced } else { Calls::Plain };
    let target = Listening { socket: address, own: address, proxied: None, calls };
    let mut client = dialer.connect(&target, Some(tag.as_str()), SOON).await.expect("connected");
    client.write_all(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n").await.expect("written");
    client
}

/// The upstream's end, once it was told who calls.
async fn accept(listener: TcpListener, introduced: Introduction) -> TcpStream {
    let (stream, _) = listener.accept().await.expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    if introduced != Introduction::Xclient {
        return stream;
    }
    let mut lines = BufReader::new(stream);
    for answer in ["220 mx.test\r\n", "250-mx.test\r\n250 XCLIENT ADDR PORT\r\n"] {
        lines.get_mut().write_all(answer.as_bytes()).await.expect("written");
        let mut line = String::new();
        lines.read_line(&mut line).await.expect("a line");
    }
    // The banner of the dialogue is the answer to XCLIENT.
    lines.into_inner()
}

impl Theatre for Sockets {
    async fn end(&mut self, who: Who) -> Result<&mut End, String> {
        if who == Who::Client {
            return Ok(&mut self.client);
        }
        if let Server::Waiting(called) = &mut self.server {
            let called = tokio::time::timeout(SOON, called).await;
            let stream = called.map_err(|_| "Server was not called")?.map_err(|error| error.to_string())?;
            self.server = Server::Called(End::socket(stream, SOON));
        }
        match &mut self.server {
            Server::Called(end) => Ok(end),
            Server::Waiting(_) => Err("Server was not called".to_owned()),
        }
    }

    async fn is_never_called(&mut self) -> bool {
        let Server::Waiting(called) = &mut self.server else { return false };
        match tokio::time::timeout(MOMENT, called).await {
            Ok(Ok(stream)) => {
                self.server = Server::Called(End::socket(stream, SOON));
                false
            }
            _ => true,
        }
    }

    fn wait(&self, time: Duration) -> Duration {
        match self.windows {
            _ if time >= ENDLESS => MOMENT,
            Windows::Some => time / FASTER,
            Windows::None => time / FASTER / 2,
        }
    }

    async fn raise(&mut self, faults: &[Arc<Fault>]) {
        self.proxy.raise(armed(&faster(faults))).await.expect("they can be raised");
    }

    async fn lift(&mut self) {
        self.proxy.lift().await;
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Until the connection has told everything, or a moment is over.
    async fn a_moment(&self) {
        tokio::time::sleep(MOMENT * 2).await;
    }
}

fn has_window(fault: &Fault) -> bool {
    fault.when.after.is_some() || fault.when.lasting.is_some() || fault.when.limit.is_some()
}

/// The same faults, in a fifth of their time.
fn faster(faults: &[Arc<Fault>]) -> Vec<Arc<Fault>> {
    faults.iter().map(|fault| Arc::new(hurried(Fault::clone(fault)))).collect()
}

fn hurried(mut fault: Fault) -> Fault {
    match &mut fault.action.value {
        Action::Delay(time) | Action::Silent(Some(time)) => *time /= FASTER,
        Action::Tarpit(Rate(rate)) => *rate *= u64::from(FASTER),
        // Its rate decides how many bytes are read at once, and is fast enough.
        Action::Throttle { stall, .. } => *stall = stall.map(|stall| stall / FASTER),
        _ => {}
    }
    for time in [&mut fault.when.after, &mut fault.when.lasting].into_iter().flatten() {
        time.value /= FASTER;
    }
    if let Some(limit) = &mut fault.when.limit
        && let Limit::Messages(_, per) = &mut limit.value
    {
        *per /= FASTER;
    }
    fault
}

//! One listener, which can be shut without giving up its port.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::filter::Filter;
use super::saturate::{Fillers, saturate};
use crate::proxy::serve;
use crate::proxy::settings::{Front, ProxyError};
use crate::proxy::shared::Shared;
use crate::record::Event;

/// How many clients may wait to be accepted; the system may cut it.
const BACKLOG: i32 = 4096;
/// How long nothing is accepted where the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// What a client finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Open,
    /// RST to its SYN.
    Refusing,
    /// No answer to its SYN.
    Dropping,
    /// No answer to its SYN, by a rule of nftables that stands for this fault.
    Filtering(usize),
}

#[derive(Debug)]
pub(super) struct Door {
    front: Arc<Front>,
    address: SocketAddr,
    /// Bound as long as the door is there.
    socket: Socket,
    state: State,
    filter: Option<(usize, Filter)>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum State {
    Open(JoinHandle<()>),
    Refusing,
    Dropping(Fillers),
}

impl Door {
    pub(super) fn open(shared: &Arc<Shared>, front: Front) -> Result<Self, ProxyError> {
        let wrap = |error| ProxyError::Listen { address: front.listen, error };
        let socket = bound(front.listen).map_err(wrap)?;
        let address = socket.local_addr().map_err(wrap)?.as_socket().unwrap_or(front.listen);
        let mut door = Self {
            front: Arc::new(front),
            address,
            socket,
            state: State::Refusing,
            filter: None,
            shared: Arc::clone(shared),
        };
        door.listen(&[])?;
        Ok(door)
    }

    pub(super) fn front(&self) -> &Front {
        &self.front
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what clients find.
    pub(super) async fn become_(&mut self, mode: Mode) -> Result<(), ProxyError> {
        let now = match (&self.state, &self.filter) {
            (State::Open(_), Some((fault, _))) => Mode::Filtering(*fault),
            (State::Open(_), None) => Mode::Open,
            (State::Refusing, _) => Mode::Refusing,
            (State::Dropping(_), _) => Mode::Dropping,
        };
        if now == mode {
            return Ok(());
        }
        self.unfilter().await;
        match mode {
            Mode::Open => self.reopen(),
            Mode::Refusing => self.refuse().await,
            Mode::Dropping => self.drop_syns().await,
            Mode::Filtering(fault) => self.filter_syns(fault).await,
        }
    }

    fn wrap(&self, error: io::Error) -> ProxyError {
        ProxyError::Listen { address: self.address, error }
    }

    fn reopen(&mut self) -> Result<(), ProxyError> {
        if matches!(self.state, State::Open(_)) {
            return Ok(());
        }
        match std::mem::replace(&mut self.state, State::Refusing) {
            State::Dropping(fillers) => self.listen(&fillers.addresses()),
            State::Refusing | State::Open(_) => self.listen(&[]),
        }
    }

    /// Listens. Who is in the queue already is served, but for our own `fillers`.
    fn listen(&mut self, fillers: &[SocketAddr]) -> Result<(), ProxyError> {
        self.socket.listen(BACKLOG).map_err(|error| self.wrap(error))?;
        let listener = self.listener().map_err(|error| self.wrap(error))?;
        let accept = accept(listener, Arc::clone(&self.shared), Arc::clone(&self.front), fillers.to_vec());
        self.state = State::Open(tokio::spawn(accept));
        Ok(())
    }

    fn listener(&self) -> io::Result<TcpListener> {
        TcpListener::from_std(self.socket.try_clone()?.into())
    }

    /// Shuts the door but keeps the port: Linux keeps a socket bound that is shut down for
    /// reading, elsewhere it is bound anew.
    async fn refuse(&mut self) -> Result<(), ProxyError> {
        self.stop().await;
        if self.socket.shutdown(Shutdown::Read).is_err() {
            let unbound = Socket::new(Domain::for_address(self.address), Type::STREAM, Some(Protocol::TCP));
            // The old one must be closed before its port can be bound.
            self.socket = unbound.map_err(|error| self.wrap(error))?;
            self.socket = bound(self.address).map_err(|error| self.wrap(error))?;
        }
        self.state = State::Refusing;
        Ok(())
    }

    async fn drop_syns(&mut self) -> Result<(), ProxyError> {
        self.stop().await;
        let wrap = |error| ProxyError::Listen { address: self.address, error };
        self.socket.listen(0).map_err(wrap)?;
        // Clients that came before the fault are none of its business.
        let listener = self.listener().map_err(wrap)?;
        self.serve_waiting(&listener);
        match saturate(self.address).await {
            Ok(fillers) => {
                self.state = State::Dropping(fillers);
                Ok(())
            }
            Err(why) => {
                self.listen(&[])?;
                Err(ProxyError::DropSyn { address: self.address, why })
            }
        }
    }

    /// Has SYNs dropped before they come to the listener, which goes on to serve who is there.
    async fn filter_syns(&mut self, fault: usize) -> Result<(), ProxyError> {
        self.reopen()?;
        let filter = Filter::raise(self.address, &self.shared.name()).await;
        let filter = filter.map_err(|why| ProxyError::DropSyn { address: self.address, why })?;
        self.filter = Some((fault, filter));
        Ok(())
    }

    /// Takes the rule away, and tells how many SYNs it has dropped.
    async fn unfilter(&mut self) {
        if let Some((fault, filter)) = self.filter.take() {
            match filter.lift().await {
                Ok(syns) => self.shared.journal.note(Event::SynsDropped { fault, syns }),
                Err(why) => self.shared.warn(&why),
            }
        }
    }

    /// Serves who is in the queue.
    fn serve_waiting(&self, listener: &TcpListener) {
        while let Some(Ok((client, peer))) = futures_util::FutureExt::now_or_never(listener.accept()) {
            let Some(place) = self.shared.live.place_now() else { return };
            serve::spawn(&self.shared, &self.front, client, peer, place);
        }
    }

    /// Accepts those who are in the queue, to be told why they must go, and nobody any more.
    pub(super) async fn leave(&mut self) {
        self.unfilter().await;
        let was_open = matches!(self.state, State::Open(_));
        self.stop().await;
        while was_open
            && let Ok((client, peer)) = self.socket.accept()
            && let Some(place) = self.shared.live.place_now()
        {
            let client = client.set_nonblocking(true).and_then(|()| TcpStream::from_std(client.into()));
            if let (Ok(client), Some(peer)) = (client, peer.as_socket()) {
                serve::spawn(&self.shared, &self.front, client, peer, place);
            }
        }
        self.state = State::Refusing;
    }

    /// Accepts nobody any more.
    async fn stop(&mut self) {
        if let State::Open(task) = &mut self.state {
            task.abort();
            // Ends with its abortion; its listener must be gone before the socket changes.
            let _ = task.await;
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let State::Open(task) = &self.state {
            task.abort();
        }
    }
}

/// A socket that holds its address but does not listen. Others may follow on the same address at
/// once (SO_REUSEADDR), also while connections of an earlier one are in TIME_WAIT.
fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    match socket.local_addr()?.as_socket() {
        // A port that the system chose is given up when the socket is shut down; one that was
        // asked for is kept. The first socket holds it until the second has it.
        Some(chosen) if address.port() == 0 => bound(chosen),
        _ => Ok(socket),
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, front: Arc<Front>, mut fillers: Vec<SocketAddr>) {
    while let Some(place) = shared.live.place().await {
        match listener.accept().await {
            Ok((client, peer)) => match fillers.iter().position(|filler| *filler == peer) {
                // Once: a client may call from the same port later.
                Some(known) => {
                    fillers.swap_remove(known);
                }
                None => serve::spawn(&shared, &front, client, peer, place),
            },
            // The client was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                shared.unreachable(&format!("it cannot accept connections: {error}"));
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

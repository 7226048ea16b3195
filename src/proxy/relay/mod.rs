//! Moves the bytes of one connection between its two sockets, in one task.
//!
//! A chunk is read onto the stack, the session looks at it, and it is written on in the same
//! poll: an idle connection holds no buffer, and a chunk that passes is never copied. What the
//! other side cannot take at once waits in its outbox, and nothing more is read for it till then.

use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep_until};

use super::Limits;
use super::session::{End, Handshake, Need, Outs, Session};
use channel::Channel;
use side::Side;
pub(super) use side::Wire;

mod channel;
mod secure;
mod side;

/// How many bytes are read at once.
const CHUNK: usize = 32 * 1024;

/// One connection.
pub(super) struct Relay<C, U> {
    session: Session,
    client: Side<Channel<C>>,
    upstream: Option<Side<Channel<U>>>,
    limits: Limits,
    idle: Interval,
    stirred: Stirred,
    /// What a fault waits for.
    timer: Option<Pin<Box<Sleep>>>,
    /// Resolves when faults change, while one has this connection in its grip.
    change: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Whether any byte has moved since the idle clock ticked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stirred {
    No,
    Yes,
}

/// Why no more bytes are moved for now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pause {
    Handshake(Handshake),
    End(End),
}

/// What one look at a side has brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It may be worth looking again.
    Some,
    /// There will be a wake-up.
    None,
}

impl<C: Wire, U: Wire> Relay<C, U> {
    /// Between these two; without upstream where a fault keeps the session from needing one.
    pub(super) fn new(session: Session, client: C, upstream: Option<U>, limits: Limits) -> Self {
        let mut idle = interval_at(Instant::now() + limits.idle, limits.idle);
        idle.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            session,
            client: Side::new(Channel::Clear(client)),
            upstream: upstream.map(|wire| Side::new(Channel::Clear(wire))),
            limits,
            idle,
            stirred: Stirred::No,
            timer: None,
            change: None,
        }
    }

    /// The upstream has said this before the client could say anything.
    pub(super) fn heard(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.session.start(&mut Outs { client: &mut self.client.out, upstream: &mut vec![] });
        self.session.link().took_from_upstream(bytes.len());
        let direct = self.act(|session, outs| session.upstream_says(bytes, outs));
        self.client.out.splice(..0, bytes[..direct].iter().copied());
    }

    /// Until both sides are done, a fault ends it, or nothing moves any more.
    pub(super) async fn run(&mut self) {
        self.session.start(&mut Outs { client: &mut self.client.out, upstream: &mut vec![] });
        let ended = loop {
            match poll_fn(|cx| self.poll(cx)).await {
                Ok(Pause::Handshake(handshake)) => self.secure(handshake).await,
                Ok(Pause::End(end)) => break Ok(end),
                Err(error) => break Err(error),
            }
        };
        self.session.over();
        match ended {
            Ok(End::Close) => self.close().await,
            Ok(End::Reset) => self.client.wire.reset_on_drop(),
            Err(error) => self.fail(&error),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pause>> {
        self.session.link().is_polled_by(cx.waker());
        loop {
            if self.session.is_to_leave() {
                self.act(Session::say_goodbye);
            }
            self.drop_upstream(cx);
            if let Some(end) = self.session.end() {
                let over = self.client.poll_flush(cx)?.is_ready() || self.poll_idle(cx).is_ready();
                return if over { Poll::Ready(Ok(Pause::End(end))) } else { Poll::Pending };
            }
            if let Some(handshake) = self.session.handshake() {
                if self.client.poll_flush(cx)?.is_ready() {
                    return Poll::Ready(Ok(Pause::Handshake(handshake)));
                }
                return self.poll_idle(cx).map(|()| Ok(Pause::End(End::Close)));
            }
            if self.is_done() {
                return Poll::Ready(Ok(Pause::End(End::Close)));
            }
            let to_client = self.poll_upstream(cx)?;
            let to_upstream = self.poll_client(cx)?;
            let changed = self.poll_change(cx);
            let due = self.poll_due(cx);
            if [to_client, to_upstream, changed, due].contains(&Progress::Some) {
                self.stirred = Stirred::Yes;
                continue;
            }
            return self.poll_idle(cx).map(|()| Ok(Pause::End(End::Close)));
        }
    }

    /// Lets go of the upstream where the session is through with it.
    fn drop_upstream(&mut self, cx: &mut Context<'_>) {
        match self.session.need() {
            Need::Wanted => {}
            Need::Done => self.part_from_upstream(cx),
            Need::Abort => {
                if let Some(upstream) = self.upstream.take() {
                    upstream.wire.reset_on_drop();
                }
            }
        }
    }

    fn part_from_upstream(&mut self, cx: &mut Context<'_>) {
        if let Some(mut upstream) = self.upstream.take() {
            upstream.part(cx);
        }
    }

    /// Whether both sides have said everything and the other one has it.
    fn is_done(&self) -> bool {
        let upstream_done = self.upstream.as_ref().is_none_or(|it| it.has_ended() && it.out.is_empty());
        upstream_done && self.client.has_ended() && self.client.out.is_empty() && !self.session.lingers()
    }

    /// From the upstream to the client.
    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> io::Result<Progress> {
        if self.client.poll_flush(cx)?.is_pending() {
            return Ok(Progress::None);
        }
        let Some(upstream) = &mut self.upstream else { return Ok(Progress::None) };
        if !self.session.reads_upstream() {
            return Ok(Progress::None);
        }
        if upstream.has_ended() {
            return self.client.poll_shutdown(cx);
        }
        let mut space = [const { MaybeUninit::uninit() }; CHUNK];
        let mut chunk = ReadBuf::uninit(&mut space);
        let Poll::Ready(read) = upstream.poll_read(cx, &mut chunk) else { return Ok(Progress::None) };
        read?;
        self.session.link().took_from_upstream(chunk.filled().len());
        if !chunk.filled().is_empty() {
            let mut outs = Outs { client: &mut self.client.out, upstream: &mut upstream.out };
            let direct = self.session.upstream_says(chunk.filled(), &mut outs);
            self.client.write_first(cx, &chunk.filled()[..direct])?;
        }
        Ok(Progress::Some)
    }

    /// From the client to the upstream.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> io::Result<Progress> {
        if let Some(upstream) = &mut self.upstream {
            match upstream.poll_flush(cx) {
                Poll::Pending => return Ok(Progress::None),
                Poll::Ready(Err(_)) => upstream.breaks(),
                Poll::Ready(Ok(())) => {}
            }
            if self.client.has_ended() && !self.session.keeps_back() {
                return upstream.poll_shutdown(cx);
            }
        }
        // Replies of our own must not pile up before a client that does not read them.
        if self.client.has_ended() || self.client.out.len() > CHUNK || !self.session.reads_client() {
            return Ok(Progress::None);
        }
        let mut space = [const { MaybeUninit::uninit() }; CHUNK];
        let size = self.session.read_size().min(CHUNK);
        let mut chunk = ReadBuf::uninit(&mut space[..size]);
        let Poll::Ready(read) = self.client.poll_read(cx, &mut chunk) else { return Ok(Progress::None) };
        read?;
        self.session.link().took_from_client(chunk.filled().len());
        if chunk.filled().is_empty() {
            self.act(Session::client_ended);
        } else {
            let direct = self.act(|session, outs| session.client_says(chunk.filled(), outs));
            if let Some(upstream) = &mut self.upstream
                && upstream.write_first(cx, &chunk.filled()[..direct]).is_err()
            {
                // It may have said why before it closed: that is still to be read.
                upstream.breaks();
            }
        }
        Ok(Progress::Some)
    }

    /// Faults were raised or lifted while one had the connection in its grip.
    fn poll_change(&mut self, cx: &mut Context<'_>) -> Progress {
        if self.change.is_none() {
            self.change = self.session.watches().map(|mut in_force| {
                let change = async move {
                    // Fails only where the proxy is gone, and this task with it.
                    let _ = in_force.changed().await;
                };
                Box::pin(change) as Pin<Box<dyn Future<Output = ()> + Send>>
            });
        }
        let Some(change) = &mut self.change else { return Progress::None };
        if change.as_mut().poll(cx).is_pending() {
            return Progress::None;
        }
        self.change = None;
        self.act(|session, outs| session.refresh(outs));
        Progress::Some
    }

    /// What a fault has put off.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Progress {
        let Some(deadline) = self.session.deadline() else {
            self.timer = None;
            return Progress::None;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Progress::None;
        }
        self.timer = None;
        self.act(|session, outs| session.time_passed(Instant::now(), outs));
        Progress::Some
    }

    /// Lets the session act, with what it says put into the outboxes.
    fn act<T>(&mut self, action: impl FnOnce(&mut Session, &mut Outs<'_>) -> T) -> T {
        let mut nowhere = vec![];
        let upstream = match &mut self.upstream {
            Some(side) => &mut side.out,
            None => &mut nowhere,
        };
        action(&mut self.session, &mut Outs { client: &mut self.client.out, upstream })
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.idle.poll_tick(cx));
            if self.stirred == Stirred::No {
                return Poll::Ready(());
            }
            self.stirred = Stirred::No;
        }
    }

    /// FIN, behind what was said; then whatever the client still sends is read, since a socket
    /// that is closed with unread bytes in it sends RST.
    async fn close(&mut self) {
        let limit = self.limits.linger;
        let closed = poll_fn(|cx| {
            self.part_from_upstream(cx);
            self.client.poll_close(cx)
        });
        // A client that does not close its side in time, or is gone, has had its FIN.
        let _ = tokio::time::timeout(limit, closed).await;
    }

    /// What befell one side befalls the other.
    fn fail(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionReset {
            self.client.wire.reset_on_drop();
            if let Some(upstream) = self.upstream.as_ref().filter(|upstream| !upstream.has_ended()) {
                upstream.wire.reset_on_drop();
            }
        }
    }
}

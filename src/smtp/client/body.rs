//! The message behind a 354.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::stop::{Stop, StopKind};
use super::{Session, State};
use crate::mail::framing::stuff;
use crate::mail::{Reply, Severity, Stage};

/// How much of a message has to be written within one `block_limit`.
const BLOCK: usize = 64 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Sends a message after the 354 to DATA and waits for the server's answer. `message` is as
    /// it should arrive; dots are added here. Each 64 KiB may take `block_limit`, the answer to
    /// the final dot `eom_limit`.
    ///
    /// A refusal that comes before everything was written is handed back too; then
    /// [`Session::stage`] is [`Stage::Body`] and the session is over.
    ///
    /// # Errors
    /// Where a block cannot be written in time, no answer comes in time, or the server takes the
    /// message before it was complete.
    pub async fn body(&mut self, message: &[u8], block_limit: Duration, eom_limit: Duration) -> Result<Reply, Stop> {
        self.stage = Stage::Body;
        self.output.clear();
        stuff(message, &mut self.output);
        let mut at = 0;
        while at < self.output.len() {
            let end = self.output.len().min(at + BLOCK);
            let early = self.within(block_limit, async |session| session.block(at, end).await).await?;
            if let Some(reply) = early {
                return self.refused_early(reply);
            }
            at = end;
        }
        self.stage = Stage::Eom;
        self.within(eom_limit, async |session| session.read_reply().await).await
    }

    fn refused_early(&mut self, reply: Reply) -> Result<Reply, Stop> {
        self.state = State::Over;
        match reply.severity() {
            Severity::Transient | Severity::Permanent => Ok(reply),
            Severity::Positive | Severity::Intermediate => Err(self.stop(StopKind::TooSoon(reply))),
        }
    }

    /// Writes one block. A reply that comes before it is written is given back.
    async fn block(&mut self, at: usize, end: usize) -> Result<Option<Reply>, StopKind> {
        let mut written = at;
        loop {
            if let Some(reply) = self.parsed()? {
                return Ok(Some(reply));
            }
            match poll_fn(|cx| self.poll_block(cx, &mut written, end)).await {
                Ok(Moved::Written) => return Ok(None),
                Ok(Moved::Heard) => {}
                // It may have said why before it went.
                Err(error) => return self.read_reply().await.map(Some).map_err(|_| StopKind::Lost(error)),
            }
        }
    }

    /// Writes while the server takes it, and listens only while it does not: a message that fits
    /// the system's buffers is written in whole, whatever the server does meanwhile, so that the
    /// stage at which it stops does not depend on the moment.
    fn poll_block(&mut self, cx: &mut Context<'_>, written: &mut usize, end: usize) -> Poll<io::Result<Moved>> {
        while *written < end {
            match Pin::new(&mut self.stream).poll_write(cx, &self.output[*written..end]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => *written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.poll_hear(cx),
            }
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(done) => Poll::Ready(done.map(|()| Moved::Written)),
            Poll::Pending => self.poll_hear(cx),
        }
    }

    fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Moved>> {
        let mut bytes = [0; 1024];
        let mut heard = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut heard))?;
        if heard.filled().is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        self.input.push(heard.filled());
        Poll::Ready(Ok(Moved::Heard))
    }
}

enum Moved {
    /// The block is written.
    Written,
    /// The server said something.
    Heard,
}

//! One side of a connection: its socket, and what waits to be written to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::{CHUNK, Progress};

/// A socket, or what stands for one in a test.
pub(in crate::proxy) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    /// From now on dropping it sends RST.
    fn reset_on_drop(&self);
}

impl Wire for TcpStream {
    fn reset_on_drop(&self) {
        // Where it fails the peer gets a FIN: it is gone in any case.
        let _ = self.set_zero_linger();
    }
}

pub(super) struct Side<S> {
    pub(super) wire: S,
    /// What is still to be written.
    pub(super) out: Vec<u8>,
    written: usize,
    reading: Reading,
    writing: Writing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// The peer has sent its FIN.
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// Our FIN is out.
    Shut,
    /// The peer takes nothing any more; what it has said may still be read.
    Broken,
}

impl<S: Wire> Side<S> {
    pub(super) fn new(wire: S) -> Self {
        Self { wire, out: vec![], written: 0, reading: Reading::Open, writing: Writing::Open }
    }

    /// Whether the peer has said its last.
    pub(super) fn has_ended(&self) -> bool {
        self.reading == Reading::Ended
    }

    /// Nothing more can be written: what waits is dropped, and what follows.
    pub(super) fn breaks(&mut self) {
        self.writing = Writing::Broken;
        self.out = vec![];
        self.written = 0;
    }

    /// Reads a chunk; nothing read means that the peer has ended.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.wire).poll_read(cx, chunk))?;
        if chunk.filled().is_empty() {
            self.reading = Reading::Ended;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what waits.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.writing == Writing::Broken {
            self.out.clear();
            return Poll::Ready(Ok(()));
        }
        while self.written < self.out.len() {
            let wrote = ready!(Pin::new(&mut self.wire).poll_write(cx, &self.out[self.written..]))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += wrote;
        }
        if self.written > 0 {
            // Given back: an idle connection holds no buffer.
            self.out = vec![];
            self.written = 0;
        }
        // TLS may hold back what it has taken.
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    /// Writes `bytes` before what waits; what is not taken at once waits first.
    pub(super) fn write_first(&mut self, cx: &mut Context<'_>, mut bytes: &[u8]) -> io::Result<()> {
        debug_assert_eq!(self.written, 0);
        if self.writing == Writing::Broken {
            return Ok(());
        }
        while !bytes.is_empty() {
            match Pin::new(&mut self.wire).poll_write(cx, bytes)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(wrote) => bytes = &bytes[wrote..],
                Poll::Pending => {
                    self.out.splice(..0, bytes.iter().copied());
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends FIN, once. Behind a FIN there is no progress any more.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> io::Result<Progress> {
        if self.writing != Writing::Open || Pin::new(&mut self.wire).poll_shutdown(cx)?.is_pending() {
            return Ok(Progress::None);
        }
        self.writing = Writing::Shut;
        Ok(Progress::Some)
    }

    /// Says goodbye before it is dropped, as far as that can be done at once: TLS has a word for it.
    pub(super) fn part(&mut self, cx: &mut Context<'_>) {
        if self.writing == Writing::Open {
            let _ = Pin::new(&mut self.wire).poll_shutdown(cx);
        }
    }

    /// Writes what waits, sends FIN, then reads and throws away until the peer has ended.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        if self.writing == Writing::Open {
            ready!(Pin::new(&mut self.wire).poll_shutdown(cx))?;
            self.writing = Writing::Shut;
        }
        self.poll_drain(cx)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut space = [const { std::mem::MaybeUninit::uninit() }; CHUNK];
        while !self.has_ended() {
            let mut chunk = ReadBuf::uninit(&mut space);
            ready!(self.poll_read(cx, &mut chunk))?;
        }
        Poll::Ready(Ok(()))
    }
}

//! A wire in clear, or with TLS that the proxy itself has begun on it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::Wire;

/// What the bytes of a session go over.
pub(super) enum Channel<W> {
    Clear(W),
    Encrypted(Box<TlsStream<W>>),
    /// It was lost in a handshake, or is in one.
    Gone,
}

impl<W> Channel<W> {
    /// Takes the wire out for a handshake; none where it is encrypted.
    pub(super) fn take_clear(&mut self) -> Option<W> {
        match std::mem::replace(self, Channel::Gone) {
            Channel::Clear(wire) => Some(wire),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl<W: Wire> Wire for Channel<W> {
    fn reset_on_drop(&self) {
        match self {
            Channel::Clear(wire) => wire.reset_on_drop(),
            Channel::Encrypted(stream) => stream.get_ref().0.reset_on_drop(),
            Channel::Gone => {}
        }
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl<W: Wire> AsyncRead for Channel<W> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Channel::Clear(wire) => Pin::new(wire).poll_read(cx, into),
            // A FIN without close_notify, as many a client sends it, is passed on as a FIN.
            Channel::Encrypted(stream) => match ready!(Pin::new(stream).poll_read(cx, into)) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                read => Poll::Ready(read),
            },
            Channel::Gone => gone(),
        }
    }
}

impl<W: Wire> AsyncWrite for Channel<W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Channel::Clear(wire) => Pin::new(wire).poll_write(cx, bytes),
            Channel::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
            Channel::Gone => gone(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Channel::Clear(wire) => Pin::new(wire).poll_flush(cx),
            Channel::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
            Channel::Gone => gone(),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Channel::Clear(wire) => Pin::new(wire).poll_shutdown(cx),
            Channel::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
            Channel::Gone => gone(),
        }
    }
}

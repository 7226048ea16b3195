//! Bytes that were read and not yet used.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// A buffer that is filled by reading and emptied from its start. It is kept for the whole
/// session, so that reading does not allocate.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    used: usize,
}

impl Input {
    /// What was read and not used.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    /// Marks the first `count` bytes of the rest as used.
    pub(super) fn advance(&mut self, count: usize) {
        self.used = (self.used + count).min(self.bytes.len());
    }

    /// Forgets everything, and says how many unused bytes there were.
    pub(super) fn clear(&mut self) -> usize {
        let unused = self.rest().len();
        self.bytes.clear();
        self.used = 0;
        unused
    }

    /// Adds bytes that were read elsewhere.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.compact();
        self.bytes.extend_from_slice(bytes);
    }

    /// Reads once, at least `room` bytes where as many are there. The end of the stream is
    /// [`io::ErrorKind::UnexpectedEof`].
    pub(super) async fn fill<S: AsyncRead + Unpin>(&mut self, stream: &mut S, room: usize) -> io::Result<usize> {
        self.compact();
        self.bytes.reserve(room);
        match stream.read_buf(&mut self.bytes).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }

    fn compact(&mut self) {
        if self.used == self.bytes.len() {
            self.bytes.clear();
        } else if self.used > 0 {
            self.bytes.drain(..self.used);
        }
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_used_is_gone_and_the_rest_stays() {
        let mut input = Input::default();
        let mut stream: &[u8] = b"NOOP\r\nQUIT\r\n";
        assert_eq!(input.fill(&mut stream, 64).await.expect("bytes"), 12);
        input.advance(6);
        input.push(b"RSET\r\n");
        assert_eq!(input.rest(), b"QUIT\r\nRSET\r\n");
        assert_eq!(input.clear(), 12);
        let end = input.fill(&mut stream, 64).await.expect_err("the end");
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }
}

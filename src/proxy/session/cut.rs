//! A walk over received bytes, which decides what of them passes.

/// Walks over bytes from front to back. What passes is handed over in runs as long as possible;
/// a chunk that passes as a whole is never copied.
pub(super) struct Cut<'a> {
    bytes: &'a [u8],
    /// Everything before it is decided on.
    at: usize,
    /// The first byte that passes but was not handed over yet.
    from: usize,
    /// How many bytes at the start were passed on earlier, before they could be read.
    sent: usize,
    /// How many bytes of the chunk go first and as they are; none while that can still grow.
    direct: Option<usize>,
    out: &'a mut Vec<u8>,
}

impl<'a> Cut<'a> {
    /// A chunk as it was received; what does not pass as it is goes into `out`, behind it.
    pub(super) fn of_chunk(bytes: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        let direct = if out.is_empty() { None } else { Some(0) };
        Self { bytes, at: 0, from: 0, sent: 0, direct, out }
    }

    /// Bytes that were kept back, the first `sent` of which were passed on all the same.
    pub(super) fn of_backlog(bytes: &'a [u8], sent: usize, out: &'a mut Vec<u8>) -> Self {
        Self { bytes, at: 0, from: 0, sent, direct: Some(0), out }
    }

    /// What is not decided on.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// How many bytes of the rest were passed on already.
    pub(super) fn sent(&self) -> usize {
        self.sent.saturating_sub(self.at)
    }

    /// The next `count` bytes pass.
    pub(super) fn pass(&mut self, count: usize) {
        self.at += count;
    }

    /// The next `count` bytes do not.
    pub(super) fn skip(&mut self, count: usize) {
        self.hand_over();
        self.at += count;
        self.from = self.at;
    }

    /// Where bytes of our own are put, behind everything that has passed.
    pub(super) fn sink(&mut self) -> &mut Vec<u8> {
        self.hand_over();
        self.direct.get_or_insert(0);
        self.out
    }

    fn hand_over(&mut self) {
        let from = self.from.max(self.sent).min(self.at);
        match self.direct {
            None => self.direct = Some(self.at),
            Some(_) => self.out.extend_from_slice(&self.bytes[from..self.at]),
        }
        self.from = self.at;
    }

    /// How many leading bytes of the chunk pass as they are, before what is in `out`.
    pub(super) fn finish(mut self) -> usize {
        self.hand_over();
        self.direct.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_passes_is_not_copied() {
        let mut out = vec![];
        let mut cut = Cut::of_chunk(b"abcdef", &mut out);
        cut.pass(2);
        cut.pass(4);
        assert_eq!(cut.finish(), 6);
        assert!(out.is_empty());
    }

    #[test]
    fn what_is_skipped_is_missing_and_what_follows_is_copied() {
        let mut out = vec![];
        let mut cut = Cut::of_chunk(b"abcdef", &mut out);
        cut.pass(2);
        cut.skip(1);
        cut.sink().extend_from_slice(b"X");
        cut.pass(2);
        assert_eq!(cut.finish(), 2);
        assert_eq!(out, b"Xde");
    }

    #[test]
    fn what_was_passed_on_before_is_not_passed_on_twice() {
        let mut out = vec![];
        let mut cut = Cut::of_backlog(b"abcdef", 3, &mut out);
        cut.pass(2);
        assert_eq!(cut.sent(), 1);
        cut.pass(4);
        cut.finish();
        assert_eq!(out, b"def");
    }

    #[test]
    fn nothing_goes_before_what_is_waiting() {
        let mut out = b"x".to_vec();
        let mut cut = Cut::of_chunk(b"ab", &mut out);
        cut.pass(2);
        assert_eq!(cut.finish(), 0);
        assert_eq!(out, b"xab");
    }
}

//! Where one syslog message ends in a stream (RFC 6587).

use super::super::super::follow::MAX_LINE;

/// The most digits of a counted frame's length.
const MAX_DIGITS: usize = 7;

/// One message of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Without its frame.
    Whole(Vec<u8>),
    /// Of more than [`MAX_LINE`] bytes; it was skipped.
    Overlong,
}

/// Cuts a stream into messages. Each may be counted (`17 <22>1 2026…`, RFC 6587 3.4.1) or end with
/// LF or NUL (3.4.2); a sender may even mix them.
#[derive(Debug, Default)]
pub(super) struct Framer {
    state: State,
    kept: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// At the start of a message: it may be a count.
    #[default]
    Start,
    /// In a message that ends with its line.
    Line,
    /// In a counted message, of which so many bytes are missing.
    Counted(usize),
    /// In one that is too long and ends with its line.
    SkipLine,
    /// In one that is too long and counted.
    SkipCounted(usize),
}

impl Framer {
    /// Takes in bytes and hands out the messages that are whole.
    pub(super) fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(Frame)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.state {
                State::Start => self.start(rest, each),
                State::Line => self.line(rest, each),
                State::Counted(missing) => self.counted(missing, rest, each),
                State::SkipLine => match memchr::memchr2(b'\n', 0, rest) {
                    Some(end) => self.begin_after(end, rest),
                    None => &[],
                },
                State::SkipCounted(missing) => {
                    let skipped = missing.min(rest.len());
                    self.state = if skipped == missing { State::Start } else { State::SkipCounted(missing - skipped) };
                    &rest[skipped..]
                }
            };
        }
    }

    /// The last message, where the stream ended without its end. One that was counted and is not
    /// whole is none.
    pub(super) fn rest(&mut self, each: &mut dyn FnMut(Frame)) {
        if matches!(self.state, State::Start | State::Line) {
            self.hand_out(each);
        }
    }

    fn start<'a>(&mut self, rest: &'a [u8], each: &mut dyn FnMut(Frame)) -> &'a [u8] {
        let (first, after) = (rest[0], &rest[1..]);
        let digit = first.is_ascii_digit() && (!self.kept.is_empty() || first != b'0');
        match first {
            b'\r' | b'\n' | 0 if self.kept.is_empty() => return after,
            b' ' if !self.kept.is_empty() => {
                let digits = std::mem::take(&mut self.kept);
                let count = digits.iter().fold(0usize, |sum, digit| sum * 10 + usize::from(digit - b'0'));
                self.state = if count > MAX_LINE {
                    each(Frame::Overlong);
                    State::SkipCounted(count)
                } else {
                    State::Counted(count)
                };
                return after;
            }
            _ if digit && self.kept.len() < MAX_DIGITS => {
                self.kept.push(first);
                return after;
            }
            // No count: what was taken for one is the start of a line.
            _ => self.state = State::Line,
        }
        rest
    }

    fn line<'a>(&mut self, rest: &'a [u8], each: &mut dyn FnMut(Frame)) -> &'a [u8] {
        let end = memchr::memchr2(b'\n', 0, rest);
        let text = &rest[..end.unwrap_or(rest.len())];
        if self.kept.len() + text.len() > MAX_LINE {
            self.kept = vec![];
            self.state = State::SkipLine;
            each(Frame::Overlong);
            return &rest[text.len()..];
        }
        self.kept.extend_from_slice(text);
        match end {
            Some(end) => {
                self.hand_out(each);
                self.begin_after(end, rest)
            }
            None => &[],
        }
    }

    fn counted<'a>(&mut self, missing: usize, rest: &'a [u8], each: &mut dyn FnMut(Frame)) -> &'a [u8] {
        let (text, after) = rest.split_at(missing.min(rest.len()));
        self.kept.extend_from_slice(text);
        self.state = State::Counted(missing - text.len());
        if text.len() == missing {
            self.hand_out(each);
            self.state = State::Start;
        }
        after
    }

    fn begin_after<'a>(&mut self, end: usize, rest: &'a [u8]) -> &'a [u8] {
        self.state = State::Start;
        &rest[end + 1..]
    }

    fn hand_out(&mut self, each: &mut dyn FnMut(Frame)) {
        let kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            each(Frame::Whole(kept));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(bytes: &[u8], cut: usize) -> Vec<Frame> {
        let (mut framer, mut seen) = (Framer::default(), vec![]);
        bytes.chunks(cut).for_each(|block| framer.feed(block, &mut |frame| seen.push(frame)));
        framer.rest(&mut |frame| seen.push(frame));
        seen
    }

    fn whole(texts: &[&str]) -> Vec<Frame> {
        texts.iter().map(|text| Frame::Whole(text.as_bytes().to_vec())).collect()
    }

    fn after_overlong(text: &str) -> Vec<Frame> {
        std::iter::once(Frame::Overlong).chain(whole(&[text])).collect()
    }

    #[test]
    fn messages_are_counted_or_end_with_their_line() {
        let bytes = b"5 <1>ab8 <1>c\n <>\n<2>line\n2026-11-21 no count\n0 no\nlast";
        let expected = whole(&["<1>ab", "<1>c\n <>", "<2>line", "2026-11-21 no count", "0 no", "last"]);
        for cut in [1, 3, 100] {
            assert_eq!(frames(bytes, cut), expected, "{cut}");
        }
        assert_eq!(frames(b"9 cut", 2), whole(&[]));
        assert_eq!(frames(b"a\0b\r\n\n", 2), whole(&["a", "b\r"]));
    }

    #[test]
    fn a_message_that_is_too_long_is_passed_over() {
        let long = "x".repeat(MAX_LINE + 1);
        let counted = format!("{} {long}2 ok", long.len());
        assert_eq!(frames(counted.as_bytes(), 1000), after_overlong("ok"));
        let line = format!("{long}{long}\nok\n");
        assert_eq!(frames(line.as_bytes(), 1000), after_overlong("ok"));
        assert_eq!(frames(b"12345678 is no count\n", 4), whole(&["12345678 is no count"]));
    }

    proptest! {
        #[test]
        fn frames_do_not_depend_on_how_the_stream_is_cut(bytes in "([0-9]{1,8} ?|[<>a\n\0\r ]|\u{e9}){0,40}", cut in 1usize..7) {
            prop_assert_eq!(frames(bytes.as_bytes(), cut), frames(bytes.as_bytes(), 1000));
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let longest = frames(&bytes, 11).into_iter().filter_map(|frame| match frame {
                Frame::Whole(bytes) => Some(bytes.len()),
                Frame::Overlong => None,
            }).max();
            prop_assert!(longest.unwrap_or(0) <= bytes.len());
        }
    }
}

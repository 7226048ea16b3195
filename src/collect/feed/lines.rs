//! Bytes of a stream as lines.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::super::follow::MAX_LINE;

/// A line, or what is known of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    /// Of more than [`MAX_LINE`] bytes; it was skipped.
    Overlong,
}

/// Cuts bytes into lines, at most [`MAX_LINE`] bytes long.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
    skipping: bool,
}

impl Lines {
    /// Takes in what was read, and hands out the lines that are whole.
    pub(super) fn feed(&mut self, bytes: &[u8], each: &mut dyn FnMut(Line)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            if !self.skipping && self.partial.len() + text.len() > MAX_LINE {
                self.partial = vec![];
                self.skipping = true;
                each(Line::Overlong);
            }
            if !self.skipping {
                self.partial.extend_from_slice(text);
            }
            if ended && !std::mem::take(&mut self.skipping) {
                each(Line::Whole(without_return(std::mem::take(&mut self.partial))));
            }
        }
    }

    /// The last line, where the stream ended without its end.
    pub(super) fn rest(self) -> Option<Line> {
        (!self.partial.is_empty()).then(|| Line::Whole(without_return(self.partial)))
    }
}

fn without_return(mut line: Vec<u8>) -> Vec<u8> {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    line
}

/// The next bytes of a stream; none at its end.
pub(super) async fn more(stream: &mut (impl AsyncRead + Unpin), block: &mut [u8]) -> io::Result<Option<usize>> {
    let read = stream.read(block).await?;
    Ok((read > 0).then_some(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(blocks: &[&[u8]]) -> Vec<Line> {
        let (mut lines, mut seen) = (Lines::default(), vec![]);
        blocks.iter().for_each(|block| lines.feed(block, &mut |line| seen.push(line)));
        seen.extend(lines.rest());
        seen
    }

    #[test]
    fn a_line_without_end_does_not_fill_memory() {
        let long = vec![b'x'; MAX_LINE + 1];
        assert_eq!(lines(&[&long, &long, b"x\nshort\r\n"]), [Line::Overlong, Line::Whole(b"short".to_vec())]);
    }

    proptest::proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_are_cut(text in "[a\r\n\u{e9}]{0,60}", cut in 1usize..9) {
            let blocks: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            proptest::prop_assert_eq!(lines(&blocks), lines(&[text.as_bytes()]));
        }
    }
}

//! Lines on mxdrill's standard input.

use std::io::Read;

use tokio::sync::mpsc;

use super::super::notes::Notes;
use super::super::{Collecting, Trouble};
use super::lines::{Line, Lines};
use super::{Age, CAPACITY, Item, Items, Source};
use crate::inventory::LogFormat;

/// Begins to read standard input.
pub(in super::super) async fn open(format: LogFormat, notes: Notes) -> Result<Collecting, Trouble> {
    let (items, received) = mpsc::channel(CAPACITY);
    // A thread of its own that nobody waits for: a read of a terminal cannot be given up.
    let reader = std::thread::Builder::new().name("stdin".to_owned());
    let began = reader.spawn(move || read(std::io::stdin().lock(), &items));
    began.map_err(|error| Trouble::new(format!("standard input cannot be read: {error}")))?;
    Ok(super::begin(Nothing, received, format, notes, "it is read"))
}

/// The thread ends with its input, or once nobody listens.
struct Nothing;

impl Source for Nothing {
    async fn end(self) {}
}

fn read(mut input: impl Read, items: &Items) {
    let (mut lines, mut block, mut number) = (Lines::default(), vec![0; 64 * 1024], 0u64);
    let mut send = |line: Line| {
        number += 1;
        let _ = items.blocking_send(item(number, line));
    };
    let why = loop {
        match input.read(&mut block) {
            Ok(0) => break "it has ended".to_owned(),
            Ok(read) => lines.feed(&block[..read], &mut send),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break format!("it cannot be read: {error}"),
        }
        if items.is_closed() {
            return;
        }
    };
    lines.rest().into_iter().for_each(&mut send);
    let help = "keep the program that writes to it running, such as `tail -F`";
    let _ = items.blocking_send(Item::Ended(Trouble::new(why).help(help)));
}

fn item(number: u64, line: Line) -> Item {
    match line {
        Line::Whole(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Item::Line { place: format!("standard input:{number}"), text, age: Age::Unknown }
        }
        Line::Overlong => Item::Overlong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_numbered_and_the_end_is_said() {
        let (items, mut received) = mpsc::channel(10);
        let reading = tokio::task::spawn_blocking(move || read(&b"one\ntwo"[..], &items));
        reading.await.expect("it ends");
        let mut seen = vec![];
        while let Some(item) = received.recv().await {
            seen.push(match item {
                Item::Line { place, text, .. } => format!("{place} {text}"),
                Item::Ended(trouble) => trouble.what,
                other => format!("{other:?}"),
            });
        }
        assert_eq!(seen, ["standard input:1 one", "standard input:2 two", "it has ended"]);
    }
}

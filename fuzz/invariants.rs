//! What must hold for any bytes: one function a target. The fuzz targets call them, and so do the tests with the seeds in
//! `corpus/`, so that every build keeps what fuzzing has found.

#![allow(unreachable_pub, dead_code, reason = "each target takes its own, and the tests all")]

use mxdrill::mail::framing::{BodyScanner, Line, LineScanner, stuff, unstuff};
use mxdrill::mail::reply::{Flaw, Parsed};
use mxdrill::mail::{Command, Reply};
use mxdrill::scenario::standing;
use mxdrill::source::{Paint, SourceText, draw_remarks};

/// What must hold of these bytes, or it panics.
pub type Target = fn(&[u8]);

/// A target's name, which is that of its folder in `corpus/`, and what it asks.
pub const TARGETS: &[(&str, Target)] = &[
    ("reply", reply),
    ("command", command),
    ("body", body),
    ("chunk", chunk),
    ("control", control),
    ("fault-line", fault_line),
    ("scenario", scenario),
    ("inventory", inventory),
];

/// A reply that was understood is written as it was read, and reading more never changes it.
pub fn reply(bytes: &[u8]) {
    let Parsed::Reply(reply, taken) = Reply::parse(bytes) else { return };
    assert!(taken <= bytes.len());
    let wire = reply.to_wire();
    match Reply::parse(&wire) {
        Parsed::Reply(again, taken) => assert_eq!((again, taken), (reply, wire.len())),
        // What was no UTF-8 takes more bytes when it is written.
        Parsed::Garbage(Flaw::TooLong(_)) => assert!(wire.len() > taken),
        other => panic!("its own writing is no reply: {other:?}"),
    }
    let longer = [bytes, b"250 next\r\n"].concat();
    assert!(matches!(Reply::parse(&longer), Parsed::Reply(_, same) if same == taken));
}

/// Lines are framed without a byte lost, and whatever a line says has at most one meaning.
pub fn command(bytes: &[u8]) {
    let (mut rest, mut framed) = (bytes, 0);
    while let Line::Complete { text, taken } = LineScanner::next(rest) {
        assert!(taken > text.len(), "a line end is part of the line");
        let _ = (Command::parse(text), Command::parse(text).stage());
        framed += taken;
        rest = &rest[taken..];
    }
    assert!(framed <= bytes.len());
}

/// However a body is cut, its end is where the whole has it; and what is stuffed comes out again.
pub fn body(bytes: &[u8]) {
    let whole = BodyScanner::default().scan(bytes);
    let naive = match bytes.starts_with(b".\r\n") {
        true => Some(3),
        false => bytes.windows(5).position(|five| five == b"\r\n.\r\n").map(|at| at + 5),
    };
    assert_eq!(whole, naive, "only <CRLF>.<CRLF> ends a body");
    for piece in [1, 2, 3, 7] {
        let (mut scanner, mut at) = (BodyScanner::default(), 0);
        let found = bytes.chunks(piece).find_map(|part| {
            let found = scanner.scan(part).map(|end| at + end);
            at += part.len();
            found
        });
        assert_eq!(found, whole, "in pieces of {piece}");
    }
    let mut wire = vec![];
    stuff(bytes, &mut wire);
    assert_eq!(BodyScanner::default().scan(&wire), Some(wire.len()), "a stuffed body ends once, at its end");
    let plain = unstuff(&wire);
    assert!(plain == bytes || plain == [bytes, b"\r\n"].concat(), "what was stuffed comes out again");
}

/// The size of a chunk is a number or the command is none (RFC 3030 2).
pub fn chunk(bytes: &[u8]) {
    let line = [b"BDAT ", bytes].concat();
    if let Command::Bdat { size, .. } = Command::parse(&line) {
        let digits: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == b' ').take_while(u8::is_ascii_digit).collect();
        let digits = String::from_utf8_lossy(&digits).into_owned();
        assert_eq!(digits.parse(), Ok(size), "{:?}", String::from_utf8_lossy(&line));
    }
}

/// A body of the control API gives faults or says what is wrong with it.
pub fn control(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(remarks) = standing::from_text(&SourceText::new("body", text), &["mx.test".to_owned()]) {
        assert!(!remarks.is_empty(), "refused without a word");
        assert!(!draw_remarks(&remarks, Paint::Plain).is_empty());
    }
}

/// So does a fault on the command line.
pub fn fault_line(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(remarks) = standing::from_line(&SourceText::new("--fault", text), &["mx.test".to_owned()]) {
        assert!(!remarks.is_empty(), "refused without a word");
        assert!(!draw_remarks(&remarks, Paint::Plain).is_empty());
    }
}

/// And a scenario.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(remarks) = mxdrill::scenario::load(SourceText::new("drill.yaml", text), None) {
        assert!(!draw_remarks(&remarks, Paint::Plain).is_empty());
    }
}

/// And an inventory.
pub fn inventory(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(remarks) = mxdrill::inventory::load(&SourceText::new("inventory.yaml", text)) {
        assert!(!draw_remarks(&remarks, Paint::Plain).is_empty());
    }
}

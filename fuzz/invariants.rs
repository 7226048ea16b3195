//! What must hold for any bytes: one function a target. The fuzz targets call them, and so do the tests with the seeds in
//! `corpus/`, so that every build keeps what fuzzing has found.

#![allow(unreachable_pub, dead_code, reason = "each target takes its own, and the tests all")]

use jiff::Timestamp;
use mxdrill::collect::log::{Event, Line as At, Lines, Sense, What};
use mxdrill::inventory::LogFormat;
use mxdrill::mail::framing::{BodyScanner, Line, LineScanner, stuff, unstuff};
use mxdrill::mail::reply::{Flaw, Parsed};
use mxdrill::mail::{Command, Reply, proxy_protocol, received as headers};
use mxdrill::scenario::standing;
use mxdrill::source::{Paint, SourceText, draw_remarks};
use mxdrill::trace::{Cutter, MAX_LINE, Seen};

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
    ("log", log),
    ("wrapper", wrapper),
    ("cutter", cutter),
    ("received", received),
    ("proxy-header", proxy_header),
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
        let digits: Vec<u8> =
            bytes.iter().copied().skip_while(u8::is_ascii_whitespace).take_while(u8::is_ascii_digit).collect();
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

/// When the logs were read.
const READ_AT: Timestamp = Timestamp::constant(1_800_000_000, 0);
/// The most that one byte of a log may turn into, in bytes of events: every recipient of a line has its own event with
/// the reply that all share, which is cut.
const MOST_A_BYTE: usize = 4096;

/// What a log tells, and what became of each line.
struct Heard {
    events: Vec<Event>,
    senses: Vec<Sense>,
}

/// Reads lines as `trace` does.
fn heard<'a>(format: LogFormat, lines: impl Iterator<Item = &'a [u8]>) -> Heard {
    let mut reader = Lines::new("mail.log", format);
    let (mut heard, mut read) = (Heard { events: vec![], senses: vec![] }, 0);
    for (number, line) in (1..).zip(lines) {
        let before = heard.events.len();
        let sense = reader.read(At::Number(number), line, READ_AT, &mut |event| heard.events.push(event));
        heard.senses.push(sense);
        read += line.len() + 1;
        for event in &heard.events[before..] {
            assert_eq!(event.place.line, At::Number(number), "an event is of the line that was read");
        }
        let told: usize = heard.events.iter().map(|event| format!("{event:?}").len()).sum();
        assert!(told <= MOST_A_BYTE * (read + 16), "{read} bytes tell {told}");
    }
    heard
}

/// The events, wherever their lines stand.
fn anywhere(events: &[Event]) -> Vec<Event> {
    let mut events = events.to_vec();
    events.iter_mut().for_each(|event| event.place.line = At::Number(0));
    events
}

/// A log tells the same with line ends of either kind and with empty lines in it; every line is accounted for, and what
/// is kept of it is bounded. The first byte is the format: `a` is the first of them.
pub fn log(bytes: &[u8]) {
    let Some((format, text)) = bytes.split_first() else { return };
    let format = LogFormat::ALL[usize::from(format.wrapping_sub(b'a')) % LogFormat::ALL.len()];
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let whole = heard(format, lines.iter().copied());
    assert_eq!(whole.senses.len(), lines.len());
    let ended: Vec<Vec<u8>> =
        lines.iter().map(|it| if it.ends_with(b"\r") { it.to_vec() } else { [it, &b"\r"[..]].concat() }).collect();
    let other = heard(format, ended.iter().map(Vec::as_slice));
    assert_eq!((other.events, other.senses), (whole.events.clone(), whole.senses.clone()), "with CRLF");
    let spread = heard(format, lines.iter().flat_map(|it| [*it, &b""[..]]));
    assert_eq!(anywhere(&spread.events), anywhere(&whole.events), "with empty lines");
}

/// Whatever a log daemon or a container puts around a line, it tells the same, and so it does in two parts.
pub fn wrapper(bytes: &[u8]) {
    let Some((cut, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    // Syslog's own repetitions are written around the text by it, and not by the others.
    let plain = text.trim() == text && !text.is_empty() && !text.starts_with("message repeated");
    if !plain || text.chars().any(|c| c.is_control() || c == '\u{feff}') {
        return;
    }
    let told = |lines: &[String]| -> Vec<(Option<String>, What)> {
        let heard = heard(LogFormat::Postfix, lines.iter().map(String::as_bytes));
        heard.events.into_iter().map(|event| (event.queue_id, event.what)).collect()
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let plain = format!("2026-11-21T05:42:24.5+00:00 mx1 postfix/smtp[114]: {text}");
    let expected = told(std::slice::from_ref(&plain));
    let rfc_5424 = format!("<22>1 2026-11-21T05:42:24Z mx1 postfix/smtp 114 - - {text}");
    let docker =
        |text: &str| format!("{{\"log\":{},\"stream\":\"stdout\",\"time\":\"2026-11-21T05:42:24.1Z\"}}", quoted(text));
    let cri = |mark: char, text: &str| format!("2026-11-21T05:42:24.1Z stdout {mark} {text}");
    let at =
        (0..=usize::from(*cut) % (plain.len() + 1)).rev().find(|at| plain.is_char_boundary(*at)).unwrap_or_default();
    let (start, rest) = plain.split_at(at);
    for lines in [
        vec![format!("Nov 21 05:42:24 mx1 postfix/smtp[114]: {text}")],
        vec![format!("<22>Nov 21 05:42:24 mx1 postfix/smtp[114]: {text}")],
        vec![format!("{} {rfc_5424}", rfc_5424.len())],
        vec![rfc_5424],
        vec![docker(&format!("{plain}\n"))],
        vec![docker(start), docker(&format!("{rest}\n"))],
        vec![cri('F', &plain)],
        vec![cri('P', start), cri('F', rest)],
        vec![format!("mx1-1  | {plain}")],
        vec![format!(
            "{{\"__REALTIME_TIMESTAMP\":\"1795239744004932\",\"SYSLOG_IDENTIFIER\":\"postfix/smtp\",\"MESSAGE\":{}}}",
            quoted(&text)
        )],
    ] {
        assert_eq!(told(&lines), expected, "{lines:?}");
    }
}

/// Bytes are the same lines wherever the blocks that they are read in end, and no byte is lost.
pub fn cutter(bytes: &[u8]) {
    let cut = |piece: usize| {
        let (mut cutter, mut seen, mut length) = (Cutter::default(), vec![], 0);
        let mut note = |line, it: Seen<'_>| {
            seen.push((line, format!("{it:?}")));
            length += match it {
                Seen::Line(text) => text.len() + 1,
                Seen::Cut(text) => text.len(),
                Seen::Overlong => unreachable!("{} bytes are no line of {MAX_LINE}", bytes.len()),
            };
        };
        bytes.chunks(piece).for_each(|part| cutter.take(part, &mut note));
        cutter.end(&mut note);
        assert_eq!(length, bytes.len(), "in pieces of {piece}");
        seen
    };
    if bytes.len() >= MAX_LINE {
        return;
    }
    let whole = cut(bytes.len().max(1));
    for piece in [1, 2, 3, 7, 64] {
        assert_eq!(cut(piece), whole, "in pieces of {piece}");
    }
}

/// `Received:` headers are those of the message's own head, and no clause is more than its header says.
pub fn received(bytes: &[u8]) {
    let chain = headers::chain(bytes);
    assert!(chain.len() <= headers::MAX_HOPS);
    for (clauses, raw) in &chain {
        assert!(raw.len() <= 3 * bytes.len(), "a header is part of the message");
        assert!(!raw.contains(['\r', '\n']), "it is unfolded");
        for clause in [&clauses.with, &clauses.at].into_iter().flatten() {
            assert!(clause.len() <= raw.len(), "{clause:?} of {raw:?}");
        }
    }
    let head = [bytes, b"\r\n\r\n"].concat();
    let with_body =
        [head.as_slice(), b"Received: from a by b with ESMTP id c; Sat, 21 Nov 2026 06:40:00 +0000\r\n"].concat();
    assert_eq!(headers::chain(&with_body), headers::chain(&head), "a body has no headers");
}

/// A PROXY header ends where it ends, however little is there at first; what is written is read again.
pub fn proxy_header(bytes: &[u8]) {
    use proxy_protocol::{Header, Parsed as Head, parse};
    match parse(bytes) {
        Head::Header(header, taken) => {
            assert!(taken <= bytes.len());
            for seen in 0..taken {
                let Head::Incomplete(more) = parse(&bytes[..seen]) else { panic!("{seen} of {taken} bytes are whole") };
                assert!((1..=taken - seen).contains(&more), "{more} more after {seen} of {taken}");
            }
            assert_eq!(parse(&bytes[..taken]), parse(bytes), "what follows is not read");
            if let Header::For { source, destination } = header {
                let (one, two) =
                    (proxy_protocol::to_v1(source, destination), proxy_protocol::to_v2(source, destination));
                assert!(one.len() <= proxy_protocol::MAX_V1);
                assert_eq!(parse(&one), Head::Header(header, one.len()));
                assert_eq!(parse(&two), Head::Header(header, two.len()));
            }
        }
        Head::Incomplete(more) => assert!(more > 0, "nothing more is needed"),
        Head::No(_) => {
            let longer = [bytes, b"\r\n"].concat();
            assert!(matches!(parse(&longer), Head::No(_)), "more bytes make no header of it");
        }
    }
}

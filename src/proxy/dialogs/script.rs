//! Reading dialogues.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::play::run;
use crate::mail::Stage;
use crate::proxy::announce::Introduction;
use crate::scenario::{Fault, read_fault};
use crate::source::{Paint, SourceText, draw_remarks};
use crate::terms::Smuggling;

/// One dialogue.
pub(super) struct Dialog {
    pub(super) file: String,
    pub(super) title: String,
    pub(super) faults: Vec<Arc<Fault>>,
    pub(super) announced: Announced,
    pub(super) sight: Sight,
    pub(super) smuggling: Smuggling,
    pub(super) introduced: Introduction,
    /// With their numbers.
    pub(super) lines: Vec<(usize, Line)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Announced {
    Yes,
    No,
}

/// Whether the proxy can see behind STARTTLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Inside,
    Blind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Client,
    Server,
}

#[derive(Clone, Debug)]
pub(super) enum Line {
    UpTo(Stage),
    Says(Who, Vec<u8>),
    Sees(Who, Vec<u8>),
    Ends(Who),
    SeesClose(Who),
    SeesReset(Who),
    SeesNothing(Who, Duration),
    SeesHello(Who),
    /// Verdicts on the certificate that a client sees.
    Secures(Who, String),
    /// Why a client gets no TLS.
    FailsToSecure(String),
    Lift,
    Raise,
    Fired(String),
    NeverFired,
    Warned(String),
    /// CR and LF that stood alone, as they are noted.
    Bare(String),
}

/// The dialogues of a file.
pub(super) fn read(path: &Path) -> Vec<Dialog> {
    let file = path.file_name().expect("a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("a text");
    let mut dialogs: Vec<Dialog> = vec![];
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            let (file, title) = (file.clone(), title.to_owned());
            let (announced, sight) = (Announced::Yes, Sight::Inside);
            let (smuggling, introduced) = (Smuggling::Pass, Introduction::None);
            dialogs.push(Dialog {
                file,
                title,
                faults: vec![],
                announced,
                sight,
                smuggling,
                introduced,
                lines: vec![],
            });
            continue;
        }
        let dialog = dialogs.last_mut().unwrap_or_else(|| panic!("{file}:{number}: no dialogue has begun"));
        take(dialog, number, line).unwrap_or_else(|why| panic!("{file}:{number}: {why}: {line}"));
    }
    dialogs
}

fn take(dialog: &mut Dialog, number: usize, line: &str) -> Result<(), String> {
    if let Some(fault) = line.strip_prefix("F: ") {
        dialog.faults.push(fault_of(fault)?);
        return Ok(());
    }
    if line == "stranger" {
        dialog.announced = Announced::No;
        return Ok(());
    }
    if line == "blind" {
        dialog.sight = Sight::Blind;
        return Ok(());
    }
    if line == "refuse smuggling" {
        dialog.smuggling = Smuggling::Refuse;
        return Ok(());
    }
    if line == "vouching" {
        dialog.introduced = Introduction::Xclient;
        dialog.smuggling = Smuggling::Refuse;
        return Ok(());
    }
    let line = step(line)?;
    match (dialog.lines.last_mut(), &line) {
        // Lines in a row are one write.
        (Some((_, Line::Says(before, bytes))), Line::Says(who, more)) if before == who => bytes.extend(more),
        _ => dialog.lines.push((number, line)),
    }
    Ok(())
}

fn fault_of(text: &str) -> Result<Arc<Fault>, String> {
    let inner = text.strip_prefix('{').ok_or("a fault stands in braces")?;
    let source = SourceText::new("fault", format!("{{ host: mx.test, {inner}"));
    let fault = read_fault(&source).map_err(|remarks| draw_remarks(&remarks, Paint::Plain))?;
    Ok(Arc::new(fault))
}

fn step(line: &str) -> Result<Line, String> {
    let bad = || "not a line of a dialogue".to_owned();
    match line {
        "lift" => return Ok(Line::Lift),
        "raise" => return Ok(Line::Raise),
        "never fired" => return Ok(Line::NeverFired),
        _ => {}
    }
    if let Some(stage) = line.strip_prefix("up to ") {
        return stage.parse().map(Line::UpTo).map_err(|_| bad());
    }
    if let Some(fired) = line.strip_prefix("fired ") {
        return Ok(Line::Fired(filled(fired)));
    }
    if let Some(warned) = line.strip_prefix("warned: ") {
        return Ok(Line::Warned(warned.to_owned()));
    }
    if let Some(bare) = line.strip_prefix("bare in ") {
        return Ok(Line::Bare(bare.to_owned()));
    }
    let who = match line.chars().next() {
        Some('C') => Who::Client,
        Some('S') => Who::Server,
        _ => return Err(bad()),
    };
    of(who, &line[1..]).ok_or_else(bad)
}

fn of(who: Who, rest: &str) -> Option<Line> {
    if let Some(time) = rest.strip_prefix(" sees nothing for ") {
        let seconds = time.strip_suffix('s')?.parse().ok()?;
        return Some(Line::SeesNothing(who, Duration::from_secs_f64(seconds)));
    }
    if let Some(verdicts) = rest.strip_prefix(" ~~ TLS") {
        return Some(Line::Secures(who, verdicts.trim_start().to_owned()));
    }
    if let (Who::Client, Some(why)) = (who, rest.strip_prefix(" ~~ no TLS: ")) {
        return Some(Line::FailsToSecure(why.to_owned()));
    }
    match rest {
        " sees a hello" => return Some(Line::SeesHello(who)),
        " ends" => return Some(Line::Ends(who)),
        " sees close" => return Some(Line::SeesClose(who)),
        " sees reset" => return Some(Line::SeesReset(who)),
        _ => {}
    }
    let (mark, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let line = || format!("{}\r\n", filled(text)).into_bytes();
    match mark {
        ">" => Some(Line::Says(who, line())),
        "<" => Some(Line::Sees(who, line())),
        ">>" => Some(Line::Says(who, exact(text)?)),
        "<<" => Some(Line::Sees(who, exact(text)?)),
        _ => None,
    }
}

fn filled(text: &str) -> String {
    text.replace("{tag}", run().probe(1).as_str()).replace("{tag2}", run().probe(2).as_str())
}

/// What stands in quotes, with `\r`, `\n`, `\0` and `\\`; behind them may stand ` * 100`.
fn exact(text: &str) -> Option<Vec<u8>> {
    let (text, times) = match text.rsplit_once("\" * ") {
        Some((text, times)) => (text, times.parse().ok()?),
        None => (text.strip_suffix('"')?, 1),
    };
    let mut bytes = vec![];
    let filled = filled(text.strip_prefix('"')?);
    let mut chars = filled.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next()? {
                'r' => '\r',
                'n' => '\n',
                '0' => '\0',
                other => other,
            },
            plain => plain,
        };
        bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
    }
    Some(bytes.repeat(times))
}

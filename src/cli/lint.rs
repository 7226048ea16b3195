//! `mxdrill lint`: an MTA-STS policy, or a record, before it is published.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::arguments::{Common, Format, LintKind};
use super::{Exit, Screen};
use crate::policy::Lint;
use crate::source::draw_all;

/// The most bytes that are read; beyond the limit of a policy only their number matters.
const MAX_BYTES: u64 = 1 << 20;

pub(super) fn lint(screen: &Screen, common: &Common, kind: &LintKind) -> Exit {
    let lint = match kind {
        LintKind::MtaStsPolicy { file, mx } => {
            file_or_stdin(screen, file).map(|bytes| Lint::policy(&shown(file), &bytes, mx))
        }
        LintKind::MtaStsRecord { text } => text_or_stdin(screen, text).map(|bytes| Lint::record("TEXT", &bytes)),
        LintKind::TlsrptRecord { text } => text_or_stdin(screen, text).map(|bytes| Lint::tlsrpt("TEXT", &bytes)),
    };
    let lint = match lint {
        Ok(lint) => lint,
        Err(exit) => return exit,
    };
    match common.format {
        Format::Json => screen.result(&format!("{}\n", serde_json::to_string_pretty(&lint).unwrap_or_default())),
        Format::Text => {
            let mut text = draw_all(&lint.source, &lint.diagnostics(), screen.paint);
            if !(text.is_empty() || common.quiet) {
                text.push('\n');
            }
            if !common.quiet {
                text.push_str(&lint.summary());
                text.push('\n');
            }
            screen.result(&text);
        }
    }
    if lint.valid { Exit::Clean } else { Exit::Failed }
}

fn shown(file: &Path) -> String {
    if file == Path::new("-") { "<stdin>".to_owned() } else { file.display().to_string() }
}

fn text_or_stdin(screen: &Screen, text: &str) -> Result<Vec<u8>, Exit> {
    if text == "-" { file_or_stdin(screen, Path::new("-")) } else { Ok(text.as_bytes().to_vec()) }
}

fn file_or_stdin(screen: &Screen, path: &Path) -> Result<Vec<u8>, Exit> {
    let all = |from: &mut dyn Read| {
        let mut bytes = vec![];
        from.take(MAX_BYTES).read_to_end(&mut bytes).map(|_| bytes)
    };
    let read = if path == Path::new("-") {
        all(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| all(&mut file))
    };
    read.map_err(|error| {
        let help = "give the path of a policy file, or `-` for stdin";
        screen.error(&format!("`{}` cannot be read: {error}", shown(path)), &[], Some(help));
        Exit::Usage
    })
}

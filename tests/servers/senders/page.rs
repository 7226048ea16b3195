//! The tables of `docs/senders.md`, drawn from what is expected: the page cannot say anything that the tests do not.

use std::fs;
use std::path::Path;

use super::matrix::{Expected, Origin};
use super::mta::Mta;
use super::trials::{Framing, TRIALS, Tls, Trial};

const SENDERS: [Mta; 4] = [Mta::Postfix, Mta::Exim, Mta::OpenSmtpd, Mta::Chasquid];
const BEGIN: &str = "<!-- drawn by tests/servers/senders/page.rs -->\n";
const END: &str = "<!-- drawn up to here -->\n";

#[test]
fn the_page_shows_what_is_expected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/senders.md");
    let page = fs::read_to_string(&path).expect("docs/senders.md");
    let (before, rest) = page.split_once(BEGIN).expect("the beginning of the tables");
    let (shown, after) = rest.split_once(END).expect("their end");
    let drawn = tables(&Expected::read());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, [before, BEGIN, &drawn, END, after].concat()).expect("docs/senders.md");
    } else {
        assert!(shown == drawn, "docs/senders.md is not as it was:\n{drawn}\n(UPDATE_GOLDEN=1 writes it anew)");
    }
}

fn tables(expected: &Expected) -> String {
    let mut text = "\n| | fault at the primary |".to_owned();
    SENDERS.iter().for_each(|mta| text += &format!(" {} |", mta.title()));
    text += "\n|---|---|---|---|---|---|\n";
    for trial in TRIALS {
        let cells = SENDERS.map(|mta| format!(" {} |", cell(expected, mta, trial)));
        text += &format!("| {} | {} |{}\n", trial.name, fault(trial), cells.concat());
    }
    text += "\n| sender | after | the next message, when the fault is gone | why |\n|---|---|---|---|\n";
    for memory in expected.memory() {
        let title = Mta::of(&memory.mta).title();
        text += &format!("| {title} | {} | {} | {} |\n", memory.trials.join(", "), memory.outcome, memory.why);
    }
    text += "\n| sender | | matrix | here | why |\n|---|---|---|---|---|\n";
    for (mta, trial) in SENDERS.iter().flat_map(|mta| TRIALS.iter().map(move |trial| (*mta, trial))) {
        if let Some((there, here)) = expected.difference(mta, trial) {
            let title = mta.title();
            text += &format!("| {title} | {} | {there} | {} | {} |\n", trial.name, here.outcome, here.why);
        }
    }
    text + "\n"
}

fn cell(expected: &Expected, mta: Mta, trial: &Trial) -> String {
    if !mta.can(trial) {
        return "–".to_owned();
    }
    let mark = match expected.origin(mta, trial) {
        Origin::Matrix => "",
        Origin::Here => " °",
        Origin::Differs => " ≠",
    };
    let slow = if mta.is_quick(trial) { "" } else { " †" };
    let outcome = expected.outcome(mta, trial);
    let outcome = outcome.unwrap_or_else(|| panic!("what {} does in {} is not known", mta.title(), trial.name));
    format!("{outcome}{mark}{slow}")
}

fn fault(trial: &Trial) -> String {
    let said = match (trial.fault, trial.dns) {
        (Some(fault), _) => format!("`{}`", fault.replace(", scope: all", "")),
        (None, Some((record, action))) => format!("its {record} record: {}", action.word()),
        (None, None) => "none".to_owned(),
    };
    let beside = match trial.tls {
        Tls::Everybody => "",
        Tls::Primary => ", and a backup without STARTTLS",
        Tls::Nobody => ", in clear text",
    };
    format!("{said}{}{beside}", if trial.framing == Framing::Bdat { ", with BDAT" } else { "" })
}

//! The rules against everything that was measured, and the story of single predictions.

use super::*;
use crate::classes::measured::{self, Cell};
use crate::scenario::standing;
use crate::source::SourceText;

fn read(line: &str) -> Fault {
    let read = standing::of_a_drill(&SourceText::new("--fault", line));
    let drawn = |said: Vec<_>| panic!("{}", crate::source::draw_remarks(&said, crate::source::Paint::Plain));
    read.unwrap_or_else(drawn).faults.remove(0).fault
}

fn foretold(class: SenderClass, line: &str) -> Prediction {
    predict(class, &read(line), line)
}

/// What differs between a cell and the prediction for it, under each line that says its fault.
fn differences(cell: &Cell, lines: &[String]) -> Vec<String> {
    let wanted = known::says(&cell.outcome).expect("an outcome of one message");
    let twice = cell.outcome.ends_with("+dup_risk") || cell.outcome == "primary_duplicate_copies";
    let differs = |line: &String| {
        let said = foretold(cell.class, line);
        // What hangs has not told yet whether it will be sent again.
        let risk = wanted == Predicted::Hangs || said.duplicate_risk == twice;
        (said.outcome != wanted || !risk || said.basis != Basis::Measured)
            .then(|| format!("{} {} `{line}`: measured {}, foretold {said:?}", cell.class, cell.fault, cell.outcome))
    };
    lines.iter().filter_map(differs).collect()
}

#[test]
fn every_line_of_the_measured_faults_can_be_read() {
    let lines = measured::all().meanings.iter().map(|meaning| meaning.lines.len()).sum::<usize>();
    assert_eq!((known::LINES.len(), lines), (54, 54));
}

/// The table test: the rules, which know no cell, give what was measured, cell by cell.
#[test]
fn the_rules_give_what_was_measured() {
    let mut wrong = vec![];
    let (mut matrix, mut here, mut without_a_line) = (0, 0, vec![]);
    for cell in &measured::all().cells {
        let meanings = measured::all().meanings.iter().filter(|meaning| meaning.covers(cell).is_some());
        let lines: Vec<String> = meanings.flat_map(|meaning| meaning.lines.clone()).collect();
        match (lines.is_empty(), cell.fault.contains('-')) {
            (true, _) => {
                without_a_line.push(cell.fault.as_str());
                continue;
            }
            (false, true) => here += 1,
            (false, false) => matrix += 1,
        }
        wrong.extend(differences(cell, &lines));
    }
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((matrix, here), (224, 83), "cells that a fault line can say");
    // 76 rows of the matrix, and eleven of the trials: the reasons stand in fallback-faults.json.
    assert_eq!(without_a_line.len(), 87, "{without_a_line:?}");
}

#[test]
fn a_measured_cell_gives_its_seconds_and_names_its_server() {
    let said = foretold(SenderClass::Postfix, "at=connect do=drop-syn");
    assert_eq!((said.outcome, said.seconds, said.basis), (Predicted::Next, Some(30.08), Basis::Measured));
    assert_eq!(said.source, "Postfix 3.7.11 of Debian 12 under `syn_blackhole`: backup after 30.08 s");
}

#[test]
fn what_nobody_measured_follows_from_the_rules() {
    let said = foretold(SenderClass::OpenSmtpd, r#"at=rcpt do=reply:"454 4.3.0 odd""#);
    assert_eq!((said.outcome, said.basis), (Predicted::Deferred, Basis::Derived));
    assert!(said.rule.contains("does not go on to the next MX"), "{}", said.rule);
    let said = foretold(SenderClass::Haraka, r#"at=rcpt do=reply:"450 4.2.0 busy""#);
    assert_eq!((said.outcome, said.basis), (Predicted::Deferred, Basis::Source));
    let said = foretold(SenderClass::Rfc5321, r#"at=rcpt do=reply:"450 4.2.0 busy""#);
    assert_eq!((said.outcome, said.seconds, said.basis), (Predicted::Next, Some(0.0), Basis::Source));
}

#[test]
fn timers_decide_whether_a_delay_is_a_fault() {
    let outcome = |class, line| (foretold(class, line).outcome, foretold(class, line).seconds);
    assert_eq!(outcome(SenderClass::Postfix, "at=rcpt do=delay:4m"), (Predicted::Delivered, Some(240.0)));
    assert_eq!(outcome(SenderClass::Postfix, "at=rcpt do=delay:6m"), (Predicted::Next, Some(300.0)));
    assert_eq!(outcome(SenderClass::Chasquid, "at=rcpt do=delay:6m"), (Predicted::Delivered, Some(360.0)));
    assert_eq!(outcome(SenderClass::OpenSmtpd, "at=rcpt do=delay:6m"), (Predicted::Deferred, Some(300.0)));
    // It would go on after an hour.
    assert_eq!(outcome(SenderClass::Sendmail, "at=rcpt do=delay:2h"), (Predicted::Hangs, Some(3600.0)));
    assert_eq!(outcome(SenderClass::Dma, "at=rcpt do=delay:2h"), (Predicted::Delivered, Some(7200.0)));
}

#[test]
fn triggers_are_counted_as_the_proxy_counts_them() {
    let outcome = |class, line| foretold(class, line).outcome;
    let helo = r#"at=ehlo first=1 do=reply:"550 5.7.1 no""#;
    assert_eq!(outcome(SenderClass::Postfix, helo), Predicted::Delivered);
    assert_eq!(outcome(SenderClass::Dma, helo), Predicted::Bounced);
    let second = r#"at=ehlo nth=2 do=reply:"450 4.3.0 later""#;
    assert_eq!(outcome(SenderClass::Postfix, second), Predicted::Delivered, "EHLO behind STARTTLS, then HELO");
    assert_eq!(outcome(SenderClass::Rfc5321, second), Predicted::Next, "HELO follows 5yz only");
    assert_eq!(outcome(SenderClass::Rfc5321, "at=rcpt nth=2 do=close"), Predicted::Delivered);
    assert!(foretold(SenderClass::Rfc5321, "at=rcpt chance=0.5 do=close").proviso.is_some());
}

#[test]
fn a_handshake_that_fails_is_a_fallback_for_some_and_clear_text_for_others() {
    let outcome = |class| foretold(class, "at=starttls do=tls:garbage").outcome;
    assert_eq!(outcome(SenderClass::Postfix), Predicted::Next);
    assert_eq!(outcome(SenderClass::Exim), Predicted::Delivered);
    assert_eq!(outcome(SenderClass::Rfc5321), Predicted::Delivered);
    assert_eq!(outcome(SenderClass::Dma), Predicted::Delivered);
}

#[test]
fn the_json_form_has_the_keys_of_the_contract() {
    let said = foretold(SenderClass::Courier, "at=eom do=lose-reply");
    let json = serde_json::to_value(&said).expect("JSON");
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    let mut wanted = ["sender", "fault", "outcome", "duplicate_risk", "seconds", "basis", "source"];
    wanted.sort_unstable();
    let mut keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, wanted);
    assert_eq!(
        (&json["outcome"], &json["duplicate_risk"], &json["sender"]),
        (&serde_json::json!("deferred"), &serde_json::json!(true), &serde_json::json!("courier"),)
    );
}

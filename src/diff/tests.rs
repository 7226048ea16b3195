use jiff::Timestamp;

use super::*;
use crate::record::{Examination, FindingSeverity, RunId};

fn audit(findings: Vec<Finding>) -> Vec<Record> {
    let examination = Examination {
        run: RunId::from_entropy(1),
        started: Timestamp::UNIX_EPOCH,
        finished: Timestamp::UNIX_EPOCH,
        command: vec![],
        name: "audit of drill.example".to_owned(),
        inventory: None,
        findings,
        coverage: vec![],
    };
    vec![examination.into_record()]
}

fn stale(host: &str, line: u64) -> Finding {
    Finding::new("relay-configured", FindingSeverity::Error, "postfix", format!("`relayhost` names {host}"))
        .platform(Some("legacy"))
        .shown_by(
            serde_json::json!({ "file": "/etc/postfix/main.cf", "line": line, "key": "relayhost", "value": host }),
        )
}

#[test]
fn a_finding_whose_line_moved_is_the_same_finding() {
    let (before, after) = (audit(vec![stale("mx.old.example", 7)]), audit(vec![stale("mx.old.example", 9)]));
    let difference = compare(&before, &after, "legacy");
    assert_eq!(difference.findings.iter().map(|it| it.fate).collect::<Vec<_>>(), [Fate::Stayed]);
    assert_eq!(difference.legacy, Legacy::Still);
}

#[test]
fn what_was_mended_is_gone() {
    let difference = compare(&audit(vec![stale("mx.old.example", 7)]), &audit(vec![]), "legacy");
    assert_eq!(difference.findings.iter().map(|it| it.fate).collect::<Vec<_>>(), [Fate::Gone]);
    assert_eq!(difference.legacy, Legacy::Gone);
    assert!(render(&difference).contains("`legacy` is on no way any more"), "{}", render(&difference));
}

#[test]
fn a_record_without_a_probe_tells_nothing() {
    assert_eq!(compare(&audit(vec![]), &[], "legacy").legacy, Legacy::Unknown);
}

//! What is made of records afterwards, and what packages install beside the program.

use std::fs;

use super::{code, run, stdout};

/// The records of the stale backup MX and of the same migration once it is fixed.
fn before_and_after() -> (tempfile::TempDir, [String; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = ["01-backup-mx-still-legacy", "02-backup-mx-on-the-new-platform"].map(|name| {
        let path = folder.path().join(format!("{name}.json")).display().to_string();
        let scenario = format!("{}/scenarios/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let ran = run(&["run", &scenario, "--seed", "7", "--report", &format!("json={path}")]);
        assert_eq!(code(&ran), 0, "{ran:?}");
        path
    });
    (folder, paths)
}

#[test]
fn a_difference_says_which_relay_is_gone_and_fails_while_the_legacy_one_is_there() {
    let (_folder, [before, after]) = before_and_after();
    let fixed = run(&["diff", &before, &after]);
    assert_eq!(code(&fixed), 0, "{fixed:?}");
    let text = stdout(&fixed);
    assert!(text.contains("  -  mx.old.example (`legacy`)"), "{text}");
    assert!(text.contains("  =  mx1.new.example (`new`)"), "{text}");
    assert!(text.contains("`legacy` is on no way any more"), "{text}");
    let still = run(&["diff", &after, &before, "--format", "json"]);
    assert_eq!(code(&still), 1, "{still:?}");
    let json: serde_json::Value = serde_json::from_str(&stdout(&still)).expect("JSON");
    assert_eq!(json["legacy"], "still-there");
    assert_eq!(code(&run(&["diff", &before, "no-such-file.json"])), 2);
}

#[test]
fn a_record_becomes_a_page_for_the_handbook_a_file_for_a_ticket_and_annotations() {
    let (folder, [before, _]) = before_and_after();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [page, file, lines] = [path("page.md"), path("page.html"), path("lines.txt")];
    let reports = [format!("md={page}"), format!("html={file}"), format!("github={lines}")];
    let mut arguments = vec!["report", &before];
    reports.iter().for_each(|report| arguments.extend(["--report", report]));
    let rendered = run(&arguments);
    assert_eq!(code(&rendered), 0, "{rendered:?}");
    let page = fs::read_to_string(page).expect("a page");
    assert!(page.contains("### The design as proven by this run"), "{page}");
    assert!(page.contains("| 20 | mx.old.example |"), "{page}");
    assert!(fs::read_to_string(file).expect("a file").starts_with("<!DOCTYPE html>"));
    // The scenario says that it fails, and it does: there is nothing to annotate.
    assert_eq!(fs::read_to_string(lines).expect("lines"), "");
}

#[test]
fn the_manual_and_the_completions_know_every_command() {
    let (manual, completions) = (run(&["man"]), run(&["completions", "bash"]));
    assert_eq!((code(&manual), code(&completions)), (0, 0));
    for command in ["run", "plan", "proxy", "diff", "report"] {
        assert!(stdout(&manual).contains(&format!(".SH MXDRILL {}", command.to_uppercase())), "{command}");
        assert!(stdout(&completions).contains(command), "{command}");
    }
}

//! The test vectors: what the letter of the RFCs says, and what projects' own code answered.

use serde_json::Value;

use super::problem::{Grammar, Problem, Severity};
use super::record::delegated_to;
use super::senders::Profile;
use super::{Announced, Document, Record, TlsrptRecord, TxtAnswer, covers};

fn vectors(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../tests/data/mta-sts-vectors.json")).expect("JSON");
    let found: Vec<Value> = all["vectors"].as_array().expect("a list").clone();
    let found: Vec<Value> = found.into_iter().filter(|it| it["kind"] == kind).collect();
    assert!(found.len() >= 8, "{kind}: {}", found.len());
    found
}

/// Runs `check` over all vectors of a kind and says everything that is wrong at once.
pub(super) fn all(kind: &str, check: impl Fn(&Value) -> Vec<String>) {
    let wrong: Vec<String> = vectors(kind)
        .iter()
        .flat_map(|vector| check(vector).into_iter().map(|it| format!("{}: {it}", vector["id"])))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Compares, and says how they differ.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Vec<String> {
    if found == wanted { vec![] } else { vec![format!("{what} is {found:?}, not {wanted:?}")] }
}

/// Every project that the vector has an answer of, with its profile and that answer.
fn observed(vector: &Value) -> Vec<(String, &'static Profile, String)> {
    let projects = vector["observed"].as_object().expect("answers");
    let profile = |name: &str| {
        match name {
            "checkdmarc@d4866ca" => "checkdmarc-5",
            "go-mtasts(maddy)" => "maddy",
            "postfix-mta-sts-resolver(postfix match=)" => "postfix-mta-sts-resolver",
            other => other,
        }
        .to_owned()
    };
    projects
        .iter()
        .map(|(name, answer)| {
            let known = Profile::named(&profile(name)).unwrap_or_else(|| panic!("no profile of {name}"));
            (name.clone(), known, answer["result"].as_str().expect("a word").to_owned())
        })
        .collect()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
}

/// The vector's severity, where it gives one, is that of the gravest problem; and a text with a
/// broken grammar has a problem that says so.
fn grave(vector: &Value, problems: &[Problem]) -> Vec<String> {
    let wanted = match vector["audit_severity"].as_str() {
        Some("warn") => Severity::Warning,
        Some("info") => Severity::Info,
        Some(_) => Severity::Error,
        None => {
            return problems.iter().filter(|it| it.severity > Severity::Info).map(|it| it.message.clone()).collect();
        }
    };
    let worst = problems.iter().map(|it| it.severity).max();
    let unsaid = problems.iter().filter(|it| it.message.is_empty() || it.rfc.is_empty()).count();
    [same("the gravest problem", worst, Some(wanted)), same("problems without a text", unsaid, 0)].concat()
}

#[test]
fn records_are_read_by_the_letter_and_as_each_project_reads_them() {
    all("txt_record", |vector| {
        let text = vector["input"]["record"].as_str().expect("a record");
        let record = Record::read(text);
        let valid = vector["expect"]["outcome"] == "valid";
        let mut wrong = same("valid", record.id.is_some(), valid);
        if valid {
            wrong.extend(same("the id", record.id.as_deref(), vector["expect"]["id"].as_str()));
            wrong.extend(same("extensions", Some(record.extensions as u64), vector["expect"]["extensions"].as_u64()));
        }
        wrong.extend(grave(vector, &record.problems));
        for (name, profile, wanted) in observed(vector) {
            let found = match profile.read_record(text) {
                Some(_) if name == "chasquid" => "valid:(id unused)".to_owned(),
                Some(id) => format!("valid:{id}"),
                None => "invalid".to_owned(),
            };
            wrong.extend(same(&name, found, wanted));
        }
        wrong
    });
}

#[test]
fn sets_of_records_are_read_by_the_letter() {
    all("txt_rrset", |vector| {
        let input = &vector["input"];
        let answer = match input["dns"].as_str() {
            Some("nxdomain") => TxtAnswer::NoSuchName,
            Some("servfail") => TxtAnswer::Failed,
            _ => TxtAnswer::Records(input["rdata"].as_array().expect("records").iter().map(strings).collect()),
        };
        let (outcome, id) = match Announced::of(&answer) {
            Announced::Id(id) => ("usable", Some(id)),
            Announced::Nothing(_) => ("no_policy", None),
            Announced::Unknown => ("temp_error", None),
        };
        let legacy = strings(&input["legacy_zones"]);
        let to = delegated_to(input["cname"].as_str().unwrap_or(""), legacy.iter().map(String::as_str));
        [
            same("the outcome", Some(outcome), vector["expect"]["outcome"].as_str()),
            same("the id", id.as_deref(), vector["expect"]["id"].as_str()),
            same("the finding", to.map(|_| "delegated_to_legacy"), vector["expect"]["finding"].as_str()),
        ]
        .concat()
    });
}

#[test]
fn policies_are_read_by_the_letter_and_as_each_project_reads_them() {
    all("policy", |vector| {
        let text = vector["input"]["text"].as_str().expect("a text");
        let expect = &vector["expect"];
        let document = Document::read(text.as_bytes());
        let mut wrong = same("valid", document.policy.is_some(), expect["outcome"] != "invalid");
        if let (Some(policy), "valid") = (&document.policy, expect["outcome"].as_str().unwrap_or("")) {
            wrong.extend(same("the mode", Some(policy.mode.word()), expect["mode"].as_str()));
            wrong.extend(same("max_age", Some(policy.max_age), expect["max_age"].as_u64()));
            wrong.extend(same("mx", policy.mx.clone(), strings(&expect["mx"])));
            wrong.extend(same("extensions", Some(document.extensions as u64), expect["extensions"].as_u64()));
        }
        if expect["finding"] == "mx_is_ip" {
            wrong.extend(same("the problem", document.problems[0].code.word(), "mx-is-address"));
        }
        wrong.extend(grave(vector, &document.problems));
        for (name, profile, wanted) in observed(vector) {
            let found = match profile.read_policy(text) {
                Some(taken) => format!("valid:{}:{}:{}", taken.mode, taken.max_age, taken.mx.join(",")),
                None => "invalid".to_owned(),
            };
            wrong.extend(same(&name, found, wanted));
        }
        wrong
    });
}

#[test]
fn patterns_cover_hosts_by_the_letter_and_as_each_project_matches_them() {
    all("mx_match", |vector| {
        let (pattern, mx) = (&vector["input"]["pattern"], &vector["input"]["mx"]);
        let (pattern, mx) = (pattern.as_str().expect("a pattern"), mx.as_str().expect("a name"));
        let mut wrong = same("covered", Some(covers(pattern, mx)), vector["expect"]["match"].as_bool());
        for (name, profile, wanted) in observed(vector) {
            // Where a project throws policy or name away, nothing is covered.
            wrong.extend(same(&name, profile.covers(pattern, mx), wanted == "True"));
        }
        wrong
    });
}

#[test]
fn tlsrpt_records_are_read_by_the_letter() {
    all("tlsrpt_record", |vector| {
        let record = TlsrptRecord::read(vector["input"]["record"].as_str().expect("a record"));
        [
            same("valid", !record.rua.is_empty(), vector["expect"]["outcome"] == "valid"),
            same("rua", record.rua.clone(), strings(&vector["expect"]["rua"])),
            grave(vector, &record.problems),
        ]
        .concat()
    });
}

/// What a problem's own specimen shows is that problem: senders are asked about nothing else.
#[test]
fn a_specimen_shows_its_problem_and_no_other() {
    for kind in ["policy", "txt_record", "tlsrpt_record"] {
        all(kind, |vector| {
            let problems = |text: &str| match kind {
                "policy" => Document::read(text.as_bytes()).problems,
                "txt_record" => Record::read(text).problems,
                _ => TlsrptRecord::read(text).problems,
            };
            let input = if kind == "policy" { "text" } else { "record" };
            let found = problems(vector["input"][input].as_str().expect("a text"));
            let shown = |problem: &Problem| {
                let again = problems(&problem.specimen);
                let found = again.iter().any(|it| it.code == problem.code);
                let others = again.iter().filter(|it| it.code != problem.code && it.grammar == Grammar::Broken).count();
                same("the problem in its specimen", (problem.code, found, others), (problem.code, true, 0))
            };
            found.iter().flat_map(shown).collect()
        });
    }
}

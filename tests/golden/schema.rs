//! The JSON Schemas say what the decoders say.

#![allow(clippy::expect_used, reason = "a test that cannot read its files has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jsonschema::Validator;
use mxdrill::inventory::decode;
use mxdrill::scenario::{self, schema};
use mxdrill::source::read::Asked;
use mxdrill::source::yaml::{Node, Plainness, Value as Yaml, parse};
use mxdrill::source::{Paint, SourceText, draw_remarks};
use serde_json::Value;

/// Mistakes that no schema can see: names that nothing has, parts that do not fit each other, and
/// values whose form is right.
const BEYOND_A_SCHEMA: &[&str] = &[
    "a-user-that-the-lab-does-not-know",
    "a-login-without-a-password",
    "a-token-for-a-mechanism-with-a-password",
    "a-submission-in-clear-text-over-the-net",
    "a-submission-to-a-host-that-waits-for-starttls",
    "a-placeholder-that-is-none",
    "a-placeholder-of-an-unknown-host",
    "a-smarthost-that-is-nowhere",
    "a-notification-that-is-never-and-sometimes",
    "more-recipients-in-another-domain",
    "more-probes-than-the-limit",
    "a-rate-above-the-limit",
    "a-lab-changed-where-there-is-none",
    "a-cached-policy-that-is-not-applied",
    "a-policy-published-for-another-domain",
    "a-policy-fault-at-an-address-that-is-not-there",
    "a-banner-for-everybody-that-is-not-meant",
    "a-bounced-probe-that-is-somewhere",
    "a-certificate-for-log-lines-in-clear-text",
    "a-collector-of-a-host-elsewhere",
    "a-poll-faster-than-any-server-wants",
    "a-pop3-password-in-clear-text",
    "an-inbucket-without-a-mailbox",
    "a-mailbox-of-a-catcher-that-has-one-for-all",
    "a-catcher-that-is-shown-a-password-in-clear-text",
    "a-dropped-syn-of-one-recipient",
    "a-digest-that-is-none",
    "a-domain-at-an-unknown-platform",
    "a-duration-of-zero",
    "a-family-of-no-lab-host",
    "a-family-that-the-lab-has-not",
    "a-fault-at-a-host-of-no-platform",
    "a-fault-at-an-unknown-host",
    "a-fault-in-a-handshake-that-is-not-offered",
    "a-host-of-two-platforms",
    "a-host-that-fits-a-pattern-of-another-platform",
    "a-host-under-via-and-not-via",
    "a-keyword-hidden-from-the-banner",
    "a-lab-host-in-two-spellings",
    "a-lab-network-too-small-for-its-hosts",
    "a-lab-without-a-zone-for-the-domain",
    "a-mistake-in-the-inventory",
    "a-lease-of-a-run-that-is-too-short",
    "a-network-that-is-none",
    "a-network-with-host-bits",
    "a-password-in-clear-text-over-the-net",
    "a-phase-of-no-migration",
    "a-phase-that-judges-a-later-one",
    "a-phase-that-judges-an-unknown-one",
    "a-phase-that-judges-its-own-and-anothers-probes",
    "a-phase-that-judges-itself",
    "a-phase-that-judges-one-without-probes",
    "a-phase-that-judges-two-others",
    "a-phase-without-probes",
    "a-platform-in-the-scenario-and-the-inventory",
    "a-platform-under-at-and-never",
    "a-probe-larger-than-any-mail",
    "a-proxy-before-an-unknown-host",
    "a-rate-of-a-load-test",
    "a-recipient-before-rcpt",
    "a-refusal-after-the-connection-was-accepted",
    "a-refused-connection-that-is-counted",
    "a-relay-to-an-unknown-host",
    "a-relay-to-itself",
    "a-reply-of-two-codes",
    "a-reply-that-asks-for-more-at-rcpt",
    "a-delay-of-the-body",
    "a-scenario-without-platforms",
    "a-standing-proxy-before-a-host-of-the-lab",
    "a-syslog-receiver-over-tls-without-a-key",
    "a-timeout-of-a-day",
    "a-time-without-a-zone",
    "a-token-in-clear-text-over-the-net",
    "a-trigger-for-an-unknown-phase",
    "a-trigger-of-a-phase-at-a-standing-proxy",
    "a-way-that-is-no-platform",
    "a-wrong-certificate-at-ehlo",
    "a-wrong-certificate-of-a-host-without-starttls",
    "a-zone-that-includes-a-file",
    "a-zone-with-a-line-that-is-no-record",
    "a-zone-with-a-record-of-another-zone",
    "an-address-of-the-other-family",
    "an-address-outside-of-the-lab",
    "an-address-that-the-lab-will-choose",
    "an-expectation-of-a-sender-that-sends-nothing",
    "an-inventory-that-is-no-yaml",
    "an-outage-for-everybody-that-is-not-meant",
    "an-unknown-host",
    "an-unknown-platform-in-at",
    "an-unknown-platform-in-never",
    "bytes-of-a-body-counted-at-rcpt",
    "copies-of-a-deferred-probe",
    "no-copies-at-all",
    "mail-goes-round-in-the-lab",
    "mail-that-ends-in-transit",
    "more-probes-than-a-run-may-have",
    "probes-from-an-unknown-sender",
    "the-first-and-the-nth-at-once",
    "the-recipient-is-in-another-domain",
    "the-recipient-of-a-phase-is-in-another-domain",
    "the-sender-leaves-no-room-for-the-tag",
    "two-phases-of-one-name",
    "two-platforms-look-at-one-place",
];

fn source(path: &str) -> SourceText {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path);
    let text = std::fs::read_to_string(&path).expect("the file is there");
    SourceText::new(path.display().to_string(), text)
}

/// As a JSON tool would see the file, by the core schema of YAML 1.2.
fn as_json(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::List(items) => items.iter().map(as_json).collect(),
        Yaml::Map(entries) => entries.iter().map(|(key, value)| (key.value.clone(), as_json(value))).collect(),
        Yaml::Scalar { text, plain: Plainness::Quoted } => Value::from(text.as_str()),
        Yaml::Scalar { text, plain: Plainness::Plain } => {
            match (text.as_str(), text.parse::<i64>(), text.parse::<f64>()) {
                ("true", ..) => Value::from(true),
                ("false", ..) => Value::from(false),
                (_, Ok(number), _) => Value::from(number),
                (_, _, Ok(number)) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Value::from(number),
                _ => Value::from(text.as_str()),
            }
        }
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("the schema is one")
}

/// What a schema has against a file; nothing for files that are no YAML.
fn objections(schema: &Validator, source: &SourceText) -> Vec<String> {
    let Ok(node) = parse(source) else { return vec!["it is no YAML".to_owned()] };
    let instance = as_json(&node);
    schema.iter_errors(&instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn what_is_right_fits() {
    let (scenario_schema, inventory_schema) = (validator(&schema::scenario()), validator(&schema::inventory()));
    let bundled = scenario::bundled().chain([source("good/everything.yaml")]);
    for source in bundled {
        assert_eq!(objections(&scenario_schema, &source), Vec::<String>::new(), "{}", source.name);
    }
    let inventory = source("good/everything.inventory.yaml");
    assert_eq!(objections(&inventory_schema, &inventory), Vec::<String>::new());
}

#[test]
fn everything_can_be_written_at_once() {
    let loaded = scenario::load(source("good/everything.yaml"), Some(source("good/everything.inventory.yaml")));
    if let Err(said) = loaded {
        assert!(said.is_empty(), "{}", draw_remarks(&said, Paint::Plain));
    }
}

#[test]
fn what_is_wrong_does_not_fit_unless_no_schema_can_see_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bad");
    let schema = validator(&schema::scenario());
    let mut unseen = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let name = entry.expect("an entry").file_name().display().to_string();
        let Some(stem) = name.strip_suffix(".yaml").filter(|stem| !stem.ends_with(".inventory")) else { continue };
        if objections(&schema, &source(&format!("bad/{name}"))).is_empty() {
            unseen.insert(stem.to_owned());
        }
    }
    let known: BTreeSet<String> = BEYOND_A_SCHEMA.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(unseen, known);
}

/// What a schema asks for: the keys of each titled map and the words of each titled set.
fn asked_by(schema: &Value, asked: &mut BTreeMap<(String, &'static str), BTreeSet<String>>) {
    if let Some(map) = schema.as_object() {
        if let Some(title) = map.get("title").and_then(Value::as_str) {
            if let Some(keys) = map.get("properties").and_then(Value::as_object) {
                asked.entry((title.to_owned(), "keys")).or_default().extend(keys.keys().cloned());
            }
            if let Some(words) = map.get("enum").and_then(Value::as_array) {
                let words = words.iter().filter_map(Value::as_str).map(str::to_owned);
                asked.entry((title.to_owned(), "words")).or_default().extend(words);
            }
        }
        map.values().for_each(|value| asked_by(value, asked));
    }
    schema.as_array().into_iter().flatten().for_each(|value| asked_by(value, asked));
}

/// The same of the decoders.
fn asked_by_decoders(asked: &[Asked]) -> BTreeMap<(String, &'static str), BTreeSet<String>> {
    let mut all: BTreeMap<(String, &'static str), BTreeSet<String>> = BTreeMap::new();
    for (what, words, kind) in asked
        .iter()
        .flat_map(|it| it.keys.iter().map(|(k, v)| (k, v, "keys")).chain(it.words.iter().map(|(k, v)| (k, v, "words"))))
    {
        all.entry(((*what).to_owned(), kind)).or_default().extend(words.iter().map(|word| (*word).to_owned()));
    }
    all
}

#[test]
fn schemas_and_decoders_ask_for_the_same() {
    let scenario = scenario::asked(&source("good/everything.yaml"));
    let inventory = decode::asked(&source("good/everything.inventory.yaml"));
    let mut by_schemas = BTreeMap::new();
    asked_by(&schema::scenario(), &mut by_schemas);
    asked_by(&schema::inventory(), &mut by_schemas);
    assert_eq!(by_schemas, asked_by_decoders(&[scenario, inventory]));
}

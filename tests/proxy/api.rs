//! The control API.

use serde_json::{Value, json};

use super::support::*;

/// The faults of a run.
const OF_A_RUN: &str =
    r#"{ "seed": 7, "faults": [{ "number": 3, "fault": { "at": "rcpt", "do": { "reply": "451 4.7.1 later" } } }] }"#;
const LATER: &str = r#"{ "at": "rcpt", "do": { "reply": "451 4.7.1 later" } }"#;

#[test]
fn faults_come_and_go_all_of_them_or_none() {
    let host = Host::start();
    let mut program = Program::before(&host, &[]);
    let (mail, api) = (program.mail(), program.control());
    let added = api.ask("POST", "/v1/faults", LATER);
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(added.json()["faults"][0]["do"], "reply \"451 4.7.1 later\"");
    assert_eq!((rcpt(mail, PROBE).as_str(), rcpt(mail, STRANGER).as_str()), ("451 4.7.1 later", "250 2.1.0 ok"));
    assert_eq!(api.get("/v1/faults/1")["faults"][0]["fired"], 1);

    let half = r#"[{ "at": "mail", "do": "close" }, { "at": "body", "do": { "delay": "1s" } }]"#;
    assert_eq!(api.ask("PUT", "/v1/faults", half).status, 422);
    assert_eq!(api.ask("POST", "/v1/faults", half).status, 422);
    assert_eq!((api.faults(), rcpt(mail, PROBE).as_str()), (vec![1], "451 4.7.1 later"));

    let two = r#"[{ "at": "rcpt", "do": { "reply": "550 5.1.1 no" } }, { "at": "data", "do": "close" }]"#;
    assert_eq!(api.ask("PUT", "/v1/faults", two).status, 200);
    assert_eq!((api.faults(), rcpt(mail, PROBE).as_str()), (vec![2, 3], "550 5.1.1 no"));

    assert_eq!(api.ask("DELETE", "/v1/faults/2", "").json()["faults"][0]["id"], 2);
    assert_eq!((api.faults(), rcpt(mail, PROBE).as_str()), (vec![3], "250 2.1.0 ok"));
    assert_eq!(api.ask("DELETE", "/v1/faults", "").status, 200);
    assert!(api.faults().is_empty());
}

#[test]
fn mistakes_are_told_with_their_places_and_the_drawing() {
    let host = Host::start();
    let mut program = Program::before(&host, &[]);
    let api = program.control();
    let answer = api.ask("POST", "/v1/faults", "{ \"at\": \"rcptto\",\n  \"do\": \"close\", \"lese\": \"5m\" }");
    assert_eq!(answer.status, 422);
    let told = answer.json();
    assert_eq!(told["error"], "`rcptto` is not a stage of an SMTP session");
    let places: Vec<(u64, u64)> = told["remarks"].as_array().expect("a list").iter().map(place).collect();
    assert_eq!(places, [(1, 9), (2, 18)]);
    assert!(told["drawing"].as_str().expect("text").contains("^^^^^^^^ did you mean `rcpt`?"), "{told:#}");
    for (body, status) in [("", 422), ("3", 422), ("[", 422), ("\u{1}", 422), (&"x".repeat(70_000), 413)] {
        let answer = api.ask("POST", "/v1/faults", body);
        assert_eq!(answer.status, status, "{body:.20}: {}", answer.text);
        assert!(!answer.json()["error"].as_str().expect("text").is_empty());
    }
    assert!(api.faults().is_empty());
}

fn place(remark: &Value) -> (u64, u64) {
    (remark["line"].as_u64().expect("a line"), remark["column"].as_u64().expect("a column"))
}

#[test]
fn what_is_not_there_is_said_as_json() {
    let host = Host::start();
    let mut program = Program::before(&host, &[]);
    let api = program.control();
    for (method, path, status) in [
        ("GET", "/v1/fault", 404),
        ("PATCH", "/v1/faults", 405),
        ("DELETE", "/v1/faults/1", 404),
        ("DELETE", "/v1/faults/x", 404),
        ("POST", "/v1/faults/7/renew", 404),
        ("GET", "/v1/runs/7k3f9x2mqa01?since=1", 400),
        ("GET", "/v1/runs/7k3f9x2mqa0l", 400),
        ("POST", "/v1/runs/7k3f9x2mqa01/renew", 404),
        ("PUT", "/v1/runs/7k3f9x2mqa01", 422),
        ("GET", "/v1/firings?sinse=1", 400),
        ("GET", "/v1/firings?since=x", 400),
    ] {
        let answer = api.ask(method, path, "");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert!(answer.json()["error"].is_string());
    }
}

#[test]
fn warnings_come_with_the_answer() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt do=close"]);
    let api = program.control();
    let outage = api.ask(
        "POST",
        "/v1/faults",
        r#"{ "at": "connect", "do": "refuse", "scope": "all", "when": { "after": "1h" } }"#,
    );
    assert!(outage.text.contains("is an outage for everybody"), "{}", outage.text);
    let hidden = api.ask("POST", "/v1/faults", LATER);
    let title = hidden.json()["warnings"][0]["title"].clone();
    assert_eq!(title, "this fault never fires: `close` at `rcpt` comes first (fault 1)");
}

#[test]
fn a_lease_that_nobody_renews_runs_out() {
    let host = Host::start();
    let mut program = Program::before(&host, &[]);
    let (mail, api) = (program.mail(), program.control());
    let with_lease = |lease: &str| format!("[{}]", LATER.replacen('{', &format!("{{ \"lease\": \"{lease}\","), 1));
    assert_eq!(api.ask("PUT", "/v1/faults", &with_lease("1h")).status, 200);
    assert_eq!(api.get("/v1/faults")["faults"][0]["lease_seconds"], 3600.0);
    for path in ["/v1/faults/1/renew", "/v1/faults/renew"] {
        let renewed = api.ask("POST", path, "");
        assert_eq!(renewed.status, 200);
        assert!(renewed.json()["faults"][0]["left_seconds"].as_f64().expect("a number") > 3590.0);
    }
    assert_eq!(rcpt(mail, PROBE), "451 4.7.1 later");
    assert_eq!(api.ask("PUT", "/v1/faults", &with_lease("1s")).status, 200);
    until("it is lifted", || api.faults().is_empty());
    assert_eq!(rcpt(mail, PROBE), "250 2.1.0 ok");
    program.until_says("its lease ran out");
}

#[test]
fn connections_counters_and_firings_can_be_seen() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt do=reply:\"451 4.7.1 later\""]);
    let (mail, api) = (program.mail(), program.control());
    let mut open = Client::greeted(mail);
    open.envelope(PROBE);
    rcpt(mail, PROBE);
    until("one connection is left", || api.get("/v1/connections")["connections"].as_array().map(Vec::len) == Some(1));
    let there = api.get("/v1/connections")["connections"][0].clone();
    assert_eq!((&there["host"], &there["number"]), (&json!("mx.test"), &json!(1)));
    assert!(there["bytes_from_client"].as_u64().expect("a number") > 60, "{there}");
    let counters = api.get("/v1/counters");
    assert_eq!(counters["hosts"][0]["accepted"], 2);
    assert_eq!(counters["hosts"][0]["commands"]["rcpt"], 2);
    assert_eq!(counters["firings"], json!([{ "host": "mx.test", "at": "rcpt", "do": "reply", "count": 2 }]));
    let firings = api.get("/v1/firings");
    assert_eq!((firings["firings"].as_array().map(Vec::len), &firings["last"]), (Some(2), &json!(2)));
    let rest = api.get("/v1/firings?since=1");
    assert_eq!(rest["firings"][0]["number"], 2);
    assert_eq!(api.get("/v1/firings?since=2"), json!({ "firings": [], "last": 2 }));
}

#[test]
fn others_than_this_machine_need_a_token() {
    let arguments = ["proxy", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9", "--control", "0.0.0.0:0"];
    let refused = run(&arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--token"), "{refused:?}");

    let host = Host::start();
    let upstream = host.address.to_string();
    let mut program = Program::start(&[
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        &upstream,
        "--control",
        "0.0.0.0:0",
        "--token",
        "env:PROXY_TOKEN",
    ]);
    let mut api = program.control();
    api.address.set_ip("127.0.0.1".parse().expect("an address"));
    for path in ["/v1/faults", "/metrics", "/v1/connections"] {
        assert_eq!(api.ask("GET", path, "").status, 401, "{path}");
    }
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(api.ask("GET", path, "").status, 200, "{path}");
    }
    api.token = Some(TOKEN.to_owned());
    assert!(api.faults().is_empty());
    api.token = Some(TOKEN.replace('0', "1"));
    assert_eq!(api.ask("GET", "/v1/faults", "").status, 401);
    assert!(!program.said.iter().any(|line| line.to_string().contains(TOKEN)), "the token is in the log");
}

#[test]
fn a_web_page_cannot_break_mail() {
    let host = Host::start();
    let mut program = Program::before(&host, &[]);
    let api = program.control();
    assert_eq!(api.ask_with("POST", "/v1/faults", LATER, "Origin: https://evil.example\r\n").status, 403);
    assert!(api.faults().is_empty());
}

#[test]
fn every_path_of_the_description_answers_as_described() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt do=reply:\"451 4.7.1 later\" lease=1h"]);
    let (mail, api) = (program.mail(), program.control());
    let _open = Client::greeted(mail);
    rcpt(mail, PROBE);
    let description = api.get("/openapi.json");
    assert_eq!(description["openapi"], "3.1.0");
    let mut asked = 0;
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods").iter().filter(|(key, _)| *key != "parameters")
        {
            // Faults 1 and 2 are lifted on the way; there is always a third.
            api.ask("POST", "/v1/faults", LATER);
            let id = api.faults().last().copied().unwrap_or_default().to_string();
            let body = match operation.get("requestBody") {
                Some(_) if path.contains("{run}") => OF_A_RUN,
                Some(_) => LATER,
                None => "",
            };
            let path = path.replace("{id}", &id).replace("{run}", "7k3f9x2mqa01");
            let answer = api.ask(&method.to_uppercase(), &path, body);
            let described = &operation["responses"][answer.status.to_string()];
            assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
            let schema = &described["content"]["application/json"]["schema"];
            if schema.is_object() {
                fits(&description, schema, &answer.json(), &path);
            }
            asked += 1;
        }
    }
    assert!(asked >= 19, "{asked}");
    let wrong = api.ask("POST", "/v1/faults", "{ at: rcptto }");
    fits(&description, &json!({ "$ref": "#/components/schemas/wrong" }), &wrong.json(), "a mistake");
    let fault: Value = serde_json::from_str(LATER).expect("JSON");
    fits(&description, &json!({ "$ref": "#/components/schemas/standing_fault" }), &fault, "a fault");
    let of_a_run: Value = serde_json::from_str(OF_A_RUN).expect("JSON");
    fits(&description, &json!({ "$ref": "#/components/schemas/run_faults" }), &of_a_run, "the faults of a run");
}

/// Whether an answer fits its schema, whose references lead into the description.
fn fits(description: &Value, schema: &Value, answer: &Value, path: &str) {
    let mut whole = schema.clone();
    whole["components"] = description["components"].clone();
    let validator = jsonschema::validator_for(&whole).unwrap_or_else(|error| panic!("{path}: {error}"));
    let errors: Vec<String> = validator.iter_errors(answer).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{path}: {errors:?}\n{answer:#}");
}

#[test]
fn metrics_can_be_read() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt do=reply:\"451 4.7.1 \\\"later\\\"\" lease=1h"]);
    let (mail, api) = (program.mail(), program.control());
    rcpt(mail, PROBE);
    let text = api.ask("GET", "/metrics", "").text;
    let mut lines = text.lines();
    assert_eq!(lines.next_back(), Some("# EOF"));
    let values: Vec<(&str, f64)> = lines.filter(|line| !line.starts_with('#')).map(value).collect();
    let of = |start: &str| {
        let found = values.iter().find(|(name, _)| name.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {text}")).1
    };
    assert_eq!(of("mxdrill_proxy_connections_total{host=\"mx.test\"}"), 1.0);
    assert_eq!(of("mxdrill_proxy_commands_total{host=\"mx.test\",stage=\"rcpt\"}"), 1.0);
    assert_eq!(of("mxdrill_proxy_firings_total{host=\"mx.test\",stage=\"rcpt\",action=\"reply\"}"), 1.0);
    assert_eq!(of("mxdrill_proxy_faults{host=\"mx.test\"}"), 1.0);
    assert!(of("mxdrill_proxy_fault_lease_seconds{host=\"mx.test\",fault=\"1\"") > 3_000.0);
    assert!(of("mxdrill_proxy_client_bytes_total") > 0.0);
}

/// A sample: its name with labels, and its value.
fn value(line: &str) -> (&str, f64) {
    let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
    let plain = name.split('{').next().unwrap_or_default();
    assert!(plain.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
    assert!(name.contains('{') == name.ends_with('}'), "{line}");
    (name, value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
}

//! The rules of the house: which room may know which, how large files are, and what no room may do.
//!
//! The rules are in `src/lib.rs` for people; here they are for the machine.

#![allow(clippy::expect_used, clippy::panic)] // this is how a test fails

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every room and the rooms that it may know, lowest first. A room that is not here may not exist.
const ROOMS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("mail", &[]),
    ("terms", &[]),
    ("classes", &["mail", "terms"]),
    ("inventory", &["mail", "source", "terms"]),
    ("world", &["inventory"]),
    ("scenario", &["classes", "inventory", "mail", "source", "terms"]),
    ("record", &["inventory", "mail", "source", "terms", "world"]),
    ("plan", &["inventory", "mail", "record", "scenario", "source", "terms", "world"]),
    ("dns", &["mail", "scenario", "terms", "world"]),
    ("tls", &["record", "terms", "world"]),
    ("policy", &["dns", "mail", "record", "source", "terms", "tls", "world"]),
    ("smtp", &["mail", "terms"]),
    ("proxy", &["inventory", "mail", "record", "scenario", "smtp", "source", "terms", "tls", "world"]),
    ("lab", &["dns", "mail", "policy", "record", "scenario", "smtp", "source", "terms", "tls", "world"]),
    ("send", &["classes", "dns", "inventory", "mail", "policy", "record", "scenario", "smtp", "terms", "tls", "world"]),
    ("collect", &["inventory", "mail", "record", "source", "terms", "tls", "world"]),
    ("trace", &["collect", "inventory", "mail", "record", "source", "terms"]),
    ("census", &["collect", "inventory", "mail", "source", "terms", "trace"]),
    ("judge", &["classes", "inventory", "mail", "plan", "record", "scenario", "source", "terms", "trace", "world"]),
    (
        "run",
        &[
            "classes",
            "collect",
            "dns",
            "inventory",
            "judge",
            "lab",
            "mail",
            "plan",
            "policy",
            "proxy",
            "record",
            "scenario",
            "send",
            "smtp",
            "source",
            "terms",
            "tls",
            "world",
        ],
    ),
    ("scan", &["inventory", "record", "source", "terms"]),
    ("audit", &["dns", "inventory", "mail", "policy", "record", "smtp", "source", "terms", "tls", "world"]),
    ("report", &["mail", "record", "source", "terms"]),
    ("diff", &["record", "source", "terms"]),
    (
        "cli",
        &[
            "audit",
            "census",
            "classes",
            "collect",
            "diff",
            "dns",
            "inventory",
            "judge",
            "lab",
            "mail",
            "plan",
            "policy",
            "proxy",
            "record",
            "report",
            "run",
            "scan",
            "scenario",
            "send",
            "smtp",
            "source",
            "terms",
            "tls",
            "trace",
            "world",
        ],
    ),
];

/// The longest file, in lines, without its tests.
const MAX_LINES: usize = 400;

#[test]
fn arrows_run_one_way() {
    let mut wrong = vec![];
    for (room, file, text) in sources() {
        let allowed: BTreeSet<&str> = allowed(&room).iter().copied().collect();
        for (line, known) in known_rooms(&text) {
            if known != room && !allowed.contains(known.as_str()) {
                wrong.push(format!("{}:{line}: `{room}` may not know `{known}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_room_is_on_the_map() {
    let map = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    let drawn: String = map.lines().filter(|line| line.starts_with("//!")).collect();
    let rooms: BTreeSet<String> = sources().into_iter().map(|(room, _, _)| room).collect();
    for room in &rooms {
        assert!(ROOMS.iter().any(|(name, _)| name == room), "`{room}` has no rule in tests/house.rs");
        assert!(drawn.contains(&format!(" {room} ")), "`{room}` is not in the map of src/lib.rs");
    }
    for (name, _) in ROOMS {
        assert!(rooms.contains(*name), "`{name}` has a rule and does not exist");
    }
}

#[test]
fn rooms_know_only_rooms_below_them() {
    let mut below = BTreeSet::new();
    for (room, known) in ROOMS {
        for other in *known {
            assert!(below.contains(other), "`{room}` knows `{other}`, which is not below it");
        }
        below.insert(*room);
    }
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(_, file, text)| (file, without_tests(&text).lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(file, lines)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "split by meaning:\n{}", long.join("\n"));
}

/// Time, chance and the environment are handed in; see `world/`.
#[test]
fn only_main_reads_clock_dice_and_environment() {
    const FORBIDDEN: &[&str] = &[
        "SystemTime::now",
        "Timestamp::now",
        "Zoned::now",
        "rand::",
        "env::var",
        "env::args",
        "std::time::Instant",
        "process::exit",
    ];
    let mut wrong = vec![];
    for (_, file, text) in sources() {
        if file.ends_with("src/main.rs") {
            continue;
        }
        for (number, line) in without_tests(&text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            for word in FORBIDDEN.iter().filter(|word| names(code, word)) {
                wrong.push(format!("{}:{}: `{word}`", file.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether `code` holds `word` as a path of its own, not as the end of a longer name.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// HTTP is served by the control API only, and asked for by the clients of other servers' APIs.
#[test]
fn only_those_who_speak_http_know_it() {
    const SERVING: &[&str] = &["axum", "hyper", "hyper_util", "prometheus_client"];
    const ASKING: &[&str] = &["reqwest"];
    // hyper is also the client that fetches policies: RFC 8461 3.3 forbids most of what others do by themselves.
    const SERVERS: &[&str] = &["proxy/control", "policy/host.rs", "policy/fetch"];
    const CLIENTS: &[&str] = &["audit/live/fetch.rs", "collect/http", "proxy/remote"];
    let mut wrong = vec![];
    for (_, file, text) in sources() {
        let inside = file.strip_prefix(root().join("src")).expect("a source file");
        for (crates, rooms) in [(SERVING, SERVERS), (ASKING, CLIENTS)] {
            let used = crates.iter().filter(|name| text.contains(&format!("{name}::")));
            if !rooms.iter().any(|room| inside.starts_with(room)) {
                wrong.extend(used.map(|name| format!("{}: `{name}`", file.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_room_is_named_after_nothing() {
    const NOTHING: &[&str] = &["imp", "util", "utils", "common", "helpers", "types", "errors", "misc", "defs"];
    for (_, file, _) in sources() {
        let stem = file.file_stem().and_then(|it| it.to_str()).unwrap_or("");
        assert!(!NOTHING.contains(&stem), "{} is named after nothing", file.display());
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn allowed(room: &str) -> &'static [&'static str] {
    let rules: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    rules.get(room).copied().unwrap_or(&[])
}

/// Room, path and text of every source file but `main.rs` and `lib.rs`.
fn sources() -> Vec<(String, PathBuf, String)> {
    let mut files = vec![];
    walk(&root().join("src"), &mut files);
    let tests: Vec<PathBuf> = files.iter().flat_map(|file| test_modules(file)).collect();
    files.retain(|file| !tests.iter().any(|test| file.starts_with(test) || *file == test.with_extension("rs")));
    files
        .into_iter()
        .filter_map(|file| {
            let inside = file.strip_prefix(root().join("src")).ok()?.to_owned();
            let first = inside.components().next()?.as_os_str().to_str()?.to_owned();
            let room = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
            let text = fs::read_to_string(&file).ok()?;
            (room != "main" && room != "lib").then_some((room, file, text))
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

/// Where the modules are that `file` declares for tests only, without `.rs`.
fn test_modules(file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let folder = match file.file_name().and_then(|it| it.to_str()) {
        Some("mod.rs" | "lib.rs" | "main.rs") => file.parent().expect("a folder").to_owned(),
        _ => file.with_extension(""),
    };
    let declared = text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
        let line = rest.lines().next()?;
        let name = line
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub(crate) ")
            .strip_prefix("mod ")?
            .strip_suffix(';')?;
        Some(folder.join(name))
    });
    declared.collect()
}

/// The file up to its tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// Every `crate::ROOM` in code outside of tests, with its line.
fn known_rooms(text: &str) -> Vec<(usize, String)> {
    let mut known = vec![];
    for (number, line) in without_tests(text).lines().enumerate() {
        let code = line.split("//").next().unwrap_or("");
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let room: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            // `pub(crate)` macros and items of the crate's root are no rooms.
            if ROOMS.iter().any(|(name, _)| *name == room) {
                known.push((number + 1, room));
            }
        }
    }
    known
}

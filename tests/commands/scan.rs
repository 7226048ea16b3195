//! `mxdrill scan` as a user calls it: exit codes, archives, and what must not stop it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use serde_json::Value;

use super::{code, mxdrill, run, stderr, stdout};

/// A folder with these files.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    folder
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().display().to_string()
}

fn findings(output: &std::process::Output) -> Vec<Value> {
    let report: Value = serde_json::from_str(&stdout(output)).expect("JSON");
    report["findings"].as_array().expect("findings").clone()
}

fn states(output: &std::process::Output) -> Vec<(String, String)> {
    let told = findings(output).into_iter().map(|it| {
        let said = |key: &str| it["evidence"][0][key].as_str().expect("a text").to_owned();
        (said("file").rsplit('/').next().expect("a name").to_owned(), said("state"))
    });
    told.collect()
}

const OLD: (&str, &str) = ("etc/postfix/main.cf", "relayhost = [mx.old.example]\n");
const NEW: (&str, &str) = ("etc/postfix/main.cf", "relayhost = [mx.new.example]\n");

#[test]
fn exits_say_what_was_found() {
    let scan = |files: &[(&str, &str)]| {
        let folder = tree(files);
        run(&["scan", &path(&folder), "--name", "mx.old.example"])
    };
    assert_eq!(code(&scan(&[NEW])), 0);
    let active = scan(&[OLD]);
    assert_eq!(code(&active), 1);
    assert!(stdout(&active).contains("main.cf:1:14: relayhost = [mx.old.example] (active)"), "{}", stdout(&active));
    assert_eq!(code(&scan(&[("notes.txt", "mx.old.example was here")])), 0, "a lead is no failure");
    let database = scan(&[("etc/postfix/main.cf", "transport_maps = mysql:/etc/postfix/sql.cf\n")]);
    assert_eq!(code(&database), 3, "{}", stdout(&database));
}

#[test]
fn what_is_missing_is_said_before_anything_is_read() {
    let folder = tree(&[OLD]);
    let nothing = run(&["scan", &path(&folder)]);
    assert_eq!(code(&nothing), 2);
    assert!(
        stderr(&nothing).contains("nothing is known by which `legacy` could be recognised"),
        "{}",
        stderr(&nothing)
    );
    assert_eq!(code(&run(&["scan", "--name", "mx.old.example"])), 2);
    assert_eq!(code(&run(&["scan", "/nowhere/at/all", "--name", "mx.old.example"])), 2);
}

#[test]
fn an_inventory_says_what_is_old() {
    let inventory = "platforms:\n  new: { hosts: [mx.new.example] }\n  legacy: { hosts: [mx.old.example], networks: [198.51.100.0/24] }\n";
    let folder = tree(&[OLD, ("inventory.yaml", inventory), ("app/.env", "SMTP_HOST=198.51.100.9\n")]);
    let file = folder.path().join("inventory.yaml").display().to_string();
    let app = folder.path().join("app").display().to_string();
    let etc = folder.path().join("etc").display().to_string();
    let output = run(&["scan", &etc, &app, "--inventory", &file, "--format", "json"]);
    assert_eq!(states(&output).len(), 2, "{}", stdout(&output));
    let unknown = run(&["scan", &etc, "--inventory", &file, "--platform", "legcy"]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("did you mean `--platform legacy`?"), "{}", stderr(&unknown));
}

#[test]
fn archives_are_read_in_place() {
    let mut builder = tar::Builder::new(vec![]);
    let mut add = |name: &str, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_bytes()).expect("added");
    };
    add("./etc/postfix/main.cf", "transport_maps = hash:/etc/postfix/transport\n");
    add("./etc/postfix/transport", "* smtp:[mx.old.example]\n");
    let tar = builder.into_inner().expect("a tar");
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    gzip.write_all(&tar).expect("packed");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.tar"), &tar).expect("written");
    fs::write(folder.path().join("b.tar.gz"), gzip.finish().expect("packed")).expect("written");
    fs::write(folder.path().join("c.tar.zst"), zstd::encode_all(tar.as_slice(), 0).expect("packed")).expect("written");
    let output = run(&["scan", &path(&folder), "--name", "mx.old.example", "--format", "json"]);
    let active = ("transport".to_owned(), "active".to_owned());
    assert_eq!(states(&output), [active.clone(), active.clone(), active], "{}", stdout(&output));
}

#[test]
fn an_archive_that_explodes_is_bounded_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let bomb = zstd::encode_all(std::io::repeat(0).take(200 << 20), 3).expect("packed");
    fs::write(folder.path().join("bomb.zst"), bomb).expect("written");
    let output = run(&["scan", &path(&folder), "--name", "mx.old.example", "--max-unpacked", "1000000"]);
    assert_eq!(code(&output), 3);
    assert!(stdout(&output).contains("bomb.zst: more than 0 MiB came out of it"), "{}", stdout(&output));
}

#[test]
fn nothing_that_lies_about_stops_it() {
    let folder = tree(&[OLD, ("loop/a", "x")]);
    let inside = |name: &str| folder.path().join(name);
    symlink(folder.path(), inside("loop/back")).expect("a link");
    symlink(inside("loop/self"), inside("loop/self")).expect("a link");
    let fifo = std::process::Command::new("mkfifo").arg(inside("fifo")).status().expect("mkfifo");
    assert!(fifo.success());
    let _socket = std::os::unix::net::UnixListener::bind(inside("socket")).expect("a socket");
    let large = fs::File::create(inside("large")).expect("a file");
    large.set_len(10 << 30).expect("sparse");
    fs::write(inside("garbage.tar.gz"), [0x1F, 0x8B, 8, 0, 1, 2, 3]).expect("written");
    fs::write(inside("broken.yml"), "a: [\n\tmx.old.example").expect("written");
    let output =
        run(&["scan", &path(&folder), "--name", "mx.old.example", "--max-size", "1048576", "--format", "json"]);
    assert_eq!(code(&output), 1);
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let unseen: Vec<&str> = report["records"][0]["coverage"]
        .as_array()
        .expect("coverage")
        .iter()
        .filter(|it| it["look"] == "could-not-look")
        .map(|it| it["subject"].as_str().expect("a text").rsplit('/').next().expect("a name"))
        .collect();
    assert_eq!(unseen, ["garbage.tar.gz", "large"], "{}", stdout(&output));
}

#[test]
fn what_may_not_be_read_is_not_clean() {
    let folder = tree(&[NEW, ("secret/x", "y")]);
    fs::set_permissions(folder.path().join("secret"), fs::Permissions::from_mode(0o000)).expect("changed");
    let readable = fs::read_dir(folder.path().join("secret")).is_ok();
    let output = run(&["scan", &path(&folder), "--name", "mx.old.example"]);
    // Root may read everything.
    assert_eq!(code(&output), if readable { 0 } else { 3 }, "{}", stdout(&output));
}

#[test]
fn a_list_comes_by_stdin() {
    let folder = tree(&[OLD]);
    let mut child = mxdrill()
        .args(["scan", "-", "--name", "mx.old.example"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    writeln!(child.stdin.take().expect("piped"), "{}/etc/postfix/main.cf", path(&folder)).expect("written");
    assert_eq!(code(&child.wait_with_output().expect("it ends")), 1);
}

#[test]
fn domains_of_the_host_itself_are_found() {
    let folder = tree(&[
        ("etc/postfix/main.cf", "mydestination = localhost, hash:/etc/postfix/local\n"),
        ("etc/postfix/local", "drill.example x\n"),
        ("etc/localdomains", "drill.example\n"),
    ]);
    let output = run(&["scan", &path(&folder), "--domain", "drill.example", "--format", "json"]);
    let ids: Vec<String> = findings(&output).iter().map(|it| it["id"].as_str().expect("a text").to_owned()).collect();
    assert_eq!(ids, ["local-domain", "local-domain"], "{}", stdout(&output));
}

//! mxdrill proves where mail really goes.
//!
//! It sends tagged probes, breaks the primary MX on purpose, and shows which server received each
//! probe, with evidence from mailboxes and logs.
//!
//! ```text
//!    scenario.yaml + inventory.yaml
//!       │ scenario      text -> Scenario, or every mistake with its place               pure
//!       │ plan          + seed -> probes, deadlines, every host that would be contacted pure
//!       v
//!     run               rig up: lab, dns, proxies with faults, collectors
//!       │               controls, then phase by phase: faults on, send, wait, faults off
//!       │ send, proxy, lab, collect  ── Event ──> record::Journal, in order, on disk
//!       v
//!     judge             what was seen -> what became of it -> what that proves          pure
//!       v
//!     record            self-contained, versioned JSON
//!       │ report        terminal, JSON, JUnit                                           pure
//!       v
//!    screen, files, exit code
//! ```
//!
//! A **scenario** says what should happen, a **record** what did; only `judge` reads both, and a
//! **report** is a pure function of a record.
//!
//! The rooms, lowest first; arrows run downwards only, and `tests/house.rs` holds it:
//!
//! | room | holds |
//! |---|---|
//! | source | places in a text; the drawing of mistakes and of failed expectations |
//! | mail | what the RFCs define, without any I/O: stages, replies, framing, addresses |
//! | terms | words that scenario and record share: outcome, verdict |
//! | classes | what MTAs do when a host fails them, as rules with their sources; what was measured |
//! | inventory | platforms, hosts, collectors; which name belongs to whom |
//! | world | clock, dice, secrets and the way to other machines, handed in by `main` |
//! | scenario | what should happen: decode, check, faults, expectations |
//! | record | what did happen: tags, evidence, the journal, the record |
//! | plan | probes, controls, deadlines, contacts |
//! | dns | lookups, MX selection (RFC 5321 5.1), the lab's authority |
//! | tls | handshakes that capture and judge the peer's chain; the lab's certificates |
//! | policy | MTA-STS and TLSRPT: records, policies, what each sender makes of them |
//! | smtp | one engine for the client's side of a session, one for the server's |
//! | proxy | the fault-injecting relay; standing by itself, with a control API |
//! | lab | embedded hosts on loopback: store, relay, hold, reject |
//! | send | ways in: mxdrill as the sending MTA |
//! | collect | where mail can land: IMAP, Maildir, mbox, logs |
//! | trace | the path of one message, after the fact: who wrote its headers, and why they are trusted |
//! | trace | the path of a message, hop by hop, from the logs of all hosts |
//! | census | who still hands mail to a platform, from its own logs |
//! | judge | settle, compare: from what was seen to a verdict |
//! | run | the story of a drill, and the rig that it needs |
//! | scan | configuration that still names the old platform |
//! | audit | a domain held against its design: zone files, DNS, hosts -> findings |
//! | report | one file a format, pure |
//! | diff | two records side by side |
//! | cli | arguments, one file a command, exit codes |

pub mod audit;
pub mod census;
pub mod classes;
pub mod cli;
pub mod collect;
pub mod diff;
pub mod dns;
pub mod inventory;
pub mod judge;
pub mod lab;
pub mod mail;
pub mod plan;
pub mod policy;
pub mod proxy;
pub mod record;
pub mod report;
pub mod run;
pub mod scan;
pub mod scenario;
pub mod send;
pub mod smtp;
pub mod source;
pub mod terms;
pub mod tls;
pub mod trace;
pub mod world;

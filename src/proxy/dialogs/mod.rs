//! SMTP dialogues as data: `tests/dialogs/*.dialog`, over pipes in memory and a paused clock,
//! and again over sockets, in real time.
//!
//! ```text
//!   == a sentence that says what is shown
//!   F: { at: mail, do: { reply: "451 4.7.1 later" } }     a fault in force from the start; `host` is filled in
//!   up to mail                                            a plain session as far as the stage
//!   C> MAIL FROM:<{tag}@x>                                the client says a line; several in a row are one write
//!   C< 451 4.7.1 later                                    the client must see exactly this line
//!   S> … S< …                                             the same for the upstream
//!   C>> "a\nb"    C<< "…"                                 exactly these bytes
//!   C ends | S ends                                       FIN from it
//!   C sees close | C sees reset | S sees close | …        how it is left
//!   C sees nothing for 5s                                 the clock moves on
//!   lift | raise                                          no faults from now on; those of `F:` again
//!   fired rcpt: RCPT TO:<b@x>                             a firing; all of them in order, or `never fired`
//!   warned: some words                                    a warning that holds them
//!   bare in body: 1 CR, 2 LF, pass                        CR and LF that stood alone were noted
//!   S ~~ TLS                                              the upstream accepts TLS
//!   C ~~ TLS expired                                      the client gets TLS; what is wrong with the certificate
//!   C ~~ no TLS: some words                               it gets none, and why
//!   S sees a hello                                        the first message of TLS, whatever is in it
//!   stranger                                              at the top: nobody has announced the connection
//!   refuse smuggling                                      at the top: CR and LF alone are refused
//!   vouching                                              at the top: the host was told of the client by XCLIENT
//!   blind                                                 at the top: the proxy cannot end TLS
//! ```
//!
//! `{tag}` is the tag of the run's first probe, `{tag2}` that of the second. Unless a `stranger`
//! calls, the connection is announced as the first probe's.

mod play;
mod script;
mod sockets;

use std::collections::BTreeSet;
use std::path::PathBuf;

use futures_util::StreamExt as _;

use crate::mail::Stage;
use crate::scenario::fault::Action;
pub(super) use play::settings;
use script::{Dialog, Line};

fn dialogs() -> Vec<Dialog> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dialogs");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).expect("a folder").flatten().map(|it| it.path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "dialog"));
    files.sort();
    files.iter().flat_map(|file| script::read(file)).collect()
}

#[test]
fn every_dialog_goes_as_it_is_written() {
    let wanted = std::env::var("DIALOG").unwrap_or_default();
    let mut failed = vec![];
    for dialog in dialogs().iter().filter(|dialog| dialog.title.contains(&wanted)) {
        if let Err(why) = play::play(dialog) {
            failed.push(format!("{}: {}\n  line {}", dialog.file, dialog.title, why));
        }
    }
    assert!(failed.is_empty(), "{} dialogs went otherwise:\n\n{}", failed.len(), failed.join("\n\n"));
}

/// Many at once: most of them wait most of the time. One that went otherwise among them is played
/// again by itself, since real time runs on when a machine is busy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_dialog_goes_the_same_over_real_sockets() {
    let wanted = std::env::var("DIALOG").unwrap_or_default();
    let dialogs = dialogs();
    let plays = dialogs.iter().filter(|dialog| dialog.title.contains(&wanted));
    let plays = plays.map(|dialog| async move { sockets::play(dialog).await.err().map(|_| dialog) });
    let late: Vec<_> = futures_util::stream::iter(plays).buffer_unordered(32).collect().await;
    let mut failed = vec![];
    for dialog in late.into_iter().flatten() {
        if let Err(why) = sockets::play(dialog).await {
            failed.push(format!("{}: {}\n  line {why}", dialog.file, dialog.title));
        }
    }
    assert!(failed.is_empty(), "{} dialogs went otherwise:\n\n{}", failed.len(), failed.join("\n\n"));
}

/// The actions and stages that some dialog shows firing.
fn shown() -> BTreeSet<(&'static str, Stage)> {
    let of_dialog = |dialog: &Dialog| {
        let fired = dialog.lines.iter().any(|(_, line)| matches!(line, Line::Fired(_)));
        let faults = if fired { dialog.faults.as_slice() } else { &[] };
        faults.iter().map(|fault| (fault.action.value.word(), fault.at.value)).collect::<Vec<_>>()
    };
    dialogs().iter().flat_map(of_dialog).collect()
}

#[test]
fn every_action_is_shown_at_each_of_its_stages() {
    let shown = shown();
    let mut missing = vec![];
    for action in all_actions().iter().filter(|action| !action.before_accept()) {
        for stage in action.stages() {
            if !shown.contains(&(action.word(), *stage)) {
                missing.push(format!("{} at {stage}", action.word()));
            }
        }
    }
    assert!(missing.is_empty(), "no dialog shows {}", missing.join(", "));
}

/// One of each. The match is there to fail when an action is added.
fn all_actions() -> Vec<Action> {
    use std::time::Duration;

    use crate::mail::Reply;
    use crate::scenario::fault::{Corruption, Dropping, Rate, TlsFault};
    let all = vec![
        Action::Refuse,
        Action::DropSyn(Dropping::Queue),
        Action::Silent(None),
        Action::Close,
        Action::Reset,
        Action::Reply(Reply::new(450, "")),
        Action::Delay(Duration::ZERO),
        Action::CloseAfter(1),
        Action::ResetAfter(1),
        Action::LoseReply,
        Action::Tarpit(Rate(1)),
        Action::Throttle { rate: Rate(1), stall: None },
        Action::PrematureReply(Reply::new(554, "")),
        Action::Hide(String::new()),
        Action::Corrupt(Corruption::BareLf),
        Action::Tls(TlsFault::Expired),
    ];
    for action in &all {
        match action {
            Action::Refuse | Action::DropSyn(_) | Action::Silent(_) | Action::Close | Action::Reset => {}
            Action::Reply(_) | Action::Delay(_) | Action::CloseAfter(_) | Action::ResetAfter(_) => {}
            Action::LoseReply | Action::Tarpit(_) | Action::Throttle { .. } | Action::PrematureReply(_) => {}
            Action::Hide(_) | Action::Corrupt(_) | Action::Tls(_) => {}
        }
    }
    all
}

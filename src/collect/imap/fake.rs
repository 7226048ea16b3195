//! A small IMAP server for tests, which can be made to misbehave.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::record::TAG_HEADER;

/// How a test wants a command answered: `None` as usual; lines without tag as they are, `TAG` for
/// the command's; an empty answer closes the connection.
pub(super) type Whim = Box<dyn Fn(&str, &State) -> Option<String> + Send>;

/// What the server holds, and what it was asked.
pub(super) struct State {
    pub(super) greeting: String,
    pub(super) capabilities: String,
    pub(super) mailboxes: BTreeMap<String, Vec<(u32, String)>>,
    /// Messages that are marked as deleted: mailbox and UID.
    pub(super) deleted: Vec<(String, u32)>,
    pub(super) validity: u32,
    pub(super) commands: Vec<String>,
    /// What a line without a command gets: a client's answer to `+`.
    pub(super) bare: Option<String>,
    /// Labels of every message, as Gmail tells them.
    pub(super) labels: String,
    pub(super) whim: Whim,
}

/// The server.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u32>,
    task: JoinHandle<()>,
}

/// How it encrypts.
#[derive(Clone)]
pub(super) enum Encrypts {
    Never,
    AtOnce(TlsAcceptor),
    WhenAsked(TlsAcceptor),
}

impl Fake {
    pub(super) async fn start(capabilities: &str) -> Self {
        Self::start_on("127.0.0.1:0", capabilities, Encrypts::Never).await
    }

    pub(super) async fn start_on(address: &str, capabilities: &str, encrypts: Encrypts) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mailboxes = ["INBOX", "Junk"].map(|name| (name.to_owned(), vec![])).into();
        let state = Arc::new(Mutex::new(State {
            greeting: "* OK ready".to_owned(),
            capabilities: capabilities.to_owned(),
            mailboxes,
            deleted: vec![],
            validity: 1,
            commands: vec![],
            bare: None,
            labels: String::new(),
            whim: Box::new(|_, _| None),
        }));
        let (changed, changes) = watch::channel(0);
        let shared = state.clone();
        let task = tokio::spawn(async move {
            // Dropped with the task: then its connections are closed too.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (state, changes, encrypts) = (shared.clone(), changes.clone(), encrypts.clone());
                connections.spawn(async move {
                    let _ = match encrypts {
                        Encrypts::AtOnce(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &state, changes, true).await.map(|_| ()),
                            Err(error) => Err(error),
                        },
                        Encrypts::Never => serve(stream, &state, changes, true).await.map(|_| ()),
                        Encrypts::WhenAsked(tls) => match serve(stream, &state, changes.clone(), true).await {
                            Ok(Some(stream)) => {
                                let stream = tls.accept(stream).await.expect("TLS");
                                serve(stream, &state, changes, false).await.map(|_| ())
                            }
                            other => other.map(|_| ()),
                        },
                    };
                });
            }
        });
        Self { address, state, changed, task }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    pub(super) fn deliver(&self, mailbox: &str, message: &str) {
        let mut state = self.state();
        let messages = state.mailboxes.entry(mailbox.to_owned()).or_default();
        let uid = messages.last().map_or(1, |(uid, _)| uid + 1);
        messages.push((uid, message.replace('\n', "\r\n")));
        drop(state);
        self.changed.send_modify(|it| *it += 1);
    }

    pub(super) fn on(&self, whim: impl Fn(&str, &State) -> Option<String> + Send + 'static) {
        self.state().whim = Box::new(whim);
    }

    pub(super) fn count(&self, command: &str) -> usize {
        self.state().commands.iter().filter(|it| it.starts_with(command)).count()
    }

    pub(super) async fn stop(self) -> SocketAddr {
        self.task.abort();
        let _ = self.task.await;
        self.address
    }
}

/// Serves until the client leaves; the stream where it asks for TLS.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    state: &Mutex<State>,
    mut changes: watch::Receiver<u32>,
    greet: bool,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    let mut selected = String::new();
    if greet {
        let greeting = state.lock().expect("not poisoned").greeting.clone();
        stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        while let Some(length) = line.trim_end().strip_suffix('}').and_then(|it| it.rsplit_once('{')) {
            let mut literal = vec![0; length.1.parse().expect("a length")];
            stream.write_all(b"+ go on\r\n").await?;
            stream.read_exact(&mut literal).await?;
            line = length.0.to_owned() + &String::from_utf8_lossy(&literal);
            stream.read_line(&mut line).await?;
        }
        let Some((tag, command)) = line.trim_end().split_once(' ') else {
            let answer = {
                let mut state = state.lock().expect("not poisoned");
                state.commands.push(line.trim_end().to_owned());
                state.bare.clone().expect("a command")
            };
            stream.write_all(answer.as_bytes()).await?;
            continue;
        };
        let answer = {
            let mut state = state.lock().expect("not poisoned");
            state.commands.push(command.to_owned());
            match (state.whim)(command, &state) {
                Some(answer) => answer,
                None => usual(command, &mut state, &mut selected),
            }
        };
        if answer.is_empty() {
            return Ok(None);
        }
        stream.write_all(answer.replace("TAG", tag).as_bytes()).await?;
        match command {
            "IDLE" if answer.starts_with('+') => {
                idle(&mut stream, &mut changes).await?;
                stream.write_all(format!("{tag} OK done\r\n").as_bytes()).await?;
            }
            "STARTTLS" => return Ok(Some(stream.into_inner())),
            "LOGOUT" => return Ok(None),
            _ => {}
        }
    }
}

/// Tells of a new message, until the client has enough.
async fn idle<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    changes: &mut watch::Receiver<u32>,
) -> std::io::Result<()> {
    changes.borrow_and_update();
    let mut done = String::new();
    tokio::select! {
        _ = changes.changed() => stream.write_all(b"* 1 EXISTS\r\n").await?,
        read = stream.read_line(&mut done) => { read?; }
    }
    if done.is_empty() {
        stream.read_line(&mut done).await?;
    }
    assert!(matches!(done.as_str(), "DONE\r\n" | ""), "{done}");
    Ok(())
}

fn usual(command: &str, state: &mut State, selected: &mut String) -> String {
    let word = command.split(' ').next().unwrap_or_default();
    let messages = state.mailboxes.get(selected).cloned().unwrap_or_default();
    match word {
        "CAPABILITY" => format!("* CAPABILITY {}\r\nTAG OK\r\n", state.capabilities),
        "LIST" => {
            let lines = state.mailboxes.keys().map(|name| format!("* LIST (\\HasNoChildren) \"/\" \"{name}\"\r\n"));
            lines.collect::<String>() + "TAG OK listed\r\n"
        }
        "EXAMINE" | "SELECT" => {
            *selected = command.trim_start_matches(word).trim_start().trim_matches('"').to_owned();
            let Some(messages) = state.mailboxes.get(selected) else {
                return "TAG NO [NONEXISTENT] no such mailbox\r\n".to_owned();
            };
            let next = messages.last().map_or(1, |(uid, _)| uid + 1);
            let (count, validity) = (messages.len(), state.validity);
            format!(
                "* {count} EXISTS\r\n* OK [UIDVALIDITY {validity}] valid\r\n* OK [UIDNEXT {next}] next\r\nTAG OK [READ-ONLY] examined\r\n"
            )
        }
        "UID" if command.starts_with("UID STORE") || command.starts_with("UID EXPUNGE") => {
            let set = command.split(' ').nth(2).unwrap_or_default();
            let uids: Vec<u32> = set.split(',').map(|uid| uid.parse().expect("a UID")).collect();
            if command.starts_with("UID STORE") {
                state.deleted.extend(uids.iter().map(|uid| (selected.clone(), *uid)));
                return "TAG OK stored\r\n".to_owned();
            }
            let State { mailboxes, deleted, .. } = state;
            let marked = |uid: &u32| deleted.contains(&(selected.clone(), *uid));
            let messages = mailboxes.get_mut(selected).expect("a selected mailbox");
            messages.retain(|(uid, _)| !(uids.contains(uid) && marked(uid)));
            "TAG OK expunged\r\n".to_owned()
        }
        "UID" if command.starts_with("UID SEARCH") => {
            let by_header = command.contains("HEADER");
            let found = messages.iter().filter(|(_, text)| !by_header || text.contains(TAG_HEADER));
            let uids: String = found.map(|(uid, _)| format!(" {uid}")).collect();
            format!("* SEARCH{uids}\r\nTAG OK searched\r\n")
        }
        "UID" => {
            let set = command.split(' ').nth(2).unwrap_or_default();
            let wanted = messages.iter().filter(|(uid, _)| set.split(',').any(|it| it == uid.to_string()));
            let lines = wanted.map(|(uid, text)| {
                let whole = command.contains("BODY.PEEK[]");
                let header = text.split_inclusive("\r\n\r\n").next().filter(|_| !whole).unwrap_or(text);
                let section = if whole { "" } else { "HEADER" };
                let labels = if command.contains("X-GM-LABELS") { format!("X-GM-LABELS ({}) ", state.labels) } else { String::new() };
                format!(
                    "* {uid} FETCH (UID {uid} {labels}INTERNALDATE \"21-Nov-2026 05:42:24 +0000\" BODY[{section}]<0> {{{}}}\r\n{header})\r\n",
                    header.len()
                )
            });
            lines.collect::<String>() + "TAG OK fetched\r\n"
        }
        "IDLE" => "+ idling\r\n".to_owned(),
        "LOGOUT" => "* BYE so long\r\nTAG OK out\r\n".to_owned(),
        _ => "TAG OK done\r\n".to_owned(),
    }
}

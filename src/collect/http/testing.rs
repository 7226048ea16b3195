//! A small HTTP server for tests.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
struct State {
    /// By method and path, and a word of the body.
    answers: HashMap<(String, String), (u16, String, Vec<u8>)>,
    heard: Vec<String>,
}

/// The server; it answers 404 to what it was not told.
pub(in crate::collect) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(in crate::collect) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, state }
    }

    pub(in crate::collect) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this is the answer to `GET /path`.
    pub(in crate::collect) fn on(&self, request: &str, status: u16, body: &str) {
        self.on_body(request, "", status, body);
    }

    /// The answer to requests whose body holds `word`.
    pub(in crate::collect) fn on_body(&self, request: &str, word: &str, status: u16, body: &str) {
        self.put(request, word, status, "", body.as_bytes());
    }

    /// An answer with a header field of its own.
    pub(in crate::collect) fn put(&self, request: &str, word: &str, status: u16, field: &str, body: &[u8]) {
        let key = (request.to_owned(), word.to_owned());
        self.lock().answers.insert(key, (status, field.to_owned(), body.to_vec()));
    }

    /// What it was asked.
    pub(in crate::collect) fn heard(&self) -> Vec<String> {
        self.lock().heard.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let mut request = vec![];
    while !is_whole(&request) {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let line = text.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let (status, field, body) = {
        let mut state = state.lock().expect("not poisoned");
        state.heard.push(text.clone());
        let fits = |(request, word): &&(String, String)| *request == line && text.contains(word.as_str());
        let key = state.answers.keys().filter(fits).max_by_key(|(_, word)| word.len()).cloned();
        key.and_then(|key| state.answers.get(&key).cloned()).unwrap_or((404, String::new(), vec![]))
    };
    let head = format!("HTTP/1.1 {status} x\r\n{field}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0usize)
}

//! The steps of a session by their names.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::capabilities::{Capabilities, Hello};
use super::super::stop::{Stop, StopKind, excerpt};
use super::{Session, State};
use crate::mail::{Reply, Severity, Stage};

/// What came of STARTTLS.
#[derive(Debug)]
pub enum Starttls<S> {
    /// 220: the stream is ready for the TLS handshake.
    Ready(S),
    /// The server would not; the session goes on in clear.
    Declined(Session<S>, Reply),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Waits for the server's greeting.
    ///
    /// # Errors
    /// Where none comes within `limit`.
    pub async fn greeting(&mut self, limit: Duration) -> Result<Reply, Stop> {
        self.stage = Stage::Banner;
        self.within(limit, async |session| session.read_reply().await).await
    }

    /// Says EHLO, and HELO where EHLO is answered 5yz (RFC 5321 3.2); `limit` holds for each.
    ///
    /// # Errors
    /// Where no answer comes in time, or `name` holds a line end.
    pub async fn hello(&mut self, name: &str, limit: Duration) -> Result<Hello, Stop> {
        let reply = self.words(Stage::Ehlo, &["EHLO ", name], limit).await?;
        match reply.severity() {
            Severity::Permanent => {
                let reply = self.words(Stage::Ehlo, &["HELO ", name], limit).await?;
                Ok(Hello { reply, capabilities: Capabilities::default() })
            }
            Severity::Positive => Ok(Hello { capabilities: Capabilities::of(&reply), reply }),
            _ => Ok(Hello { reply, capabilities: Capabilities::default() }),
        }
    }

    /// Says MAIL with a reverse-path (empty: the null one) and parameters such as `SIZE=1024`
    /// (empty: none).
    ///
    /// # Errors
    /// Where no answer comes in time, or an argument holds a line end.
    pub async fn mail(&mut self, from: &str, parameters: &str, limit: Duration) -> Result<Reply, Stop> {
        self.words(Stage::Mail, &["MAIL FROM:<", from, ">", blank(parameters), parameters], limit).await
    }

    /// Says RCPT with a forward-path and parameters (empty: none).
    ///
    /// # Errors
    /// Where no answer comes in time, or an argument holds a line end.
    pub async fn rcpt(&mut self, to: &str, parameters: &str, limit: Duration) -> Result<Reply, Stop> {
        self.words(Stage::Rcpt, &["RCPT TO:<", to, ">", blank(parameters), parameters], limit).await
    }

    /// Says DATA. Only after a 354 may [`Session::body`] follow.
    ///
    /// # Errors
    /// Where no answer comes in time.
    pub async fn data(&mut self, limit: Duration) -> Result<Reply, Stop> {
        self.words(Stage::Data, &["DATA"], limit).await
    }

    /// Takes back the transaction.
    ///
    /// # Errors
    /// Where no answer comes in time.
    pub async fn reset(&mut self, limit: Duration) -> Result<Reply, Stop> {
        let stage = self.stage;
        self.words(stage, &["RSET"], limit).await
    }

    /// Says QUIT and waits at most `limit` for the answer. Whether it comes changes nothing, so
    /// it is no error where it does not.
    pub async fn quit(mut self, limit: Duration) -> Option<Reply> {
        match self.state {
            State::Open => self.words(Stage::Quit, &["QUIT"], limit).await.ok(),
            State::Over => None,
        }
    }

    /// Says STARTTLS (RFC 3207). After 220 the bare stream is handed back for the handshake; a
    /// new session begins over the encrypted one, with EHLO again and without a greeting.
    ///
    /// # Errors
    /// Where no answer comes in time, and where plaintext stands behind the 220.
    pub async fn starttls(mut self, limit: Duration) -> Result<Starttls<S>, Stop> {
        let reply = self.words(Stage::Starttls, &["STARTTLS"], limit).await?;
        if reply.code != 220 {
            return Ok(Starttls::Declined(self, reply));
        }
        if self.input.rest().is_empty() {
            return Ok(Starttls::Ready(self.stream));
        }
        Err(self.stop(StopKind::PlaintextAfterStarttls(excerpt(self.input.rest()))))
    }

    pub(super) async fn words(&mut self, stage: Stage, words: &[&str], limit: Duration) -> Result<Reply, Stop> {
        self.stage = stage;
        self.output.clear();
        self.add_line(words)?;
        self.exchange(limit).await
    }
}

fn blank(parameters: &str) -> &'static str {
    if parameters.is_empty() { "" } else { " " }
}

//! AUTH (RFC 4954).

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::sasl::{Login, speaks_first};
use super::super::stop::Stop;
use super::Session;
use crate::mail::{Reply, Stage};
use crate::terms::AuthMechanism;

/// The longest command line with a first response in it; a longer one waits to be asked, since a
/// command may have 512 bytes (RFC 5321 4.5.3.1.4).
const LONGEST_FIRST: usize = 500;
/// The most challenges that a mechanism here has, and one more for a server that says why not.
const MOST_CHALLENGES: usize = 3;

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Proves who the client is; `limit` holds for each step. 235 is success.
    ///
    /// # Errors
    /// Where no answer comes in time.
    pub async fn authenticate(
        &mut self,
        mechanism: AuthMechanism,
        login: &Login,
        limit: Duration,
    ) -> Result<Reply, Stop> {
        let keyword = mechanism.keyword();
        let first = speaks_first(mechanism).and_then(|it| login.response(it, 0, "").ok());
        let first = first.filter(|it| it.expose_secret().len() + keyword.len() < LONGEST_FIRST);
        let mut said = usize::from(first.is_some());
        let mut reply = match &first {
            Some(first) => self.words(Stage::Auth, &["AUTH ", &keyword, " ", first.expose_secret()], limit).await?,
            None => self.words(Stage::Auth, &["AUTH ", &keyword], limit).await?,
        };
        for _ in 0..MOST_CHALLENGES {
            if reply.code != 334 {
                break;
            }
            let challenge = reply.lines.first().map_or("", |line| line.trim());
            reply = match login.response(mechanism, said, challenge) {
                Ok(response) => self.words(Stage::Auth, &[response.expose_secret()], limit).await?,
                // RFC 4954 4: the client gives the exchange up, and hears 501.
                Err(_) => self.words(Stage::Auth, &["*"], limit).await?,
            };
            said += 1;
        }
        // What was sent last was a secret.
        self.output.fill(0);
        self.output.clear();
        Ok(reply)
    }
}

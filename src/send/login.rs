//! Who logs in: a secret that may have to be fetched anew.

use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::inventory::Secret;
use crate::smtp::sasl::Login;
use crate::terms::AuthMechanism;
use crate::world::{Environment, SecretError};

/// An account at a server.
#[derive(Debug)]
pub struct Account {
    user: String,
    source: Source,
    known: Mutex<Option<SecretString>>,
    /// The mechanism; none: the best that the server offers.
    pub mechanism: Option<AuthMechanism>,
}

/// Where the secret is.
#[derive(Debug)]
enum Source {
    Given,
    Fetched(Environment, Secret),
}

/// Which secret is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fresh {
    /// The one that is known, if one is.
    Known,
    /// One that is fetched anew: the known one may have expired.
    Anew,
}

impl Account {
    /// An account whose secret is known.
    pub fn given(user: &str, secret: SecretString, mechanism: Option<AuthMechanism>) -> Self {
        Self { user: user.to_owned(), source: Source::Given, known: Mutex::new(Some(secret)), mechanism }
    }

    /// An account whose secret is fetched now, and again where it may have expired.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub async fn fetched(
        user: &str,
        environment: &Environment,
        secret: &Secret,
        mechanism: Option<AuthMechanism>,
    ) -> Result<Self, SecretError> {
        let known = Mutex::new(Some(environment.secret(secret).await?));
        let source = Source::Fetched(environment.clone(), secret.clone());
        Ok(Self { user: user.to_owned(), source, known, mechanism })
    }

    /// Whether a failed login may be mended by fetching the secret anew: only a command can have a
    /// newer one.
    pub(super) fn renews(&self) -> bool {
        matches!(self.source, Source::Fetched(_, Secret::Command(_)))
    }

    /// User and secret.
    ///
    /// # Errors
    /// Where the secret cannot be had.
    pub(super) async fn login(&self, fresh: Fresh) -> Result<Login, SecretError> {
        let mut known = self.known.lock().await;
        let secret = match (&*known, &self.source) {
            (Some(secret), _) if fresh == Fresh::Known => secret.clone(),
            (Some(secret), Source::Given) => secret.clone(),
            (_, Source::Fetched(environment, secret)) => environment.secret(secret).await?,
            (None, Source::Given) => SecretString::from(String::new()),
        };
        *known = Some(secret.clone());
        Ok(Login { user: self.user.clone(), secret })
    }
}

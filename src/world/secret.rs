//! Secrets by name, and the environment they come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inventory::Secret;
use secrecy::SecretString;

/// The environment as `main` read it.
#[derive(Clone, Debug, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

/// A secret could not be had. Says which and what to do, never what it held.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set.
    #[error("the environment variable `{0}` is not set")]
    NotSet(String),
    /// The file could not be read.
    #[error("the secret's file `{path}` cannot be read: {error}")]
    File {
        /// The path as written.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The command failed.
    #[error("the command `{command}` that prints the secret failed: {why}")]
    Command {
        /// The program's name, without arguments.
        command: String,
        /// Why.
        why: String,
    },
}

/// How long a command may take to print a secret.
const COMMAND_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

impl Environment {
    /// These variables.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }

    /// One variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Fetches a secret. A command is run anew at every call, because tokens expire; one line end
    /// at the end of a file or output is dropped.
    ///
    /// # Errors
    /// Where the variable is not set, the file cannot be read, or the command fails or takes
    /// longer than 20 s.
    pub async fn secret(&self, secret: &Secret) -> Result<SecretString, SecretError> {
        match secret {
            Secret::Env(name) => {
                let value = self.get(name).ok_or_else(|| SecretError::NotSet(name.clone()))?;
                Ok(SecretString::from(value.to_owned()))
            }
            Secret::File(path) => match tokio::fs::read_to_string(path).await {
                Ok(text) => Ok(trimmed(&text)),
                Err(error) => Err(SecretError::File { path: path.display().to_string(), error }),
            },
            Secret::Command(words) => command(words).await,
        }
    }
}

async fn command(words: &[String]) -> Result<SecretString, SecretError> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |why: String| SecretError::Command { command: program.clone(), why };
    let run = tokio::process::Command::new(&program)
        .args(words.iter().skip(1))
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_LIMIT, run)
        .await
        .map_err(|_| failed(format!("it took longer than {} s", COMMAND_LIMIT.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("it ended with {}", output.status)));
    }
    Ok(trimmed(&String::from_utf8_lossy(&output.stdout)))
}

fn trimmed(text: &str) -> SecretString {
    SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned())
}

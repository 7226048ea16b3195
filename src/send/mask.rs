//! Secrets hidden from what servers and programs say: they may quote what they were told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// What stands for a secret.
const HIDDEN: &str = "****";
/// A secret that is shorter than this stands in every text by chance.
const SHORTEST: usize = 3;

/// The secrets of one sender.
#[derive(Clone, Debug, Default)]
pub(super) struct Mask(Vec<SecretString>);

impl Mask {
    /// Hides this one from now on, in its base64 form too.
    pub(super) fn add(&mut self, secret: &SecretString) {
        let text = secret.expose_secret();
        if text.len() < SHORTEST || self.0.iter().any(|known| known.expose_secret() == text) {
            return;
        }
        self.0.push(SecretString::from(STANDARD.encode(text)));
        self.0.push(secret.clone());
        // The longest first: one may be part of another.
        self.0.sort_by_key(|known| std::cmp::Reverse(known.expose_secret().len()));
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| match text.contains(secret.expose_secret()) {
            true => text.replace(secret.expose_secret(), HIDDEN),
            false => text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_in_both_forms() {
        let mut mask = Mask::default();
        mask.add(&SecretString::from("hunter2".to_owned()));
        mask.add(&SecretString::from("hunter2hunter2".to_owned()));
        mask.add(&SecretString::from("a".to_owned()));
        assert_eq!(mask.hide("a hunter2 b aHVudGVyMg== hunter2hunter2"), "a **** b **** ****");
        assert!(!format!("{mask:?}").contains("hunter2"));
    }
}

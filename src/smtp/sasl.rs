//! What SASL mechanisms say (RFC 4954), for the client that says it and the server that expects it.
//!
//! The words themselves are mail-send's; here is who says what in which step.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_send::Credentials;
use secrecy::{ExposeSecret, SecretString};

use crate::terms::AuthMechanism;

/// Who logs in, and with what.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password, or the access token for [`AuthMechanism::Xoauth2`].
    pub secret: SecretString,
}

/// The server's challenge makes no sense to the mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's challenge makes no sense")]
pub struct BadChallenge;

/// The prompts of LOGIN, to which mail-send knows the answers. Servers spell them as they like, so
/// the step decides and not their text.
const PROMPTS: [&str; 2] = ["Username:", "Password:"];

impl Login {
    /// What a client says in `step` of the exchange, from 0, to `challenge` (base64, empty where
    /// none was made): base64 again. Where a mechanism has nothing more to say, it is empty.
    ///
    /// # Errors
    /// Where the challenge is none.
    pub fn response(
        &self,
        mechanism: AuthMechanism,
        step: usize,
        challenge: &str,
    ) -> Result<SecretString, BadChallenge> {
        let (user, secret) = (self.user.as_str(), self.secret.expose_secret());
        let prompt = PROMPTS.get(step).map(|prompt| STANDARD.encode(prompt));
        let said = match (mechanism, step, prompt) {
            (AuthMechanism::Plain, 0, _) => Credentials::new(user, secret).encode(smtp_proto::AUTH_PLAIN, ""),
            (AuthMechanism::Xoauth2, 0, _) => {
                Credentials::new_xoauth2(user, secret).encode(smtp_proto::AUTH_XOAUTH2, "")
            }
            (AuthMechanism::CramMd5, 0, _) => {
                Credentials::new(user, secret).encode(smtp_proto::AUTH_CRAM_MD5, challenge)
            }
            (AuthMechanism::Login, _, Some(prompt)) => {
                Credentials::new(user, secret).encode(smtp_proto::AUTH_LOGIN, &prompt)
            }
            // XOAUTH2 tells why it refuses in one more challenge, and waits for an empty line.
            _ => return Ok(SecretString::from(String::new())),
        };
        said.map(SecretString::from).map_err(|_| BadChallenge)
    }
}

/// Whether the client speaks first: its response then stands behind AUTH (RFC 4954 4).
pub fn speaks_first(mechanism: AuthMechanism) -> Option<AuthMechanism> {
    matches!(mechanism, AuthMechanism::Plain | AuthMechanism::Xoauth2).then_some(mechanism)
}

/// The mechanism that is best of those that a server offers: one that does not show the password
/// where there is one, and a token where that is what the client has.
pub fn best(offered: &str, token: Option<AuthMechanism>) -> Option<AuthMechanism> {
    let is_offered =
        |it: &AuthMechanism| offered.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(it.word()));
    let order = match token {
        Some(only) => vec![only],
        None => vec![AuthMechanism::CramMd5, AuthMechanism::Plain, AuthMechanism::Login],
    };
    order.into_iter().find(is_offered)
}

/// The user whom a client names in a response (base64) of `mechanism`; none where it names none.
pub fn claimed_user(mechanism: AuthMechanism, response: &str) -> Option<String> {
    let bytes = STANDARD.decode(response).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let user = match mechanism {
        AuthMechanism::Plain => text.split('\0').nth(1)?,
        AuthMechanism::Login => text,
        AuthMechanism::CramMd5 => text.rsplit_once(' ')?.0,
        AuthMechanism::Xoauth2 => text.strip_prefix("user=")?.split('\u{1}').next()?,
    };
    (!user.is_empty() && user.len() <= 255).then(|| user.to_owned())
}

/// A prompt or challenge as it stands behind 334.
pub fn challenge(text: &str) -> String {
    STANDARD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login { user: "tim".to_owned(), secret: SecretString::from("tanstaaftanstaaf".to_owned()) }
    }

    #[test]
    fn each_mechanism_says_what_its_rfc_shows() {
        let said = |mechanism, step, challenge: &str| {
            login().response(mechanism, step, challenge).map(|it| it.expose_secret().to_owned())
        };
        // RFC 2195 2, RFC 4616 4 in form.
        let challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+";
        assert_eq!(
            said(AuthMechanism::CramMd5, 0, challenge).as_deref(),
            Ok("dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw")
        );
        assert_eq!(said(AuthMechanism::Plain, 0, "").as_deref(), Ok("AHRpbQB0YW5zdGFhZnRhbnN0YWFm"));
        assert_eq!(said(AuthMechanism::Login, 0, "d2hv").as_deref(), Ok("dGlt"), "the prompt's text does not matter");
        assert_eq!(said(AuthMechanism::Login, 1, "d2hv").as_deref(), Ok("dGFuc3RhYWZ0YW5zdGFhZg=="));
        assert_eq!(said(AuthMechanism::Xoauth2, 1, "e30=").as_deref(), Ok(""));
        assert_eq!(said(AuthMechanism::CramMd5, 0, "?"), Err(BadChallenge));
    }

    #[test]
    fn a_server_reads_who_claims_to_be_there() {
        let steps = [AuthMechanism::Plain, AuthMechanism::Login, AuthMechanism::CramMd5, AuthMechanism::Xoauth2];
        for mechanism in steps {
            let said = login().response(mechanism, 0, &challenge("<1@lab>")).expect("a response");
            assert_eq!(claimed_user(mechanism, said.expose_secret()).as_deref(), Some("tim"), "{mechanism}");
        }
        assert_eq!(claimed_user(AuthMechanism::Plain, "not base64"), None);
        assert_eq!(claimed_user(AuthMechanism::Plain, &challenge("\0\0x")), None);
    }

    #[test]
    fn the_best_that_is_offered_is_taken() {
        assert_eq!(best("LOGIN PLAIN", None), Some(AuthMechanism::Plain));
        assert_eq!(best("plain cram-md5", None), Some(AuthMechanism::CramMd5));
        assert_eq!(best("GSSAPI", None), None);
        assert_eq!(best("PLAIN XOAUTH2", Some(AuthMechanism::Xoauth2)), Some(AuthMechanism::Xoauth2));
        assert_eq!(best("PLAIN", Some(AuthMechanism::Xoauth2)), None);
    }
}

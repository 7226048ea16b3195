//! What an answer of a policy host is worth.

use std::time::Duration;

use super::super::failure::FailureType;
use super::super::senders::{MediaType, Profile, Size, Status, Taken};
use super::super::{Document, MAX_POLICY, Policy};
use super::Fetched;

/// The time that RFC 8461 3.3 suggests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether what carries a policy is right, whatever the policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// It is.
    Usable,
    /// The RFC only suggests a limit here: some senders take it, some do not.
    SenderDependent(String),
    /// It is not, and senders report this.
    Failed(Unusable),
}

/// Why there is no policy, and what senders call it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {why}")]
pub struct Unusable {
    /// As it is reported.
    pub kind: FailureType,
    /// In a sentence.
    pub why: String,
}

impl Unusable {
    fn new(kind: FailureType, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }
}

impl Fetched {
    /// Whether certificate, status, media type, size and time are right, by the letter.
    pub fn transport(&self) -> Transport {
        let failed = |kind, why: String| Transport::Failed(Unusable::new(kind, why));
        if let Some(flaws) = self.flaws() {
            return failed(FailureType::StsWebpkiInvalid, flaws);
        }
        let Some(status) = self.status else {
            let why = self.trouble.clone().unwrap_or_else(|| "there was no answer".to_owned());
            return failed(FailureType::StsPolicyFetchError, why);
        };
        if let Some(why) = self.wrong_status(status) {
            return failed(FailureType::StsPolicyFetchError, why);
        }
        match self.media_type() {
            None => return Transport::SenderDependent("the answer has no media type".to_owned()),
            Some(kind) if kind != "text/plain" => {
                let why = format!("the media type is `{kind}`, not `text/plain`");
                return failed(FailureType::StsPolicyFetchError, why);
            }
            Some(_) => {}
        }
        if self.bytes > MAX_POLICY as u64 {
            return Transport::SenderDependent(format!("the policy is larger than {MAX_POLICY} bytes"));
        }
        if Duration::from_millis(self.ms) > PATIENCE {
            return Transport::SenderDependent(format!("the answer took longer than {PATIENCE:?}"));
        }
        match &self.trouble {
            Some(why) => failed(FailureType::StsPolicyFetchError, why.clone()),
            None => Transport::Usable,
        }
    }

    /// The policy, for a strict sender; of what the RFC only suggests it minds everything.
    ///
    /// # Errors
    /// Why there is none, as it is reported.
    pub fn policy(&self) -> Result<Policy, Unusable> {
        match self.transport() {
            Transport::Failed(why) => return Err(why),
            Transport::SenderDependent(why) => return Err(Unusable::new(FailureType::StsPolicyFetchError, why)),
            Transport::Usable => {}
        }
        let document = Document::read(self.body.as_bytes());
        let first = document.problems.first().map(|it| it.message.clone());
        document.policy.ok_or_else(|| {
            Unusable::new(FailureType::StsPolicyInvalid, first.unwrap_or_else(|| "it is no policy".to_owned()))
        })
    }

    /// What a sender takes the answer for.
    ///
    /// # Errors
    /// Why it takes it for none, as it would report that.
    pub fn taken_by(&self, profile: &Profile) -> Result<Taken, Unusable> {
        let conduct = profile.conduct;
        let fetch_error = |why: String| Err(Unusable::new(FailureType::StsPolicyFetchError, why));
        if let Some(flaws) = self.flaws() {
            return Err(Unusable::new(FailureType::StsWebpkiInvalid, flaws));
        }
        let Some(status) = self.status else {
            return fetch_error(self.trouble.clone().unwrap_or_else(|| "there was no answer".to_owned()));
        };
        if let Some(why) = self.wrong_status(status).filter(|_| conduct.status == Status::Only200) {
            return fetch_error(why);
        }
        if conduct.media_type == MediaType::Demanded && self.media_type().as_deref() != Some("text/plain") {
            return fetch_error("the media type is not `text/plain`".to_owned());
        }
        if self.ms > conduct.patience * 1_000 {
            return fetch_error(format!("the answer took longer than {} s", conduct.patience));
        }
        let body = match conduct.size {
            Size::AtMost(most) if self.bytes > most => {
                return fetch_error(format!("the policy is larger than {most} bytes"));
            }
            Size::CutAt(most) => &self.body[..self.body.floor_char_boundary(most as usize)],
            Size::AtMost(_) | Size::Any => &self.body,
        };
        profile.read_policy(body).ok_or_else(|| {
            Unusable::new(FailureType::StsPolicyInvalid, format!("{} throws the policy away", profile.name))
        })
    }

    /// What is wrong with the certificate of the policy host.
    fn flaws(&self) -> Option<String> {
        let verdicts = self.tls.as_ref().map(|it| it.verdicts.as_slice()).unwrap_or_default();
        let wrong: Vec<&str> = verdicts.iter().map(String::as_str).filter(|it| *it != "trusted").collect();
        (!wrong.is_empty()).then(|| format!("the certificate of {} is {}", self.host, wrong.join(", ")))
    }

    fn wrong_status(&self, status: u16) -> Option<String> {
        match (status, &self.location) {
            (200, _) => None,
            (300..=399, Some(to)) => Some(format!("status {status} leads to `{to}`, and redirects are not followed")),
            _ => Some(format!("the status is {status}, not 200")),
        }
    }

    /// The media type without its parameters, in lower case.
    fn media_type(&self) -> Option<String> {
        self.content_type.as_ref().map(|it| it.split(';').next().unwrap_or("").trim().to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::vectors::{all, same};
    use crate::record::TlsSeen;

    #[test]
    fn answers_are_judged_by_the_letter() {
        all("https_fetch", |vector| {
            let input = &vector["input"];
            let verdict = match input["tls"].as_str().expect("a word") {
                "ok" | "needs_sni" => Some("trusted"),
                "expired" => Some("expired"),
                "self_signed" => Some("self-signed"),
                "san_provider_only" | "cn_only_no_san" | "san_apex_only" => Some("wrong-name"),
                "tls10_only" => None,
                other => panic!("{other}"),
            };
            let tls = TlsSeen { verdicts: verdict.iter().map(|it| (*it).to_owned()).collect(), ..TlsSeen::default() };
            let fetched = Fetched {
                tls: Some(tls),
                // Without a handshake there is no answer.
                status: input["status"].as_u64().filter(|_| verdict.is_some()).map(|it| it as u16),
                location: input["location"].as_str().map(str::to_owned),
                content_type: input["content_type"].as_str().map(str::to_owned),
                bytes: input["bytes"].as_u64().expect("a number"),
                ms: input["ms"].as_u64().expect("a number"),
                ..Fetched::default()
            };
            let found = match fetched.transport() {
                Transport::Usable => "usable",
                Transport::SenderDependent(_) => "sender_dependent",
                Transport::Failed(why) => why.kind.word(),
            };
            same("the outcome", Some(found), vector["expect"]["outcome"].as_str())
        });
    }

    #[test]
    fn what_the_rfc_only_suggests_splits_senders() {
        let body = "version: STSv1\nmode: enforce\nmx: mx1.new.example\nmax_age: 604800\n";
        let trusted = TlsSeen { verdicts: vec!["trusted".to_owned()], ..TlsSeen::default() };
        let fetched = Fetched {
            tls: Some(trusted),
            status: Some(200),
            bytes: body.len() as u64,
            body: body.to_owned(),
            ..Fetched::default()
        };
        let takes = |fetched: &Fetched| -> Vec<&str> {
            crate::policy::senders::senders().filter(|it| fetched.taken_by(it).is_ok()).map(|it| it.name).collect()
        };
        assert_eq!(takes(&fetched), ["mox", "stalwart"], "without a media type");
        let late = Fetched { content_type: Some("text/plain".to_owned()), ms: 25_000, ..fetched.clone() };
        assert_eq!(takes(&late), ["chasquid", "maddy", "mox", "stalwart"], "after 25 s");
        let moved = Fetched { status: Some(404), ..late };
        assert_eq!(takes(&moved), ["stalwart"]);
    }
}

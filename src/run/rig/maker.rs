//! Messages, made of what phases say of them.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::dkim::{DkimConfig, DkimSigningAlgorithm, DkimSigningKey};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::super::{Context, Kind, RunError};
use super::logins;
use crate::mail::Address;
use crate::plan::{ControlProbe, Plan, Probe};
use crate::record::{Event, Journal, Tag};
use crate::scenario::form::{Dkim, DkimAlgorithm, Dsn, Form, Letter};
use crate::send::{Outgoing, Settings, Template, Wish, message};
use crate::world::Dice;

/// Makes messages.
#[derive(Clone)]
pub(in super::super) struct Maker {
    journal: Journal,
    dice: Dice,
    /// Phase by phase.
    letters: Arc<Vec<Prepared>>,
}

/// What the messages of a phase are made of; its files and keys are read.
#[derive(Default)]
struct Prepared {
    form: Form,
    template: Option<Template>,
    dkim: Option<DkimConfig>,
    dsn: Option<Dsn>,
}

/// What a message is made for.
struct Purpose<'a> {
    tag: &'a Tag,
    number: u64,
    from: &'a Address,
    to: &'a Address,
    size: u64,
    within: Duration,
}

impl Maker {
    /// A maker for every phase of the plan.
    ///
    /// # Errors
    /// Where a template or key cannot be had.
    pub(super) async fn new(plan: &Plan, context: &Context, settings: &Settings) -> Result<Self, RunError> {
        let mut letters = vec![];
        for phase in &plan.scenario.phases {
            letters.push(match &phase.probes {
                Some(probes) => prepared(&probes.letter, context).await?,
                None => Prepared::default(),
            });
        }
        Ok(Self { journal: settings.journal.clone(), dice: settings.dice, letters: Arc::new(letters) })
    }

    /// The message of a probe of phase `phase`, ready to go; none where its addresses cannot stand
    /// in a header, which the journal then says.
    pub(in super::super) fn probe(&self, phase: usize, probe: &Probe, within: Duration) -> Option<Outgoing> {
        let Probe { number, tag, recipient, reverse_path, size, also, .. } = probe;
        let (number, from, to) = (u64::from(*number), reverse_path, recipient);
        let made = self.made(self.letters.get(phase)?, &Purpose { tag, number, from, to, size: *size, within })?;
        Some(Outgoing { also: also.clone(), ..made })
    }

    /// The message of a control.
    pub(in super::super) fn control(
        &self,
        control: &ControlProbe,
        number: u64,
        size: u64,
        within: Duration,
    ) -> Option<Outgoing> {
        let ControlProbe { tag, recipient: to, reverse_path: from, .. } = control;
        self.made(&Prepared::default(), &Purpose { tag, number, from, to, size, within })
    }

    fn made(&self, letter: &Prepared, purpose: &Purpose<'_>) -> Option<Outgoing> {
        let Purpose { tag, number, from, to, size, within } = *purpose;
        let (template, dkim, form) = (letter.template.as_ref(), letter.dkim.as_ref(), letter.form);
        let (now, dice) = (self.journal.clock().now(), self.dice);
        match message(&Wish { tag, from, to, size, form, template, dkim, now, dice, number }) {
            Ok(written) => Some(Outgoing {
                tag: tag.clone(),
                number,
                from: from.clone(),
                to: to.clone(),
                also: vec![],
                needs: written.needs,
                dsn: letter.dsn.clone(),
                subject: written.subject,
                message: Arc::from(written.bytes),
                within,
                gate: Arc::new(Semaphore::new(1)),
                enough: CancellationToken::new(),
            }),
            Err(error) => {
                self.journal.note(Event::Warning { text: error.to_string() });
                None
            }
        }
    }
}

async fn prepared(letter: &Letter, context: &Context) -> Result<Prepared, RunError> {
    let template = match &letter.template {
        None => None,
        Some(path) => Some(Template::read(path).map_err(|error| {
            RunError::new(Kind::Usage, format!("the template `{}` cannot be used: {error}", path.display()))
                .help("save the message as a file (.eml) with its headers; nothing was sent")
        })?),
    };
    let dkim = match &letter.dkim {
        None => None,
        Some(stated) => Some(signer(stated, context).await?),
    };
    Ok(Prepared { form: letter.form, template, dkim, dsn: letter.dsn.clone() })
}

async fn signer(stated: &Dkim, context: &Context) -> Result<DkimConfig, RunError> {
    let Dkim { domain, selector, key, algorithm } = stated;
    let name = format!("{selector}._domainkey.{domain}");
    let secret = context.environment.secret(key).await.map_err(|error| logins::missing(&name, &error))?;
    let (kind, form) = match algorithm {
        DkimAlgorithm::Rsa => (DkimSigningAlgorithm::Rsa, "a PEM file that begins with `BEGIN RSA PRIVATE KEY`"),
        DkimAlgorithm::Ed25519 => (DkimSigningAlgorithm::Ed25519, "the base64 of its 32 bytes"),
    };
    // What the library says of a bad key could quote it.
    let key = DkimSigningKey::new(secret.expose_secret(), kind).map_err(|_| {
        RunError::new(Kind::Usage, format!("the key of `{name}` cannot be used to sign"))
            .help(format!("a key of kind `{algorithm}` is {form}"))
    })?;
    Ok(DkimConfig::default_config(selector.clone(), domain.clone(), key))
}

//! The ways in, ready to send.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::super::{Context, Kind, RunError};
use super::Rig;
use super::logins::{self, Logins};
pub(in super::super) use super::maker::Maker;
use crate::plan::SharedPlan;
use crate::policy::Policy;
use crate::policy::fetch::{Getter, Limits};
use crate::scenario::ways::{Command, Sendmail, Stdin, Submission, Value};
use crate::scenario::{MxSender, Sender, SenderKind, TlsPolicy};
use crate::send::{Hander, Manner, Mx, RelayMta, Sending, Server, Settings, Submitter, TlsPolicies, Way};
use crate::tls::Trust;

/// All senders of a scenario, and the one for controls.
pub(super) struct Senders {
    by_name: HashMap<String, Way>,
    control: Mx,
    maker: Maker,
}

/// What senders are made of.
pub(super) struct Making<'a> {
    pub(super) plan: &'a SharedPlan,
    pub(super) context: &'a Context,
    pub(super) settings: Settings,
    /// The lab's users.
    pub(super) logins: &'a Logins,
    /// Address and port of each host of the lab.
    pub(super) lab: HashMap<String, String>,
}

impl Senders {
    /// Every sender of the scenario, its secrets and files read.
    ///
    /// # Errors
    /// Where one of them cannot be had.
    pub(super) async fn new(making: Making<'_>) -> Result<Self, RunError> {
        let mut by_name = HashMap::new();
        for (name, sender) in &making.plan.scenario.senders {
            by_name.insert(name.clone(), making.way(sender).await?);
        }
        let settings = making.settings;
        let maker = Maker::new(making.plan, making.context, &settings).await?;
        Ok(Self { by_name, control: Mx::new(settings), maker })
    }
}

impl Making<'_> {
    async fn way(&self, sender: &Sender) -> Result<Way, RunError> {
        let settings = self.settings.clone();
        match &sender.kind {
            SenderKind::Mx(stated) => {
                let helo = stated.helo.clone().unwrap_or_else(|| settings.helo.clone());
                let (class, waits) = (stated.class, self.plan.scenario.waits(stated.class));
                let policies = policies(stated, self.plan, &settings);
                Ok(Way::Mx(Mx::new(Settings { helo, class, waits, policies, ..settings })))
            }
            SenderKind::Submission(stated) => Ok(Way::Submission(self.submitter(sender, stated).await?)),
            SenderKind::Sendmail(stated) => Ok(Way::Program(self.hander(self.sendmail(stated)))),
            SenderKind::Command(stated) => Ok(Way::Program(self.hander(self.command(sender, stated).await?))),
            SenderKind::Relay(stated) => {
                let submitter = self.submitter(sender, &stated.submission).await?;
                let platform = self.plan.scenario.inventory.of_name(stated.name());
                let platform = platform.map(|it| it.name.value.clone()).unwrap_or_default();
                let (run, env) = (self.plan.run.clone(), self.env().into_iter().collect());
                Ok(Way::Relay(RelayMta::new(stated, submitter, platform, run, env, settings.journal)))
            }
        }
    }

    async fn submitter(&self, sender: &Sender, stated: &Submission) -> Result<Submitter, RunError> {
        let at = &stated.address.host;
        let account = logins::account(sender, at, stated.login.as_ref(), self.context, self.logins).await?;
        let settings = self.settings.clone();
        let helo = stated.helo.clone().unwrap_or_else(|| settings.helo.clone());
        let trust = match &stated.ca {
            Some(path) => trust(path)?,
            None => settings.trust.clone(),
        };
        let server = Server { address: stated.address.value.clone(), tls: stated.tls, trust };
        Ok(Submitter::new(Settings { helo, ..settings }, server, account))
    }
}

impl Making<'_> {
    fn hander(&self, sending: Sending) -> Hander {
        Hander::new(sending, self.settings.journal.clone())
    }

    fn sendmail(&self, stated: &Sendmail) -> Sending {
        let program = std::iter::once(stated.path.display().to_string());
        Sending {
            words: program.chain(stated.args.iter().map(|arg| arg.value.clone())).collect(),
            env: self.env(),
            secrets: IndexMap::new(),
            dir: None,
            stdin: Stdin::Message,
            limit: stated.timeout,
            manner: Manner::Sendmail,
            lab: self.lab.clone(),
        }
    }

    async fn command(&self, sender: &Sender, stated: &Command) -> Result<Sending, RunError> {
        let (mut env, mut secrets) = (self.env(), IndexMap::new());
        for (name, value) in &stated.env {
            match value {
                Value::Text(text) => drop(env.insert(name.clone(), text.value.clone())),
                Value::Secret(secret) => {
                    let fetched = self.context.environment.secret(secret).await;
                    secrets.insert(name.clone(), fetched.map_err(|error| logins::missing(&sender.name.value, &error))?);
                }
            }
        }
        let beside = Path::new(&*self.plan.scenario.source.name).parent().map(Path::to_owned);
        Ok(Sending {
            words: stated.run.iter().map(|word| word.value.clone()).collect(),
            env,
            secrets,
            dir: stated.dir.clone().or(beside.filter(|dir| dir.is_dir())),
            stdin: stated.stdin,
            limit: stated.timeout,
            manner: Manner::AsWritten,
            lab: self.lab.clone(),
        })
    }

    /// What every program finds in its environment; nothing else, so that no secret of this
    /// process gets into a program that prints what it finds.
    fn env(&self) -> IndexMap<String, String> {
        const USUAL: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"];
        let known =
            USUAL.iter().filter_map(|name| Some(((*name).to_owned(), self.context.environment.get(name)?.to_owned())));
        known.collect()
    }
}

/// The TLS policies of a sender, with what it has cached when the run begins.
fn policies(stated: &MxSender, plan: &SharedPlan, settings: &Settings) -> Option<TlsPolicies> {
    if stated.tls_policy == TlsPolicy::Opportunistic {
        return None;
    }
    let connect = settings.waits.timeouts.connect;
    let getter = Getter {
        dialer: settings.dialer.clone(),
        trust: settings.trust.clone(),
        clock: settings.journal.clock(),
        limits: Limits { connect, whole: (connect * 4).min(Limits::default().whole) },
    };
    let policies = TlsPolicies::mta_sts(getter, Arc::clone(&settings.names));
    let Some(cached) = &stated.cache else { return Some(policies) };
    let mx = cached.mx.iter().map(|pattern| pattern.to_ascii_lowercase()).collect();
    let policy = Policy { mode: cached.mode, max_age: cached.max_age.as_secs(), mx };
    Some(policies.with_cached(&plan.scenario.domain.value, policy, &cached.id, cached.age))
}

/// The authorities of a sender's own file.
fn trust(path: &Path) -> Result<Trust, RunError> {
    let wrong = |why: String| {
        RunError::new(Kind::Usage, format!("the authorities in `{}` cannot be used: {why}", path.display()))
            .help("give a PEM file with the certificate of the authority")
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Trust::from_pem(&pem).map_err(|error| wrong(error.to_string()))
}

impl Rig {
    /// The sender of this name.
    pub(in super::super) fn sender(&self, name: &str) -> Option<Way> {
        self.senders.by_name.get(name).cloned()
    }

    /// The real MTAs among the senders of phase `index`.
    pub(in super::super) fn relays(&self, index: usize) -> Vec<RelayMta> {
        let used: BTreeSet<&str> = self.plan.judged(index).iter().map(|probe| probe.sender.as_str()).collect();
        let ways = self.senders.by_name.iter().filter(|(name, _)| used.contains(name.as_str()));
        ways.filter_map(|(_, way)| if let Way::Relay(relay) = way { Some(relay.clone()) } else { None }).collect()
    }

    /// The one that sends controls.
    pub(in super::super) fn control_sender(&self) -> Mx {
        self.senders.control.clone()
    }

    /// Makes messages, for tasks of their own.
    pub(in super::super) fn maker(&self) -> Maker {
        self.senders.maker.clone()
    }
}

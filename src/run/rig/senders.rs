//! The ways in, ready to send.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::super::Context;
use super::{Names, Rig};
use crate::classes::SenderClass;
use crate::mail::Address;
use crate::plan::SharedPlan;
use crate::record::{Journal, Tag};
use crate::scenario::SenderKind;
use crate::send::{Mx, Outgoing, Settings, message};
use crate::tls::Trust;
use crate::world::{Dialer, Dice};

/// All senders of a scenario, and the one for controls.
pub(super) struct Senders {
    by_name: HashMap<String, Mx>,
    control: Mx,
    maker: Maker,
}

/// Makes messages.
#[derive(Clone)]
pub(in super::super) struct Maker {
    journal: Journal,
    dice: Dice,
}

impl Senders {
    pub(super) fn new(
        plan: &SharedPlan,
        context: &Context,
        names: Names,
        dialer: Dialer,
        dice: Dice,
        trust: Trust,
        journal: &Journal,
    ) -> Self {
        let settings = Settings {
            names,
            dialer,
            journal: journal.clone(),
            dice,
            class: SenderClass::default(),
            waits: plan.scenario.waits(SenderClass::default()),
            helo: context.helo.clone(),
            trust,
        };
        let by_name = plan.scenario.senders.iter().map(|(name, sender)| {
            let SenderKind::Mx(stated) = &sender.kind;
            let helo = stated.helo.clone().unwrap_or_else(|| settings.helo.clone());
            let (class, waits) = (stated.class, plan.scenario.waits(stated.class));
            (name.clone(), Mx::new(Settings { helo, class, waits, ..settings.clone() }))
        });
        Self {
            by_name: by_name.collect(),
            control: Mx::new(settings.clone()),
            maker: Maker { journal: journal.clone(), dice },
        }
    }
}

impl Maker {
    /// A message that is ready to go; none where its addresses cannot stand in a header, which
    /// the journal then says.
    pub(in super::super) fn outgoing(
        &self,
        tag: &Tag,
        number: u64,
        from: &Address,
        to: &Address,
        size: u64,
        within: Duration,
    ) -> Option<Outgoing> {
        match message(tag, from, to, size, self.journal.clock().now(), self.dice, number) {
            Ok(bytes) => Some(Outgoing {
                tag: tag.clone(),
                number,
                from: from.clone(),
                to: to.clone(),
                message: Arc::from(bytes),
                within,
                gate: Arc::new(Semaphore::new(1)),
                enough: CancellationToken::new(),
            }),
            Err(error) => {
                self.journal.note(crate::record::Event::Warning { text: error.to_string() });
                None
            }
        }
    }
}

impl Rig {
    /// The sender of this name.
    pub(in super::super) fn sender(&self, name: &str) -> Option<Mx> {
        self.senders.by_name.get(name).cloned()
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

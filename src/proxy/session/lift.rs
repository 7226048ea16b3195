//! Faults that are raised or lifted while the session runs.
//!
//! A fault that is lifted leaves no connection half-poisoned: what can still be delivered is, and
//! where bytes were thrown away the connection is closed.

use std::sync::Arc;

use super::envelope::Bytes;
use super::slot::{Decision, Source};
use super::{End, Outs, Session};

impl Session {
    /// Looks whether something else is in force now.
    pub(in crate::proxy) fn refresh(&mut self, out: &mut Outs<'_>) {
        if !self.in_force.has_changed().unwrap_or(false) {
            return;
        }
        self.rules = Arc::clone(&self.in_force.borrow_and_update());
        self.lift_silence();
        self.lift_plan();
        self.lift_replies(out.client);
        if self.held.as_ref().is_some_and(|held| !self.rules.hold(&held.rule)) {
            self.let_go(out);
        }
    }

    fn lifted(&self, decision: &Decision) -> bool {
        !self.rules.hold(&decision.rule)
    }

    fn lift_silence(&mut self) {
        if self.silent.as_ref().is_some_and(|silent| !self.rules.hold(&silent.rule)) {
            self.end = Some(End::Close);
        }
    }

    fn lift_plan(&mut self) {
        let plan = &self.envelope.plan;
        if plan.eom.as_deref().is_some_and(|decision| self.lifted(decision)) {
            if plan.bytes == Bytes::Nowhere {
                self.end = Some(End::Close);
            }
            self.envelope.plan.eom = None;
        }
        if self.envelope.plan.body.as_deref().is_some_and(|decision| self.lifted(decision)) {
            self.envelope.plan.body = None;
            self.pace = None;
        }
    }

    /// Replies of the upstream that a fault would have met pass.
    fn lift_replies(&mut self, to_client: &mut Vec<u8>) {
        let rules = Arc::clone(&self.rules);
        for (index, slot) in self.pending.iter_mut().enumerate() {
            let lifted = slot.fault.as_deref().is_some_and(|decision| !rules.hold(&decision.rule));
            if lifted && matches!(slot.from, Source::Upstream) {
                slot.fault = None;
                if index == 0 && slot.passes() {
                    to_client.append(&mut self.collected);
                }
            }
        }
    }
}

//! A host that passes mail on at once and answers its client only then: it has no queue.

use std::sync::Arc;

use super::hop::{self, Handed};
use super::host::{Host, Next};
use super::ledger::count;
use super::tags;
use crate::mail::{Reply, Severity};
use crate::record::Handling;
use crate::scenario::Verify;
use crate::smtp::server::{Answer, Envelope, Message, Policy};

/// The policy of one session.
pub(super) struct Relay {
    pub(super) host: Arc<Host>,
    pub(super) to: String,
    pub(super) verify: Verify,
}

impl Policy for Relay {
    async fn rcpt(&mut self, envelope: &Envelope, recipient: &str) -> Answer {
        if self.verify == Verify::No {
            return Answer::Yes;
        }
        let addresses = [envelope.from.clone(), recipient.to_owned()];
        let tags = tags::in_addresses(&self.host.setting.run, &addresses);
        let to = &self.to;
        let reply = match hop::ask(&self.host, to, tags.first(), recipient).await {
            Handed::Took(..) => return Answer::Yes,
            Handed::Refused(_, reply) if reply.severity() == Severity::Permanent => passed_back(to, &reply),
            Handed::Refused(_, reply) => cannot_ask(recipient, to, &reply.to_string()),
            Handed::Unreachable(why) => cannot_ask(recipient, to, &why),
        };
        self.host.refuse(envelope, recipient, reply)
    }

    async fn message(&mut self, envelope: &Envelope, message: Message) -> Answer {
        let _flight = self.host.take_off();
        let copy = self.host.receive(envelope, &message.bytes);
        let traced = self.host.traced(envelope, &copy, &message.bytes);
        let next = Next { host: Some(&self.to), address: None };
        let tally = &self.host.tally;
        let reply = match hop::hand_over(&self.host, &self.to, copy.tags.first(), envelope, &traced).await {
            Handed::Took(address, reply) => {
                self.host.note(&copy, Handling::Took, &Next::default(), &Host::queued(&copy));
                self.host.note(&copy, Handling::Relayed, &Next { address: Some(address), ..next }, &reply);
                count(&tally.taken);
                count(&tally.relayed);
                return Answer::Queued(copy.id);
            }
            Handed::Refused(_, reply) => passed_back(&self.to, &reply),
            Handed::Unreachable(why) => Reply::new(451, format!("4.4.1 {} cannot be reached: {why}", self.to)),
        };
        count(&tally.refused);
        self.host.note(&copy, Handling::Refused, &next, &reply);
        Answer::Say(reply)
    }
}

/// The next hop's refusal in this host's own words.
fn passed_back(to: &str, reply: &Reply) -> Reply {
    // A 421 speaks of the next hop's session, not of this one.
    let code = if reply.code == 421 { 451 } else { reply.code };
    let class = if reply.severity() == Severity::Permanent { "5.0.0" } else { "4.0.0" };
    let status = reply.status().map_or_else(|| class.to_owned(), |status| status.to_string());
    Reply::new(code, format!("{status} {to} said: {}", reply.to_string().replace('\n', " ")))
}

fn cannot_ask(recipient: &str, to: &str, why: &str) -> Reply {
    let why = why.replace('\n', " ");
    Reply::new(450, format!("4.1.1 <{recipient}>: {to} could not be asked about the recipient: {why}"))
}

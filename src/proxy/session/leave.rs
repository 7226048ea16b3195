//! The proxy is going down: how a session that still runs is ended.

use super::{End, Input, Outs, Session};

impl Session {
    /// Whether the proxy is going down, and the session has not ended yet.
    pub(in crate::proxy) fn is_to_leave(&self) -> bool {
        self.end.is_none() && self.shared.live.is_leaving()
    }

    /// Says goodbye, unless a message is under way: then its reply comes first (RFC 5321 3.8).
    pub(in crate::proxy) fn say_goodbye(&mut self, out: &mut Outs<'_>) {
        if !self.is_between_messages() {
            return;
        }
        out.client.extend_from_slice(format!("421 4.3.2 {} is going down\r\n", self.shared.host).as_bytes());
        self.leave_upstream();
        self.end = Some(End::Close);
    }

    /// Whether everything was answered and no recipient waits for a message. Behind STARTTLS that
    /// passes it cannot be seen.
    fn is_between_messages(&self) -> bool {
        let reads_commands = matches!(self.input, Input::Command | Input::Refused | Input::Ignored);
        reads_commands
            && self.envelope.accepted == 0
            && self.pending.is_empty()
            && self.backlog.is_empty()
            && self.collected.is_empty()
            && self.late.is_empty()
            && self.held.is_none()
    }
}

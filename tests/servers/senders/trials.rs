//! What is tried: one fault each, in mxdrill's words, and the name that the matrix has for it.

use std::sync::Arc;

use mxdrill::mail::Stage;
use mxdrill::proxy::Armed;
use mxdrill::scenario::fault::{Action, DnsAction, DnsFault, RecordType};
use mxdrill::scenario::{Fault, read_fault};
use mxdrill::source::{SourceText, Span, Spanned};
use tokio::time::Instant;

/// One message to a domain of its own, whose primary has this fault and is nobody else's: no trial sees what a sender
/// remembers of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial {
    /// Its domain is `NAME.drill.example`.
    pub(crate) name: &'static str,
    /// The row of the matrix; none: the matrix has no such fault.
    pub(crate) matrix: Option<&'static str>,
    /// As in a scenario; none: the primary works.
    pub(crate) fault: Option<&'static str>,
    /// What is wrong with a name: of the primary, or of the domain where the question is that for its MX.
    pub(crate) dns: Option<(RecordType, DnsAction)>,
    /// Who offers STARTTLS.
    pub(crate) tls: Tls,
    /// How the body comes, where the sender can do both.
    pub(crate) framing: Framing,
    /// How large the message is.
    pub(crate) size: usize,
    /// Whose clock ends it.
    pub(crate) clock: Clock,
}

/// Who of a trial's hosts offers STARTTLS. The proxy ends TLS where the fault stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    Everybody,
    Primary,
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Data,
    /// RFC 3030, which of these senders only Exim speaks.
    Bdat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The fault shows at once.
    Fault,
    /// The sender waits until its own timer runs out.
    Sender,
}

pub(crate) const TRIALS: &[Trial] = &[
    Trial { fault: None, ..trial("steady", "ok", "") },
    trial("connect-refuse", "refused", "at: connect, do: refuse, scope: all"),
    trial("connect-drop-syn", "syn_blackhole", "at: connect, do: drop-syn, scope: all").waits(),
    trial("connect-close", "accept_close", "at: connect, do: close, scope: all"),
    trial("connect-reset", "accept_rst", "at: connect, do: reset, scope: all"),
    trial("banner-silent", "silent_banner", "at: banner, do: silent, scope: all").waits(),
    trial("banner-421", "banner_421", r#"at: banner, do: { reply: "421 4.3.2 busy" }, scope: all"#),
    trial("banner-450", "banner_450", r#"at: banner, do: { reply: "450 4.3.2 later" }, scope: all"#),
    trial("banner-554", "banner_554", r#"at: banner, do: { reply: "554 5.3.2 no service" }, scope: all"#),
    // A second for some fifty bytes: within every timer, as the matrix' forty seconds are.
    trial("banner-tarpit", "tarpit_banner", "at: banner, do: { tarpit: 50/s }, scope: all"),
    // Some ten seconds: longer than the timers of those that can be told, and each byte within them.
    trial("banner-trickle", "tarpit_forever", "at: banner, do: { tarpit: 5/s }, scope: all"),
    trial("ehlo-421", "ehlo_421", r#"at: ehlo, do: { reply: "421 4.3.2 busy" }, scope: all"#),
    trial("ehlo-450", "ehlo_450", r#"at: ehlo, do: { reply: "450 4.3.2 later" }, scope: all"#),
    trial("ehlo-550", "ehlo_550", r#"at: ehlo, do: { reply: "550 5.7.1 no" }, scope: all"#),
    trial(
        "ehlo-550-once",
        "ehlo_550_helo_ok",
        r#"at: ehlo, when: { first: 1 }, do: { reply: "550 5.7.1 no" }, scope: all"#,
    ),
    trial("ehlo-close", "ehlo_drop", "at: ehlo, do: close, scope: all"),
    trial("ehlo-silent", "silent_ehlo", "at: ehlo, do: silent, scope: all").waits(),
    trial("starttls-454", "starttls_454", r#"at: starttls, do: { reply: "454 4.7.0 not now" }, scope: all"#),
    trial("starttls-close", "", "at: starttls, do: close, scope: all"),
    trial("tls-unavailable", "starttls_454", "at: starttls, do: { tls: unavailable }, scope: all"),
    trial("tls-garbage", "starttls_garbage", "at: starttls, do: { tls: garbage }, scope: all"),
    trial("tls-close", "starttls_drop", "at: starttls, do: { tls: close }, scope: all"),
    trial("tls-silent", "", "at: starttls, do: { tls: silent }, scope: all").waits(),
    trial("tls-self-signed", "tls_selfsigned", "at: starttls, do: { tls: self-signed }, scope: all"),
    trial("tls-expired", "tls_expired", "at: starttls, do: { tls: expired }, scope: all"),
    trial("tls-wrong-name", "tls_wrongname", "at: starttls, do: { tls: wrong-name }, scope: all"),
    trial("tls-not-yet-valid", "", "at: starttls, do: { tls: not-yet-valid }, scope: all"),
    trial("tls-unknown-ca", "", "at: starttls, do: { tls: unknown-ca }, scope: all"),
    trial("tls-1-1-only", "", "at: starttls, do: { tls: tls-1.1-only }, scope: all"),
    trial("starttls-hidden", "", "at: ehlo, do: { hide: STARTTLS }, scope: all"),
    trial("mail-421", "mail_421", r#"at: mail, do: { reply: "421 4.3.2 busy" }"#),
    trial("mail-451", "mail_451", r#"at: mail, do: { reply: "451 4.3.0 later" }"#),
    trial("mail-451-clear", "", r#"at: mail, do: { reply: "451 4.3.0 later" }"#).beside_a_backup_without_tls(),
    trial("mail-452", "mail_452", r#"at: mail, do: { reply: "452 4.3.1 disk full" }"#),
    trial("mail-550", "mail_550", r#"at: mail, do: { reply: "550 5.7.1 no" }"#),
    trial("rcpt-421", "rcpt_421", r#"at: rcpt, do: { reply: "421 4.3.2 busy" }"#),
    trial("rcpt-450", "rcpt_450", r#"at: rcpt, do: { reply: "450 4.2.0 later" }"#),
    trial("rcpt-550", "rcpt_550", r#"at: rcpt, do: { reply: "550 5.1.1 unknown" }"#),
    trial("rcpt-silent", "silent_rcpt", "at: rcpt, do: silent").waits(),
    trial("data-421", "data_421", r#"at: data, do: { reply: "421 4.3.2 busy" }"#),
    trial("data-451", "data_451", r#"at: data, do: { reply: "451 4.3.0 later" }"#),
    trial("data-554", "data_554", r#"at: data, do: { reply: "554 5.6.0 no" }"#),
    trial("body-reset", "drop_mid_data", "at: body, do: { reset-after: 4KiB }").large(),
    trial("body-close", "", "at: body, do: { close-after: 4KiB }"),
    trial("body-552", "", r#"at: body, do: { premature-reply: "552 5.3.4 too large" }"#),
    trial("eom-421", "dot_421", r#"at: eom, do: { reply: "421 4.3.2 busy" }"#),
    trial("eom-451", "dot_451", r#"at: eom, do: { reply: "451 4.3.0 later" }"#),
    trial("eom-452", "dot_452", r#"at: eom, do: { reply: "452 4.3.1 disk full" }"#),
    trial("eom-554", "dot_554", r#"at: eom, do: { reply: "554 5.6.0 no" }"#),
    trial("eom-close", "drop_after_dot", "at: eom, do: close"),
    trial("eom-lose-reply", "drop_after_dot", "at: eom, do: lose-reply"),
    trial("eom-silent", "silent_after_dot", "at: eom, do: silent").waits(),
    // Exim has said QUIT and closed its side before it has the reply.
    trial("eom-delay-clear", "", "at: eom, do: { delay: 2s }").in_clear(),
    trial("quit-close", "drop_after_250", "at: quit, do: close"),
    named("dns-nxdomain", "mx1_nxdomain", RecordType::A, DnsAction::Nxdomain),
    named("dns-servfail", "mx1_servfail", RecordType::A, DnsAction::Servfail),
    named("dns-truncate", "", RecordType::Mx, DnsAction::Truncate),
    trial("bdat-close", "", "at: body, do: { close-after: 4KiB }").in_chunks(),
    trial("bdat-451", "dot_451", r#"at: eom, do: { reply: "451 4.3.0 later" }"#).in_chunks(),
    trial("bdat-lose-reply", "drop_after_dot", "at: eom, do: lose-reply").in_chunks(),
];

/// Without a name in the matrix: `""`.
const fn trial(name: &'static str, matrix: &'static str, fault: &'static str) -> Trial {
    let matrix = if matrix.is_empty() { None } else { Some(matrix) };
    let (framing, size, clock) = (Framing::Data, 64 << 10, Clock::Fault);
    Trial { name, matrix, fault: Some(fault), dns: None, tls: Tls::Everybody, framing, size, clock }
}

/// A fault of the lab's DNS.
const fn named(name: &'static str, matrix: &'static str, record: RecordType, action: DnsAction) -> Trial {
    Trial { fault: None, dns: Some((record, action)), ..trial(name, matrix, "") }
}

impl Trial {
    const fn waits(self) -> Self {
        Self { clock: Clock::Sender, ..self }
    }

    const fn beside_a_backup_without_tls(self) -> Self {
        Self { tls: Tls::Primary, ..self }
    }

    const fn in_clear(self) -> Self {
        Self { tls: Tls::Nobody, ..self }
    }

    /// More than the sockets' buffers hold: a sender notices while it writes that nobody reads any more.
    const fn large(self) -> Self {
        Self { size: 8 << 20, ..self }
    }

    const fn in_chunks(self) -> Self {
        Self { framing: Framing::Bdat, ..self }
    }

    pub(crate) fn domain(&self) -> String {
        format!("{}.drill.example", self.name)
    }

    pub(crate) fn primary(&self) -> String {
        format!("mx1.{}", self.domain())
    }

    pub(crate) fn backup(&self) -> String {
        format!("mx2.{}", self.domain())
    }

    /// The fault itself.
    fn read(&self) -> Option<Fault> {
        self.fault.map(|text| self.parse(text))
    }

    fn parse(&self, text: &str) -> Fault {
        let source = SourceText::new(self.name, format!("{{ host: {}, {text} }}", self.primary()));
        read_fault(&source).unwrap_or_else(|said| panic!("{}: {said:?}", self.name))
    }

    /// What the proxy is told. A fault at DATA or behind it needs a sender that says DATA, and not BDAT.
    pub(crate) fn armed(&self, index: usize) -> Vec<Armed> {
        let Some(fault) = self.read() else { return vec![] };
        let at_body = [Stage::Data, Stage::Body, Stage::Eom].contains(&fault.at.value);
        let hide = (at_body && self.framing == Framing::Data)
            .then(|| self.parse("at: ehlo, do: { hide: CHUNKING }, scope: all"));
        let since = Instant::now();
        let arm = |(index, fault)| Armed { index, fault: Arc::new(fault), since, of: None };
        [(index, Some(fault)), (usize::MAX, hide)]
            .into_iter()
            .filter_map(|(index, fault)| Some(arm((index, fault?))))
            .collect()
    }

    /// The fault of the lab's DNS, if it is one.
    pub(crate) fn misnamed(&self) -> Option<DnsFault> {
        let (record, action) = self.dns?;
        let name = if record == RecordType::Mx { self.domain() } else { self.primary() };
        Some(DnsFault {
            span: Span::default(),
            name: Spanned::new(name, Span::default()),
            record: Some(Spanned::new(record, Span::default())),
            action: Spanned::new(action, Span::default()),
        })
    }

    /// Whether a proxy can see it fire: what acts before a connection is accepted has no client.
    pub(crate) fn is_seen_firing(&self) -> bool {
        self.read().is_some_and(|fault| !fault.action.value.before_accept())
    }

    /// Whether the sender has sent the whole message when the fault strikes.
    pub(crate) fn strikes_behind_the_body(&self) -> bool {
        self.read().is_some_and(|fault| fault.at.value == Stage::Eom)
    }

    /// Whether the primary keeps a message whose sender does not know it.
    pub(crate) fn leaves_a_copy(&self) -> bool {
        self.strikes_behind_the_body()
            && self.read().is_some_and(|fault| matches!(fault.action.value, Action::LoseReply))
    }
}

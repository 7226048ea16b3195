//! The form of a probe's message.

use crate::inventory::decode::{host_name, secret};
use crate::scenario::form::{Dkim, DkimAlgorithm, Dsn, DsnReturn, Form, Letter, Notify};
use crate::source::Diagnostic;
use crate::source::read::{Fields, Said, at_most, list, path, spanned, text, word};
use crate::source::yaml::Node;

/// The most recipients beside the probe's own.
const MOST_ALSO: usize = 99;

/// The keys of `probes` that say how a message is made.
pub(super) fn letter(map: &mut Fields<'_>) -> Letter {
    let form = map.optional("form", word("a form of a message", "forms", Form::ALL, Form::word));
    let template = map.optional("template", path);
    if form.is_some() && template.is_some() {
        let said = Diagnostic::error(map.key_span("form"), "a template has a form of its own");
        map.say(said.context(map.key_span("template"), "the template").help("remove one of the two"));
    }
    let dkim = map.optional("dkim", dkim);
    if dkim.is_some() && template.is_some() {
        let said = Diagnostic::error(map.key_span("dkim"), "a template is sent as it is, and not signed");
        map.say(said.context(map.key_span("template"), "the template"));
    }
    Letter {
        form: form.unwrap_or_default(),
        template,
        dkim,
        dsn: map.optional("dsn", dsn),
        also: map.optional("also", at_most(MOST_ALSO, list(spanned(text)))).unwrap_or_default(),
    }
}

fn dkim(node: &Node, said: &mut Said) -> Option<Dkim> {
    let mut map = Fields::of(node, "a DKIM key", said)?;
    let domain = map.required("domain", host_name);
    let selector = map.required("selector", host_name);
    let key = map.required("key", secret);
    let algorithms = word("a kind of key", "kinds", DkimAlgorithm::ALL, DkimAlgorithm::word);
    let algorithm = map.optional("algorithm", algorithms).unwrap_or(DkimAlgorithm::Rsa);
    map.done();
    Some(Dkim { domain: domain?, selector: selector?, key: key?, algorithm })
}

fn dsn(node: &Node, said: &mut Said) -> Option<Dsn> {
    let mut map = Fields::of(node, "a wish for notifications", said)?;
    let notify = map.several("notify", word("a moment to notify", "moments", Notify::ALL, Notify::word));
    let returns = word("something to return", "things to return", DsnReturn::ALL, DsnReturn::word);
    let ret = map.optional("return", returns);
    if notify.contains(&Notify::Never) && notify.len() > 1 {
        let said = Diagnostic::error(map.key_span("notify"), "`never` stands alone (RFC 3461 4.1)");
        map.say(said.help("remove the others, or `never`"));
    }
    map.done();
    Some(Dsn { notify, ret })
}

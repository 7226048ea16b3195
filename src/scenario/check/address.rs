//! Recipients and the reverse-path.

use super::Files;
use crate::mail::Address;
use crate::mail::address::MAX_LOCAL;
use crate::scenario::Scenario;
use crate::source::{Diagnostic, Spanned};

/// What stands for a probe's tag in a recipient.
const TAG: &str = "{tag}";
/// As long as every tag.
const EXAMPLE: &str = "7k3f9x2mqa01-00012";

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    let own = scenario.phases.iter().filter_map(|phase| phase.probes.as_ref()?.recipient.as_ref());
    let also = scenario.phases.iter().filter_map(|phase| phase.probes.as_ref()).flat_map(|it| &it.letter.also);
    let wrong: Vec<Diagnostic> =
        std::iter::once(&scenario.recipient).chain(own).chain(also).filter_map(|it| recipient(it, scenario)).collect();
    wrong.into_iter().for_each(|said| files.say(said));
    if let Some(said) = reverse_path(&scenario.sender) {
        files.say(said);
    }
}

fn recipient(template: &Spanned<String>, scenario: &Scenario) -> Option<Diagnostic> {
    let domain = scenario.domain.as_str();
    // No domain was read: what is right about the recipient cannot be said.
    if domain.is_empty() {
        return None;
    }
    let error = |title: String| Diagnostic::error(template.span, title);
    if let Some(placeholder) = placeholder(template) {
        let title = format!("`{placeholder}` has no meaning in a recipient");
        return Some(error(title).note("`{tag}` stands for the tag of each probe"));
    }
    let address: Address = match template.replace(TAG, EXAMPLE).parse() {
        Ok(address) => address,
        Err(why) => return Some(error(format!("`{}` is not a mail address", template.value)).note(why.to_string())),
    };
    if address.domain().contains(EXAMPLE) {
        let title = "`{tag}` cannot stand in the domain of a recipient".to_owned();
        return Some(error(title).help(format!("write it before the `@`, such as `probe+{{tag}}@{domain}`")));
    }
    let allowed = || scenario.recipients.iter().any(|it| it.value == address);
    (address.domain() != domain && !allowed()).then(|| {
        error(format!("`{}` is not a recipient in `{domain}`", template.value))
            .note(format!("this scenario drills `{domain}`; mail to other domains takes other ways"))
            .help("if it is yours to send to, list it under `recipients` at the top")
    })
}

/// Something in braces that is not the tag.
fn placeholder(template: &str) -> Option<&str> {
    let rest = template.find('{').map(|at| &template[at..])?;
    let end = rest.find('}').map_or(rest.len(), |at| at + 1);
    match &rest[..end] {
        TAG => placeholder(&rest[end..]),
        other => Some(other),
    }
}

/// The tag is added to the reverse-path as a detail (RFC 5233), and must find room there.
fn reverse_path(sender: &Spanned<Address>) -> Option<Diagnostic> {
    let error = |title: String| Diagnostic::error(sender.span, title);
    if sender.local().contains('{') {
        let title = format!("`{}` holds a placeholder", sender.value);
        return Some(error(title).help("write it without: the tag of each probe is added to the reverse-path anyway"));
    }
    let room = MAX_LOCAL - EXAMPLE.len() - 1;
    (sender.local().len() > room).then(|| {
        error(format!("`{}` leaves no room for the tag", sender.value))
            .note(format!("the part before `@` may have {room} characters: a `+` and the tag of each probe follow it"))
    })
}

#[cfg(test)]
mod tests {
    use super::placeholder;

    #[test]
    fn only_the_tag_may_stand_in_braces() {
        assert_eq!(placeholder("a@b"), None);
        assert_eq!(placeholder("a+{tag}@b"), None);
        assert_eq!(placeholder("a+{tag}{run}@b"), Some("{run}"));
        assert_eq!(placeholder("a{@b"), Some("{@b"));
    }
}

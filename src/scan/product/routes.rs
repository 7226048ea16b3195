//! Programs whose whole configuration is a list of relays: one line, one way.

use super::{Source, Understood};
use crate::scan::setting::{Reading, Role, Setting, State};
use crate::scan::tree::{Tree, base};

/// How the lines of a file are taken apart.
struct Routes {
    product: &'static str,
    /// What separates fields.
    separator: char,
    /// Which field is the key, and which the host.
    key: usize,
    host: usize,
    role: Role,
}

const fn routes(product: &'static str, separator: char, key: usize, host: usize, role: Role) -> Routes {
    Routes { product, separator, key, host, role }
}

fn of(name: &str) -> Option<Routes> {
    let file = base(name);
    let found = match file {
        "smtproutes" | "qmqpservers" => routes("qmail", ':', 0, 1, Role::NextHop),
        "esmtproutes" => routes("courier", ':', 0, 1, Role::NextHop),
        "esmtpauthclient" => routes("courier", ' ', 0, 0, Role::Credential),
        "remotes" if name.contains("nullmailer") => routes("nullmailer", ' ', 0, 0, Role::NextHop),
        "revaliases" => routes("ssmtp", ':', 0, 2, Role::NextHop),
        "auth.conf" if name.contains("dma") => routes("dma", '|', 0, 1, Role::Credential),
        "passwd.client" => routes("exim", ':', 0, 0, Role::Credential),
        "hubbed_hosts" => routes("exim", ':', 0, 1, Role::NextHop),
        "manualmx" => routes("cpanel", ':', 0, 1, Role::NextHop),
        "mailertable" => routes("sendmail", ' ', 0, 1, Role::NextHop),
        "authinfo" if name.contains("mail") => routes("sendmail", ' ', 0, 0, Role::Credential),
        "virtusertable" | "genericstable" | "domaintable" => routes("sendmail", ' ', 0, 1, Role::Address),
        "localdomains" => routes("cpanel", ' ', 0, 0, Role::LocalDomain),
        "local-host-names" => routes("sendmail", ' ', 0, 0, Role::LocalDomain),
        "locals" | "virtualdomains" if name.contains("control/") => routes("qmail", ':', 0, 0, Role::LocalDomain),
        "hosts" if name.ends_with("etc/hosts") => routes("hosts", ' ', 1, 0, Role::Redirect),
        _ => return None,
    };
    Some(found)
}

/// Reads a list of routes, if it is one.
pub(crate) fn read(source: &Source<'_>, tree: &Tree) -> Option<Understood> {
    let how = of(source.name)?;
    let mut reading = Reading::default();
    for range in source.text.lines() {
        let line = &source.text.as_str()[range.clone()];
        let body = line.trim_start();
        if body.starts_with('#') {
            reading.comments.push(range);
        } else if !body.trim().is_empty() {
            let start = range.start + line.len() - body.len();
            reading.settings.push(setting(body.trim_end(), start, &how));
        }
    }
    if how.product == "sendmail" && how.role == Role::NextHop {
        super::sendmail::table_without_feature(source.name, tree, &mut reading);
    }
    if base(source.name) == "remotes" {
        reading.settings.iter_mut().skip(1).for_each(|it| it.role = Some(Role::Fallback));
    }
    Some(Understood::new(how.product, reading))
}

fn setting(body: &str, start: usize, how: &Routes) -> Setting {
    let fields = fields(body, how.separator, how.host);
    let of = |index: usize| fields.get(index).copied().unwrap_or("");
    let (key, host) = (of(how.key), of(how.host));
    // `:relay` is the way of everything.
    let key = if key.is_empty() { "*" } else { key };
    let from = start + (host.as_ptr() as usize).saturating_sub(body.as_ptr() as usize).min(body.len());
    let setting = Setting::new(key, host, from..from + host.len()).role(how.role);
    match host.is_empty() {
        true => Setting { state: State::Active, ..setting },
        false => setting,
    }
}

/// The fields of a line; the host takes the rest, in which ports and options follow it.
fn fields(body: &str, separator: char, host: usize) -> Vec<&str> {
    let splits = |c: char| if separator == ' ' { c.is_whitespace() } else { c == separator };
    let mut fields = vec![];
    let mut rest = body;
    for _ in 0..host.max(1) {
        match rest.find(splits) {
            Some(at) => {
                fields.push(rest[..at].trim());
                rest = rest[at + 1..].trim_start();
            }
            None => break,
        }
    }
    fields.push(if host == 0 { rest.split(splits).next().unwrap_or("") } else { rest.trim() });
    if host == 0 && fields.len() == 2 {
        // The first field is both; what follows it is options or a secret.
        fields.truncate(2);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::text::Text;

    fn told(name: &str, line: &str) -> String {
        let text = Text::new(line.to_owned());
        let read = read(&Source { name, text: &text }, &Tree::default()).expect("known");
        let setting = &read.reading.settings[0];
        format!("{} -> {} [{}] {}", setting.key, setting.value, &line[setting.span.clone()], setting.state)
    }

    #[test]
    fn one_line_one_way() {
        assert_eq!(
            told("control/smtproutes", ":mx.old.example:587"),
            "* -> mx.old.example:587 [mx.old.example:587] active"
        );
        assert_eq!(told("etc/courier/esmtproutes", "a.example: mx,587"), "a.example -> mx,587 [mx,587] active");
        assert_eq!(told("etc/nullmailer/remotes", "mx smtp pass=x"), "mx -> mx [mx] active");
        assert_eq!(told("etc/ssmtp/revaliases", "root:me@x:mx:25"), "root -> mx:25 [mx:25] active");
        assert_eq!(told("etc/exim4/passwd.client", "mx:me:secret"), "mx -> mx [mx] credential");
        assert_eq!(told("etc/dma/auth.conf", "me|mx:secret"), "me -> mx:secret [mx:secret] credential");
        assert_eq!(
            told("etc/mail/mailertable", "a.example\tesmtp:[mx]"),
            "a.example -> esmtp:[mx] [esmtp:[mx]] active"
        );
        assert_eq!(told("etc/hosts", "10.0.0.5 mx.new.example"), "mx.new.example -> 10.0.0.5 [10.0.0.5] active");
    }
}

//! One reference to the old platform, and the finding that it is reported as.

use serde::Serialize;

use super::relay::FoundLogin;
use super::setting::{Role, State};
use crate::record::{Finding, FindingSeverity};
use crate::source::Place;

/// One place that names the old platform.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) file: String,
    pub(crate) place: Place,
    pub(crate) product: String,
    pub(crate) key: String,
    /// As it may be shown.
    pub(crate) value: String,
    /// The name or address that was found.
    pub(crate) name: String,
    pub(crate) platform: String,
    pub(crate) state: State,
    pub(crate) role: Option<Role>,
    pub(crate) note: Option<String>,
    /// A login that stands beside it.
    pub(crate) login: Option<FoundLogin>,
    /// Files and places that belong to it, and what is there.
    pub(crate) also: Vec<(String, Option<Place>, String)>,
}

/// The first piece of evidence of each finding; the names are a contract.
#[derive(Clone, Debug, Serialize)]
struct Evidence<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    product: &'a str,
    key: &'a str,
    value: &'a str,
    state: State,
    text: String,
}

/// A place that belongs to it.
#[derive(Clone, Debug, Serialize)]
struct Beside<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    text: &'a str,
}

impl Reference {
    /// `FILE:LINE`.
    pub(crate) fn stands(&self) -> String {
        format!("{}:{}", self.file, self.place.line)
    }

    /// How grave it is.
    pub(crate) fn severity(&self) -> FindingSeverity {
        let mail =
            |text: &str| ["smtp", "relay", "mail", "smarthost"].iter().any(|word| text.to_lowercase().contains(word));
        match self.state {
            State::Active => FindingSeverity::Error,
            State::Credential => FindingSeverity::Warning,
            State::Lead if mail(&self.key) => FindingSeverity::Warning,
            _ => FindingSeverity::Info,
        }
    }

    /// As it is reported.
    pub(crate) fn finding(&self) -> Finding {
        let local = self.role == Some(Role::LocalDomain) && self.state == State::Active;
        let id = if local { "local-domain".to_owned() } else { format!("old-relay-{}", self.state) };
        let finding = Finding::new(&id, self.severity(), &self.product, self.title())
            .platform(Some(&self.platform).filter(|it| !it.is_empty()))
            .shown_by(Evidence {
                file: &self.file,
                line: self.place.line,
                column: self.place.column,
                product: &self.product,
                key: &self.key,
                value: &self.value,
                state: self.state,
                text: self.line(),
            });
        let finding = self.also.iter().fold(finding, |finding, (file, place, text)| {
            let (line, column) = (place.map(|it| it.line), place.map(|it| it.column));
            finding.shown_by(Beside { file, line, column, text })
        });
        match self.fix() {
            Some(fix) => finding.fix(fix),
            None => finding,
        }
    }

    fn line(&self) -> String {
        let note = self.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
        format!("{} = {} ({}{note})", self.key, self.value, self.state)
    }

    fn title(&self) -> String {
        let Self { key, product, name, .. } = self;
        let meaning = self.role.map_or("names it", Role::meaning);
        let whose = if self.platform.is_empty() { String::new() } else { format!(", which is on `{}`", self.platform) };
        match self.state {
            State::Active if self.role == Some(Role::LocalDomain) => {
                format!("`{name}` is delivered on this host: `{key}` of {product} lists it, and no MX is looked up")
            }
            State::Active => format!("`{key}` of {product} {meaning}: `{name}`{whose}"),
            State::Shadowed => format!("`{key}` of {product} names `{name}`{whose}, and is overruled"),
            State::Commented => format!("`{key}` of {product} names `{name}`{whose}, in a comment"),
            State::Unused => format!("`{key}` of {product} names `{name}`{whose}, and is not in use"),
            State::Credential => format!("a login for `{name}`{whose} is left in {product}"),
            State::Generated => format!("`{key}` of {product} names `{name}`{whose}, in a copy that no program reads"),
            State::Lead => format!("`{name}`{whose} is named at `{key}`"),
        }
    }

    fn fix(&self) -> Option<String> {
        let file = &self.file;
        let then = match self.product.as_str() {
            "postfix" if file.ends_with("main.cf") || file.ends_with("master.cf") => ", then `postfix reload`",
            "postfix" if [".db", ".lmdb", ".cdb", ".pag"].iter().any(|end| file.ends_with(end)) => {
                return Some(format!("run `postmap` on the source of `{file}` again"));
            }
            "postfix" => ", then `postmap` it and `postfix reload`",
            "exim" if file.ends_with("config.autogenerated") => {
                return Some(
                    "change `dc_smarthost` in update-exim4.conf.conf, then `update-exim4.conf` and reload Exim"
                        .to_owned(),
                );
            }
            "exim" if file.contains("exim4") => ", then `update-exim4.conf` and reload Exim",
            "sendmail" if file.ends_with(".cf") => {
                return Some("change it in the `.mc` beside, make the `.cf` again, and restart Sendmail".to_owned());
            }
            "sendmail" => ", run `make`, and restart Sendmail",
            "compose" | "yaml" | "systemd" | "environment" => ", and start what reads it again",
            _ => "",
        };
        match (self.state, self.role) {
            (State::Active, Some(Role::LocalDomain)) => {
                Some(format!("remove `{}` from `{}`{then}", self.name, self.key))
            }
            (State::Active, _) => Some(format!("name the new relay in `{}` of `{file}`{then}", self.key)),
            (State::Credential, _) => {
                Some("remove it once nothing sends there, and have the password revoked".to_owned())
            }
            (State::Shadowed | State::Unused | State::Commented, _) => {
                Some("remove it, so that nobody switches it on again".to_owned())
            }
            (State::Generated, _) => Some("make the copy again, or remove it".to_owned()),
            (State::Lead, _) => None,
        }
    }
}

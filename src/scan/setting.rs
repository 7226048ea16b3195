//! One setting of a file, as the program that reads the file would understand it.

use std::ops::Range;

use crate::terms::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::terms::UnknownWord;

words! {
    /// What a reference to the old platform means at the place where it stands.
    State {
        /// A program reads it and acts by it.
        Active = "active",
        /// A later or more specific setting takes its place.
        Shadowed = "shadowed",
        /// It stands in a comment.
        Commented = "commented",
        /// Nothing refers to it, or what it belongs to is switched off.
        Unused = "unused",
        /// It only says how to log in there.
        Credential = "credential",
        /// A copy made from another file, which no program reads.
        Generated = "generated",
        /// The name stands there; what it means is not known.
        Lead = "lead",
    }
}

/// What a setting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Where mail goes next.
    NextHop,
    /// Where mail goes when the first choice fails.
    Fallback,
    /// Whom the program logs in as, at which host.
    Credential,
    /// What a mail client uses to send.
    Client,
    /// Which domains the host delivers by itself.
    LocalDomain,
    /// Which address or name is sent to another.
    Redirect,
    /// An address of the old platform gets mail or a copy of it.
    Address,
}

impl Role {
    /// What it means that such a setting names the old platform.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Role::NextHop => "sends mail through it",
            Role::Fallback => "sends mail through it when the first choice fails",
            Role::Credential => "holds a login for it",
            Role::Client => "tells mail clients to send through it",
            Role::LocalDomain => "delivers this domain by itself",
            Role::Redirect => "redirects to it",
            Role::Address => "addresses mail to it",
        }
    }
}

/// One setting.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// As the program calls it; sections and nesting are joined by dots.
    pub(crate) key: String,
    /// As the program understands it: without quotes, decoded, with variables filled in.
    pub(crate) value: String,
    /// Where the value is written, in bytes.
    pub(crate) span: Range<usize>,
    /// Whether it counts.
    pub(crate) state: State,
    /// What it is for; nothing where that is not known.
    pub(crate) role: Option<Role>,
    /// Why it does not count, or what makes it count.
    pub(crate) note: Option<String>,
    /// Where the value, or what makes it count, is written besides.
    pub(crate) also: Vec<Also>,
    /// The product, where a file holds settings of several.
    pub(crate) product: Option<&'static str>,
}

/// A second place that belongs to a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Also {
    /// The file; nothing for the file of the setting itself.
    pub(crate) file: Option<String>,
    /// The first byte; nothing for the file as a whole.
    pub(crate) at: Option<usize>,
    /// What is there.
    pub(crate) what: String,
}

impl Setting {
    /// A setting that counts, whose purpose is not known yet.
    pub(crate) fn new(key: impl Into<String>, value: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            span,
            state: State::Active,
            role: None,
            note: None,
            also: vec![],
            product: None,
        }
    }

    /// The same for this purpose.
    pub(crate) fn role(mut self, role: Role) -> Self {
        self.role = Some(role);
        if role == Role::Credential && self.state == State::Active {
            self.state = State::Credential;
        }
        self
    }

    /// The same in another state, and why.
    pub(crate) fn but(mut self, state: State, why: impl Into<String>) -> Self {
        self.state = state;
        self.note = Some(why.into());
        self
    }
}

/// Everything that a reader understood of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// All settings, in the order of the file.
    pub(crate) settings: Vec<Setting>,
    /// What is commented out, in bytes.
    pub(crate) comments: Vec<Range<usize>>,
    /// What could not be looked at because it is kept elsewhere.
    pub(crate) elsewhere: Vec<String>,
    /// Definitions that are part of other settings: a name in one of them is no reference of its own
    /// as long as something uses it.
    pub(crate) definitions: Vec<Definition>,
    /// Files that this one makes part of the configuration.
    pub(crate) follows: Vec<Follow>,
}

/// A file that another one refers to.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    /// The file.
    pub(crate) file: String,
    /// The product that reads it.
    pub(crate) product: &'static str,
    /// How it is written.
    pub(crate) shape: Shape,
    /// What its entries are for; nothing where they are no way of mail.
    pub(crate) role: Option<Role>,
    /// The setting that refers to it.
    pub(crate) key: String,
    /// The file with that setting, and where it stands there.
    pub(crate) from: (String, usize),
}

/// How a file is written that another one refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A key, white space, a value; lines that begin with white space go on.
    Table,
    /// The same, with the key up to a colon.
    Colon,
    /// One domain or host a line.
    List,
    /// Made from the table of the same name without its extension.
    Compiled,
}

/// A variable or macro.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// Its name.
    pub(crate) name: String,
    /// Where its value is written.
    pub(crate) span: Range<usize>,
    /// Whether a setting that counts uses it.
    pub(crate) used: Used,
}

/// Whether anything uses a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Used {
    /// A setting fills it in.
    Yes,
    /// Nothing does.
    No,
}

impl Reading {
    /// Of settings that have the same key the last one counts.
    pub(crate) fn last_wins(&mut self) {
        let mut later: std::collections::HashSet<String> = std::collections::HashSet::new();
        for setting in self.settings.iter_mut().rev() {
            let counts = matches!(setting.state, State::Active | State::Credential);
            if counts && !later.insert(setting.key.clone()) {
                setting.state = State::Shadowed;
                setting.note = Some(format!("a later `{}` takes its place", setting.key));
            }
        }
    }
}

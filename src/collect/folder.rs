//! What a folder is for, as its name says.

use crate::record::Placement;

/// Names that stores and mail programs give to the folder for unwanted mail, in lower case.
/// Exchange translates the name, and marks no folder.
const JUNK: &[&str] = &[
    "junk",
    "spam",
    "junk e-mail",
    "junk email",
    "junk mail",
    "bulk mail",
    "quarantine",
    "junk-e-mail",
    "courrier indésirable",
    "courrier ind&aok-sirable",
    "correo no deseado",
    "posta indesiderata",
    "ongewenste e-mail",
    "lixo eletrônico",
    "lixo eletr&apq-nico",
];

/// The kind of folder; `name` may be a path with `.` or `/` between its parts, such as `.Junk` or
/// `INBOX/Spam`.
pub(super) fn placement(name: &str) -> Placement {
    let last = name.rsplit(['.', '/']).next().unwrap_or(name).to_lowercase();
    if name.is_empty() || name.eq_ignore_ascii_case("inbox") {
        Placement::Inbox
    } else if JUNK.contains(&last.as_str()) {
        Placement::Junk
    } else {
        Placement::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_folder_is_for() {
        for (name, kind) in [
            ("INBOX", Placement::Inbox),
            ("", Placement::Inbox),
            (".Junk", Placement::Junk),
            ("INBOX.Spam", Placement::Junk),
            ("[Gmail]/Spam", Placement::Junk),
            ("Junk E-Mail", Placement::Junk),
            ("Junk-E-Mail", Placement::Junk),
            ("Courrier ind&AOk-sirable", Placement::Junk),
            (".Archive.2026", Placement::Other),
            ("Junk/keep", Placement::Other),
        ] {
            assert_eq!(placement(name), kind, "{name}");
        }
    }
}

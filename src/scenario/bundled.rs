//! The scenarios that come with the program.

use crate::source::SourceText;

/// Name and text of every bundled scenario, in order.
const FILES: &[(&str, &str)] = &[
    ("01-backup-mx-still-legacy.yaml", include_str!("../../scenarios/01-backup-mx-still-legacy.yaml")),
    ("02-backup-mx-on-the-new-platform.yaml", include_str!("../../scenarios/02-backup-mx-on-the-new-platform.yaml")),
    ("03-greylisted-then-delivered.yaml", include_str!("../../scenarios/03-greylisted-then-delivered.yaml")),
    (
        "04-lost-acknowledgement-makes-two-copies.yaml",
        include_str!("../../scenarios/04-lost-acknowledgement-makes-two-copies.yaml"),
    ),
    (
        "05-a-refusal-for-good-tests-no-backup.yaml",
        include_str!("../../scenarios/05-a-refusal-for-good-tests-no-backup.yaml"),
    ),
    ("06-null-mx-takes-no-mail.yaml", include_str!("../../scenarios/06-null-mx-takes-no-mail.yaml")),
    (
        "07-equal-preferences-share-the-mail.yaml",
        include_str!("../../scenarios/07-equal-preferences-share-the-mail.yaml"),
    ),
    ("08-backup-holds-then-forwards.yaml", include_str!("../../scenarios/08-backup-holds-then-forwards.yaml")),
    ("09-backup-that-asks-the-primary.yaml", include_str!("../../scenarios/09-backup-that-asks-the-primary.yaml")),
    ("10-legacy-closed-properly.yaml", include_str!("../../scenarios/10-legacy-closed-properly.yaml")),
    ("11-busy-primary-falls-back.yaml", include_str!("../../scenarios/11-busy-primary-falls-back.yaml")),
    ("12-held-by-a-spool-then-drained.yaml", include_str!("../../scenarios/12-held-by-a-spool-then-drained.yaml")),
    ("13-opensmtpd-does-not-fall-back.yaml", include_str!("../../scenarios/13-opensmtpd-does-not-fall-back.yaml")),
    ("14-exim-remembers-a-failed-host.yaml", include_str!("../../scenarios/14-exim-remembers-a-failed-host.yaml")),
    (
        "15-an-application-still-leaves-through-the-old-smarthost.yaml",
        include_str!("../../scenarios/15-an-application-still-leaves-through-the-old-smarthost.yaml"),
    ),
    (
        "16-every-source-leaves-through-the-new-smarthost.yaml",
        include_str!("../../scenarios/16-every-source-leaves-through-the-new-smarthost.yaml"),
    ),
    ("20-policy-still-lists-the-old-mx.yaml", include_str!("../../scenarios/20-policy-still-lists-the-old-mx.yaml")),
    ("21-backup-missing-from-the-policy.yaml", include_str!("../../scenarios/21-backup-missing-from-the-policy.yaml")),
    (
        "22-policy-changed-but-its-id-did-not.yaml",
        include_str!("../../scenarios/22-policy-changed-but-its-id-did-not.yaml"),
    ),
    ("23-policy-and-id-changed-together.yaml", include_str!("../../scenarios/23-policy-and-id-changed-together.yaml")),
    ("24-migration-in-the-right-order.yaml", include_str!("../../scenarios/24-migration-in-the-right-order.yaml")),
    ("25-migration-in-the-wrong-order.yaml", include_str!("../../scenarios/25-migration-in-the-wrong-order.yaml")),
];

/// The bundled scenarios, in order.
pub fn bundled() -> impl Iterator<Item = SourceText> {
    FILES.iter().map(|(name, text)| SourceText::new(format!("scenarios/{name}"), *text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Paint, draw_remarks};

    #[test]
    fn they_load_without_a_warning() {
        for source in bundled() {
            let said = match crate::scenario::load(source, None) {
                Ok(loaded) => loaded.warnings,
                Err(mistakes) => mistakes,
            };
            assert!(said.is_empty(), "{}", draw_remarks(&said, Paint::Plain));
        }
    }

    #[test]
    fn none_is_left_out() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| format!("scenarios/{}", entry.expect("an entry").file_name().display()))
            .collect();
        names.sort();
        assert_eq!(names, bundled().map(|source| source.name.to_string()).collect::<Vec<_>>());
    }
}

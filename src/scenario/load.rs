//! From texts to a scenario, or everything that is wrong with them.

use super::check::{Files, check};
use super::{Fault, Scenario, decode};
use crate::inventory::{self, Inventory};
use crate::source::read::{Asked, Said};
use crate::source::yaml;
use crate::source::{Diagnostic, Remark, SourceText};

/// A scenario that can be run, and what its writer should know.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// Warnings, in the order of the file; about the scenario first, then the inventory.
    pub warnings: Vec<Remark>,
}

/// Reads and checks a scenario. Its platforms may stand in an inventory file instead, or in both.
///
/// # Errors
/// Every mistake of both files, in their order; warnings are among them where they can be told.
pub fn load(source: SourceText, inventory: Option<SourceText>) -> Result<Loaded, Vec<Remark>> {
    let mut said = Said::about(&source);
    let draft = read(&source, &mut said);
    let (theirs, others) = inventory.as_ref().map(inventory::decode::file).unzip();
    // An inventory that cannot be read at all leaves nothing to check the scenario against.
    let theirs = theirs.map_or(Some(Inventory::default()), |theirs| theirs);
    let names = theirs.iter().flat_map(|it| it.platforms.keys().cloned()).collect();
    let mut files = Files { scenario: said, inventory: others, theirs: names };
    let unread = files.have_errors();
    let scenario = draft.zip(theirs).map(|(mut scenario, theirs)| {
        merge(&mut scenario, theirs, &mut files.scenario);
        check(&scenario, &mut files);
        scenario
    });
    let broken = files.have_errors();
    let mut remarks = files.into_remarks();
    // A warning about a draft may come from what could not be read.
    remarks.retain(|remark| !unread || remark.is_error());
    match scenario {
        Some(scenario) if !broken => Ok(Loaded { scenario, warnings: remarks }),
        _ => Err(remarks),
    }
}

fn read(source: &SourceText, said: &mut Said) -> Option<Scenario> {
    match yaml::parse(source) {
        Ok(node) => decode::scenario(&node, said),
        Err(mistakes) => {
            mistakes.into_iter().for_each(|mistake| said.say(mistake));
            None
        }
    }
}

/// Reads one fault by itself, written as in a scenario.
///
/// # Errors
/// Every mistake in it.
pub fn fault(source: &SourceText) -> Result<Fault, Vec<Remark>> {
    let mut said = Said::about(source);
    let fault = match yaml::parse(source) {
        Ok(node) => decode::fault(&node, &mut said),
        Err(mistakes) => {
            mistakes.into_iter().for_each(|mistake| said.say(mistake));
            None
        }
    };
    let broken = said.has_errors();
    fault.filter(|_| !broken).ok_or_else(|| said.into_remarks())
}

/// The inventory's platforms come first; a name in both files is a mistake, since nobody could
/// tell which one is meant.
fn merge(scenario: &mut Scenario, theirs: Inventory, said: &mut Said) {
    let mut all = theirs.platforms;
    for (name, platform) in std::mem::take(&mut scenario.inventory.platforms) {
        if all.contains_key(&name) {
            let title = format!("the platform `{name}` stands in the inventory too");
            said.say(Diagnostic::error(platform.name.span, title).help("keep it in one of the two files"));
        }
        all.insert(name, platform);
    }
    scenario.inventory.platforms = all;
}

/// The keys and words that a scenario is asked for, for its schema.
pub fn asked(source: &SourceText) -> Asked {
    let mut said = Said::about(source);
    read(source, &mut said);
    said.asked().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "\
name: small
domain: Drill.Example
platforms:
  new: { hosts: [mx1.new.example] }
lab:
  zones: { drill.example: '@ MX 10 mx1.new.example.' }
  hosts: { mx1.new.example: { store: {} } }
phases:
  - name: steady
    probes: { count: 3, rate: 10/s }
    expect: { at: new, within: 30s }
";

    #[test]
    fn a_small_scenario_gets_the_defaults() {
        let loaded = load(SourceText::new("s.yaml", SMALL), None).expect("it is right");
        let scenario = loaded.scenario;
        assert_eq!(scenario.recipient.value, "mxdrill@drill.example");
        assert_eq!(scenario.senders.keys().collect::<Vec<_>>(), ["direct"]);
        let probes = scenario.phases[0].probes.as_ref().expect("probes");
        assert_eq!(probes.interval, Some(std::time::Duration::from_millis(100)));
    }

    #[test]
    fn mistakes_of_both_files_are_said_at_once() {
        let scenario = SMALL.replace("count: 3", "count: three").replace("  new: {", "  new: { role: al,");
        let inventory = SourceText::new("i.yaml", "platforms:\n  old: { hots: [mx.old.example] }\n");
        let said = load(SourceText::new("s.yaml", scenario), Some(inventory)).expect_err("it is wrong");
        let titles: Vec<(&str, &str)> = said.iter().map(|it| (&*it.source.name, it.said.title.as_str())).collect();
        assert_eq!(
            titles,
            [
                ("s.yaml", "`al` is not a role of a platform"),
                ("s.yaml", "`three` is not a whole number"),
                ("i.yaml", "`hots` is not a key of a platform"),
            ]
        );
    }

    #[test]
    fn a_password_in_the_file_is_refused_and_never_drawn() {
        let collector = "collectors: [imap: { address: imap.new.example:993, user: x, password: hunter2 }] }";
        let scenario = SMALL.replace("[mx1.new.example] }", &format!("[mx1.new.example], {collector}"));
        let said = load(SourceText::new("s.yaml", scenario), None).expect_err("it is wrong");
        let drawn = crate::source::draw_remarks(&said, crate::source::Paint::Plain);
        assert!(drawn.contains("a `password` cannot stand in the file itself"), "{drawn}");
        assert!(!drawn.contains("hunter2"), "{drawn}");
    }
}

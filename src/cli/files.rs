//! Scenario files, bundled ones among them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Exit, Screen};
use crate::inventory::{self, Inventory};
use crate::scenario::{self, Loaded};
use crate::source::SourceText;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Reads the scenarios at `paths` and the inventory. Everything that is wrong with any of them is
/// printed, warnings too.
///
/// # Errors
/// The exit, once everything is said.
pub(super) fn load(screen: &Screen, paths: &[PathBuf], inventory: Option<&Path>) -> Result<Vec<Loaded>, Exit> {
    let inventory = inventory.map(|path| read(screen, path)).transpose()?;
    let mut loaded = vec![];
    let mut broken = 0;
    for source in sources(screen, paths)? {
        match scenario::load(source, inventory.clone()) {
            Ok(one) => {
                screen.remarks(&one.warnings);
                loaded.push(one);
            }
            Err(remarks) => {
                screen.remarks(&remarks);
                broken += 1;
            }
        }
    }
    if broken > 0 { Err(Exit::Usage) } else { Ok(loaded) }
}

/// The texts at `paths`; the bundled ones where there are none.
pub(super) fn sources(screen: &Screen, paths: &[PathBuf]) -> Result<Vec<SourceText>, Exit> {
    if paths.is_empty() {
        return Ok(scenario::bundled().collect());
    }
    let mut texts = vec![];
    for path in paths {
        if path.is_dir() {
            for file in in_folder(screen, path)? {
                texts.push(read(screen, &file)?);
            }
        } else {
            texts.push(read(screen, path)?);
        }
    }
    Ok(texts)
}

fn in_folder(screen: &Screen, folder: &Path) -> Result<Vec<PathBuf>, Exit> {
    let listed = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|it| it.path())).collect::<io::Result<Vec<PathBuf>>>());
    let mut files = listed.map_err(|error| unreadable(screen, folder, &error))?;
    files.retain(|path| path.extension().is_some_and(|it| it == "yaml" || it == "yml"));
    files.sort();
    if files.is_empty() {
        screen.error(
            &format!("the folder `{}` holds no scenario", folder.display()),
            &[],
            Some("scenarios are files that end in .yaml or .yml"),
        );
        return Err(Exit::Usage);
    }
    Ok(files)
}

/// Reads one text file of at most 4 MiB.
pub(super) fn read(screen: &Screen, path: &Path) -> Result<SourceText, Exit> {
    text(path).map_err(|error| unreadable(screen, path, &error))
}

/// Reads one text file of at most 4 MiB, without a word.
pub(super) fn text(path: &Path) -> io::Result<SourceText> {
    if fs::metadata(path)?.len() > MAX_FILE {
        return Err(io::Error::other(format!("it is larger than {} MiB", MAX_FILE >> 20)));
    }
    fs::read_to_string(path).map(|text| SourceText::new(path.display().to_string(), text))
}

fn unreadable(screen: &Screen, path: &Path, error: &io::Error) -> Exit {
    let help = match error.kind() {
        io::ErrorKind::NotFound => Some("check the path; `mxdrill run` without one runs the bundled scenarios"),
        _ => None,
    };
    screen.error(&format!("`{}` cannot be read: {error}", path.display()), &[], help);
    Exit::Usage
}

/// Writes a file, or says why it cannot be written.
pub(super) fn write(screen: &Screen, path: &Path, text: &str) -> Result<(), Exit> {
    fs::write(path, text).map_err(|error| {
        screen.error(&format!("`{}` cannot be written: {error}", path.display()), &[], None);
        Exit::Broken
    })
}

/// Reads the inventory and its text, where one is given; what is wrong with it is printed.
pub(super) fn inventory(screen: &Screen, path: Option<&Path>) -> Result<Option<(Inventory, SourceText)>, Exit> {
    let Some(path) = path else { return Ok(None) };
    let source = read(screen, path)?;
    match inventory::load(&source) {
        Ok((inventory, warnings)) => {
            screen.remarks(&warnings);
            Ok(Some((inventory, source)))
        }
        Err(remarks) => {
            screen.remarks(&remarks);
            Err(Exit::Usage)
        }
    }
}

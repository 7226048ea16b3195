//! The files that are examined, on disk and in archives, by the name under which they are reported.
//!
//! A file in an archive is called `backup.tar.gz:/etc/postfix/main.cf`; from there on both kinds are
//! the same.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

/// The largest file that is parsed, in bytes; of a larger one the lines that hold a name are shown.
pub(crate) const MAX_PARSED: u64 = 64 << 20;

/// Folders below which an absolute path means what it says.
const SYSTEM: &[&str] = &["/etc/", "/usr/", "/var/", "/opt/", "/home/", "/root/", "/srv/", "/lib/", "/run/"];

/// What was kept of a file in an archive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packed {
    /// Its bytes, where they were worth keeping.
    pub(crate) bytes: Option<Arc<[u8]>>,
    /// When it was changed, in seconds since 1970.
    pub(crate) modified: i64,
}

/// Everything that can be read.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The paths that were given, without a slash at the end.
    roots: Vec<String>,
    packed: HashMap<String, Packed>,
}

impl Tree {
    pub(crate) fn new(roots: Vec<String>, packed: HashMap<String, Packed>) -> Self {
        let roots = roots.into_iter().map(|root| root.trim_end_matches('/').to_owned()).collect();
        Self { roots, packed }
    }

    /// The bytes of a file; `None` where it is none, may not be read, or is too large.
    pub(crate) fn read(&self, name: &str) -> Option<Arc<[u8]>> {
        if let Some(packed) = self.packed.get(name) {
            return packed.bytes.clone();
        }
        let path = Path::new(name);
        if !fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= MAX_PARSED) {
            return None;
        }
        let mut bytes = vec![];
        fs::File::open(path).ok()?.take(MAX_PARSED).read_to_end(&mut bytes).ok()?;
        Some(bytes.into())
    }

    /// The text of a file.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.read(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// When a file was changed; `None` where there is no such file.
    pub(crate) fn modified(&self, name: &str) -> Option<Timestamp> {
        if let Some(packed) = self.packed.get(name) {
            return Timestamp::from_second(packed.modified).ok();
        }
        Timestamp::try_from(fs::metadata(name).ok().filter(fs::Metadata::is_file)?.modified().ok()?).ok()
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, name: &str) -> Presence {
        match self.modified(name) {
            Some(_) => Presence::There,
            None => Presence::Missing,
        }
    }

    /// The file that `reference`, written in the file `from`, means: an absolute path counts from the
    /// root of the tree in which `from` lies, wherever that tree was unpacked.
    pub(crate) fn resolve(&self, from: &str, reference: &str) -> Option<String> {
        let folder = parent(from);
        if !reference.starts_with('/') {
            let beside = format!("{folder}/{reference}");
            return (self.has(&beside) == Presence::There).then_some(beside);
        }
        let mut above = folder;
        while !above.is_empty() {
            let there = format!("{}{reference}", above.trim_end_matches('/'));
            if self.inside(&there) == Presence::There && self.has(&there) == Presence::There {
                return Some(there);
            }
            above = parent(above);
        }
        if SYSTEM.iter().any(|system| from.starts_with(system)) && self.has(reference) == Presence::There {
            return Some(reference.to_owned());
        }
        // A copy of one folder: what it refers to lies beside it.
        let beside = format!("{folder}/{}", base(reference));
        (self.has(&beside) == Presence::There).then_some(beside)
    }

    /// Whether a path is in one of the trees that were given.
    fn inside(&self, path: &str) -> Presence {
        let archived = self.packed.contains_key(path);
        let below = |root: &String| path.strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/'));
        if archived || self.roots.iter().any(below) { Presence::There } else { Presence::Missing }
    }
}

/// Whether a file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is.
    There,
    /// It is not, or cannot be seen.
    Missing,
}

/// The folder of a file, without a slash at its end.
pub(crate) fn parent(name: &str) -> &str {
    name.rfind('/').map_or("", |slash| &name[..slash])
}

/// The last part of a path.
pub(crate) fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_path_counts_from_the_root_of_its_tree() {
        let packed = [
            "b.tar:/srv/img/etc/postfix/main.cf",
            "b.tar:/srv/img/etc/postfix/transport",
            "b.tar:/x/main.cf",
            "b.tar:/x/maps",
        ];
        let packed = packed.iter().map(|it| ((*it).to_owned(), Packed::default())).collect();
        let tree = Tree::new(vec![], packed);
        let resolve = |from, reference| tree.resolve(from, reference);
        assert_eq!(
            resolve("b.tar:/srv/img/etc/postfix/main.cf", "/etc/postfix/transport").as_deref(),
            Some("b.tar:/srv/img/etc/postfix/transport")
        );
        assert_eq!(resolve("b.tar:/x/main.cf", "/etc/postfix/maps").as_deref(), Some("b.tar:/x/maps"));
        assert_eq!(resolve("b.tar:/x/main.cf", "/etc/passwd"), None, "the machine's own files are another tree");
    }
}

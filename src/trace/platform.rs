//! Which platform a hop belongs to.

use std::net::IpAddr;
use std::path::Path;

use crate::inventory::{Inventory, LogSource, Looks};

/// The inventory, asked for hops; knows nothing where there is none.
#[derive(Clone, Copy, Debug)]
pub struct Platforms<'a>(Option<&'a Inventory>);

impl<'a> Platforms<'a> {
    /// Asks this inventory.
    pub fn of(inventory: Option<&'a Inventory>) -> Self {
        Self(inventory)
    }

    /// The platform of a host; its address is the better witness of the two.
    pub fn of_host(self, name: Option<&str>, address: Option<IpAddr>) -> Option<&'a str> {
        let inventory = self.0?;
        let by_address = address.and_then(|it| inventory.of_address(it));
        let platform = by_address.or_else(|| name.and_then(|it| inventory.of_name(it)))?;
        Some(&platform.name.value)
    }

    /// The platform whose log a file is: the one that names the file as a collector, else the one
    /// that the host which wrote it belongs to. Logs often have the first label of a name only.
    pub fn of_log(self, file: &str, host: Option<&str>) -> Option<&'a str> {
        let inventory = self.0?;
        let collects = |looks: &Looks| matches!(looks, Looks::Log(log) if matches!(&log.from, LogSource::Path(path) if path == Path::new(file)));
        let by_file = inventory.platforms.values().find(|it| it.collectors.iter().any(|it| collects(&it.value.looks)));
        let by_name = || {
            let host = host?.to_ascii_lowercase();
            inventory.of_name(&host).or_else(|| {
                let same = |name: &str| !host.contains('.') && name.split('.').next() == Some(&host);
                let mut all = inventory.platforms.values().filter(|it| it.hosts.iter().any(|name| same(&name.value)));
                all.next().filter(|_| all.next().is_none())
            })
        };
        by_file.or_else(by_name).map(|it| it.name.value.as_str())
    }
}

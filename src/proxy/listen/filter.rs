//! A rule of nftables that drops SYNs to one listener, and nothing else.
//!
//! ```text
//!   nft --interactive ── owns ──> table inet mxdrill_RUN_ADDRESS
//!     │ its standard input is a pipe from here
//!     └─ ends with the pipe: the kernel then takes the table away (flags owner, Linux 5.12)
//! ```
//!
//! So no table outlives the process that made it, however that ends. It needs `nft` and
//! CAP_NET_ADMIN.

use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{sleep, timeout};

use super::saturate::reachable;

/// How long `nft` may take for anything.
const LIMIT: Duration = Duration::from_secs(5);
/// How long between two looks whether a table is there.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// A handshake on one machine takes microseconds: what is not there by then was dropped.
const UNANSWERED: Duration = Duration::from_millis(200);

/// A rule in force. Dropping it takes it away as well.
#[derive(Debug)]
pub(super) struct Filter {
    table: String,
    nft: Child,
    commands: ChildStdin,
    /// SYNs of our own, to see whether it holds.
    own: u64,
}

/// Whether rules can be made here; else why not.
pub(in crate::proxy) async fn can_filter() -> Result<(), String> {
    nft(&["list", "tables"]).await.map(|_| ())
}

impl Filter {
    /// Drops SYNs to `address`; `name` says in the table's name for whom.
    pub(super) async fn raise(address: SocketAddr, name: &str) -> Result<Self, String> {
        can_filter().await?;
        let table = table(address, name);
        let mut nft = Command::new("nft")
            .arg("--interactive")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`nft` cannot be started: {error}"))?;
        let commands = nft.stdin.take().ok_or_else(|| "`nft` takes no commands".to_owned())?;
        let mut filter = Self { table, nft, commands, own: 0 };
        filter.say(&rules(&filter.table, address)).await?;
        filter.await_rules().await?;
        filter.try_it(address).await?;
        Ok(filter)
    }

    async fn say(&mut self, commands: &str) -> Result<(), String> {
        let said = self.commands.write_all(commands.as_bytes()).await;
        said.map_err(|error| format!("`nft` takes no commands: {error}"))
    }

    /// Waits until the last of the rules is there; gives what `nft` has against it where it is not.
    async fn await_rules(&mut self) -> Result<(), String> {
        let there = async {
            loop {
                let listed = nft(&["list", "table", "inet", &self.table]).await;
                if listed.is_ok_and(|text| text.contains("drop")) {
                    return;
                }
                sleep(BETWEEN_LOOKS).await;
            }
        };
        if timeout(LIMIT, there).await.is_ok() {
            return Ok(());
        }
        let mut said = [0; 1000];
        let length = match self.nft.stderr.as_mut() {
            Some(stderr) => timeout(BETWEEN_LOOKS, stderr.read(&mut said)).await.map_or(0, |read| read.unwrap_or(0)),
            None => 0,
        };
        let why = String::from_utf8_lossy(&said[..length]).lines().next().unwrap_or("it says nothing").to_owned();
        Err(format!("`nft` made no rule: {why}"))
    }

    /// Whether SYNs really are dropped.
    async fn try_it(&mut self, address: SocketAddr) -> Result<(), String> {
        if let Ok(answered) = timeout(UNANSWERED, TcpStream::connect(reachable(address))).await {
            return Err(match answered {
                Ok(_) => "SYNs are answered behind the rule of nftables".to_owned(),
                Err(error) => format!("the rule of nftables cannot be tried: {error}"),
            });
        }
        self.own = self.count().await?;
        Ok(())
    }

    /// How many SYNs were dropped.
    async fn count(&self) -> Result<u64, String> {
        #[derive(Deserialize)]
        struct Listed {
            nftables: Vec<serde_json::Value>,
        }
        let text = nft(&["--json", "list", "counter", "inet", &self.table, "syns"]).await?;
        let listed: Listed = serde_json::from_str(&text).map_err(|error| format!("`nft` cannot be read: {error}"))?;
        let count = listed.nftables.iter().find_map(|it| it["counter"]["packets"].as_u64());
        count.ok_or_else(|| "`nft` has no count of dropped SYNs".to_owned())
    }

    /// Takes the rule away. Gives how many SYNs of others it has dropped.
    pub(super) async fn lift(mut self) -> Result<u64, String> {
        let count = self.count().await.map(|count| count.saturating_sub(self.own));
        // Service is restored when this returns, not when the process is gone.
        let delete = format!("delete table inet {}\nquit\n", self.table);
        let said = self.say(&delete).await;
        if said.is_err() || timeout(LIMIT, self.nft.wait()).await.is_err() {
            // What it owns goes with it.
            let _ = self.nft.kill().await;
        }
        count
    }
}

/// One call of `nft`; its output, or what it has against it.
async fn nft(arguments: &[&str]) -> Result<String, String> {
    let call = Command::new("nft").args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = match timeout(LIMIT, call).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err("the program `nft` is not on this machine".to_owned());
        }
        Ok(Err(error)) => return Err(format!("`nft` cannot be started: {error}")),
        Err(_) => return Err("`nft` does not end".to_owned()),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    let why = why.lines().next().unwrap_or("it says nothing").trim();
    Err(format!("`nft` may not do it here, which takes CAP_NET_ADMIN: {why}"))
}

/// Letters, digits and underscores.
fn table(address: SocketAddr, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("mxdrill_{name}_{address}").chars().map(plain).collect()
}

/// The table, with the one rule; the last line makes it count.
fn rules(table: &str, address: SocketAddr) -> String {
    let to = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => "meta nfproto ipv4".to_owned(),
        IpAddr::V6(ip) if ip.is_unspecified() => "meta nfproto ipv6".to_owned(),
        IpAddr::V4(ip) => format!("ip daddr {ip}"),
        IpAddr::V6(ip) => format!("ip6 daddr {ip}"),
    };
    let port = address.port();
    format!(
        "add table inet {table} {{ flags owner; }}\n\
         add counter inet {table} syns\n\
         add chain inet {table} input {{ type filter hook input priority -300; policy accept; }}\n\
         add rule inet {table} input {to} tcp dport {port} tcp flags & (fin|syn|rst|ack) == syn counter name syns drop\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_for_one_listener() {
        let address = "[2001:db8::1]:25".parse().expect("an address");
        let table = table(address, "7k3f9x2mqa01");
        assert_eq!(table, "mxdrill_7k3f9x2mqa01__2001_db8__1__25");
        assert!(rules(&table, address).contains("input ip6 daddr 2001:db8::1 tcp dport 25 tcp flags"));
        let everywhere = rules(&table, "0.0.0.0:25".parse().expect("an address"));
        assert!(everywhere.contains("input meta nfproto ipv4 tcp dport 25 tcp flags"));
    }
}

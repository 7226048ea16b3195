//! `mxdrill scan --live` and `--try`: whether the old relay still takes mail, so that what names it works and hides.
//!
//! Every relay is asked as it is, and with each login that is known for it; no message is ever sent.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::Serialize;

use super::arguments::{self, Server};
use super::scan::Scan;
use super::{Exit, Machine, Screen, drill};
use crate::dns::{Lookups, Resolver};
use crate::inventory::{Endpoint, Inventory, Secret};
use crate::mail::Address;
use crate::record::{Coverage, Finding, FindingSeverity, Sight};
use crate::scan::Relay;
use crate::send::{Answer, Answered, Inquiry};
use crate::smtp::sasl::Login;
use crate::source::{and_list, or_list};
use crate::tls::Trust;
use crate::world::{Clock, Dialer};

/// The ports of a relay whose setting names none: the first that answers counts.
const USUAL_PORTS: [u16; 2] = [25, 587];
/// The most relays that are asked.
const MOST_RELAYS: usize = 100;

/// `user=NAME,password=env:VARIABLE`.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    user: String,
    password: Secret,
}

impl FromStr for Credential {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write user=NAME,password=env:VARIABLE or user=NAME,password=file:PATH".to_owned();
        let (user, password) =
            text.strip_prefix("user=").and_then(|it| it.split_once(",password=")).ok_or_else(wrong)?;
        if user.is_empty() {
            return Err(wrong());
        }
        Ok(Self { user: user.to_owned(), password: arguments::secret(password)? })
    }
}

/// What is asked, once everything that can be refused was.
pub(super) struct Asking {
    to: Address,
    from: Option<Address>,
    tried: Vec<Endpoint>,
    found: Found,
    logins: Vec<(Login, String)>,
    trust: Trust,
    dns: Option<SocketAddr>,
    clock: Clock,
}

/// Whether relays that the scan finds are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Asked,
    LeftAlone,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Told {
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Vec<Coverage>,
}

/// The evidence of a finding; no secret is in it.
#[derive(Serialize)]
struct Evidence<'a> {
    host: &'a str,
    port: u16,
    address: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<&'a str>,
    recipient: String,
    stage: crate::mail::Stage,
    text: String,
}

/// One relay at one port, with everybody who may log in there: user, and where the login comes from.
struct Asked<'a> {
    host: &'a str,
    ports: Vec<u16>,
    platform: &'a str,
    named: &'a [String],
    logins: Vec<(Login, String)>,
}

/// Refuses what cannot be asked, before anything is read or contacted; nothing where nothing is asked.
pub(super) fn prepared(
    machine: &Machine,
    screen: &Screen,
    wanted: &Scan,
    inventory: &Inventory,
) -> Result<Option<Asking>, Exit> {
    if wanted.tried.is_empty() && !wanted.live {
        return Ok(None);
    }
    let to = recipient(screen, wanted, inventory)?;
    let remote: Vec<String> = wanted.tried.iter().filter(|it| !it.is_loopback()).map(|it| format!("`{it}`")).collect();
    if !wanted.live && !remote.is_empty() {
        let what = format!("{} would be contacted, and is not on this machine", and_list(&remote));
        screen.error(&what, &[], Some("add `--live` if that is what you want"));
        return Err(Exit::Usage);
    }
    Ok(Some(Asking {
        to,
        from: wanted.from.clone(),
        tried: wanted.tried.clone(),
        found: if wanted.live { Found::Asked } else { Found::LeftAlone },
        logins: logins(machine, screen, &wanted.credentials)?,
        trust: Trust::of(drill::authorities(screen, wanted.ca.as_deref())?),
        dns: wanted.dns.map(|Server(address)| address),
        clock: Clock::starting_at(machine.now),
    }))
}

/// The recipient, in a domain that is the user's own to ask about.
fn recipient(screen: &Screen, wanted: &Scan, inventory: &Inventory) -> Result<Address, Exit> {
    let Some(to) = &wanted.recipient else {
        let help = "give --recipient ADDRESS, in one of your own domains; no message is sent to it";
        screen.error("a relay can only be asked about a recipient", &[], Some(help));
        return Err(Exit::Usage);
    };
    let own: Vec<String> =
        wanted.domains.iter().map(|it| it.to_ascii_lowercase()).chain(inventory.domains.keys().cloned()).collect();
    if own.iter().any(|it| it == to.domain()) {
        return Ok(to.clone());
    }
    let help = match own.is_empty() {
        true => format!("give --domain {} if it is yours, or an inventory with `domains`", to.domain()),
        false => format!("give a recipient in {}, or --domain {} if it is yours", or_list(&own), to.domain()),
    };
    screen.error(&format!("`{}` is in no domain that is known to be yours", to), &[], Some(&help));
    Err(Exit::Usage)
}

fn logins(machine: &Machine, screen: &Screen, given: &[Credential]) -> Result<Vec<(Login, String)>, Exit> {
    let runtime = drill::runtime(screen)?;
    let login = |it: &Credential| match runtime.block_on(machine.environment.secret(&it.password)) {
        Ok(secret) => Ok((Login { user: it.user.clone(), secret }, "--credential".to_owned())),
        Err(error) => {
            let help = "set it, or name another place of the password";
            screen.error(&format!("the password of `{}` cannot be had: {error}", it.user), &[], Some(help));
            Err(Exit::Usage)
        }
    };
    given.iter().map(login).collect()
}

impl Asking {
    /// Asks every relay that was given or found.
    pub(super) fn ask(&self, screen: &Screen, relays: &[Relay]) -> Result<Told, Exit> {
        let names = self.dns.map_or_else(Resolver::system, Resolver::at).map_err(|error| {
            screen.error(&error.to_string(), &[], None);
            Exit::Broken
        })?;
        let mut told = Told::default();
        drill::runtime(screen)?.block_on(async {
            for asked in self.everything(relays).iter().take(MOST_RELAYS) {
                self.relay(&names, asked, &mut told).await;
            }
        });
        Ok(told)
    }

    fn everything<'a>(&'a self, relays: &'a [Relay]) -> Vec<Asked<'a>> {
        let tried = self.tried.iter().map(|it| Asked {
            host: &it.host,
            ports: vec![it.port],
            platform: "",
            named: &[],
            logins: self.logins.clone(),
        });
        let found = relays.iter().filter(|_| self.found == Found::Asked).map(|it| {
            let found = it
                .logins
                .iter()
                .map(|login| (Login { user: login.user.clone(), secret: login.secret.clone() }, login.named.clone()));
            Asked {
                host: &it.host,
                ports: it.port.map_or_else(|| USUAL_PORTS.to_vec(), |port| vec![port]),
                platform: &it.platform,
                named: &it.named,
                logins: found.chain(self.logins.iter().cloned()).collect(),
            }
        });
        tried.chain(found).collect()
    }

    /// As it is, and with each login, until it accepts: then it is known that it does.
    async fn relay(&self, names: &Resolver, asked: &Asked<'_>, told: &mut Told) {
        let address = match address(names, asked.host).await {
            Ok(address) => address,
            Err(why) => return told.unable(asked.host, &why),
        };
        let users = std::iter::once(None).chain(asked.logins.iter().map(Some));
        for login in users {
            for (index, port) in asked.ports.iter().enumerate() {
                let socket = SocketAddr::new(address, *port);
                let answered = self.once(asked.host, socket, login.map(|(login, _)| login)).await;
                let next = answered.stage == crate::mail::Stage::Connect && index + 1 < asked.ports.len();
                if next {
                    continue;
                }
                let accepts = answered.answer == Answer::Accepts;
                told.take(asked, socket, login, &self.to, &answered);
                if accepts {
                    return;
                }
                break;
            }
        }
    }

    async fn once(&self, host: &str, address: SocketAddr, login: Option<&Login>) -> Answered {
        let user = login.and_then(|login| login.user.parse().ok());
        let from = self.from.clone().or(user).unwrap_or_else(|| self.to.clone());
        let inquiry = Inquiry {
            host: host.to_owned(),
            address,
            helo: "mxdrill.invalid".to_owned(),
            from,
            to: self.to.clone(),
            login: login.cloned(),
            trust: self.trust.clone(),
        };
        inquiry.ask(&Dialer::default(), &self.clock).await
    }
}

async fn address(names: &Resolver, host: &str) -> Result<IpAddr, String> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let found = names.addresses(host).await.map_err(|error| error.to_string())?;
    // IPv4 first: an old host is reached by it for sure.
    let first = found.iter().find(|it| it.is_ipv4()).or_else(|| found.first());
    first.copied().ok_or_else(|| format!("{host} has no address"))
}

impl Told {
    fn unable(&mut self, host: &str, why: &str) {
        self.coverage.push(Coverage {
            subject: host.to_owned(),
            what: "whether it still takes mail".to_owned(),
            look: Sight::Unable,
            why: Some(why.to_owned()),
        });
    }

    fn take(
        &mut self,
        asked: &Asked<'_>,
        socket: SocketAddr,
        login: Option<&(Login, String)>,
        to: &Address,
        answered: &Answered,
    ) {
        let place = Endpoint { host: asked.host.to_owned(), port: socket.port() };
        let who = match login {
            Some((login, from)) => format!("from `{}` (login in {from})", login.user),
            None => "without a login".to_owned(),
        };
        let (id, severity, title) = match answered.answer {
            Answer::Unknown => return self.unable(&place.to_string(), &format!("{who}: {}", answered.said)),
            Answer::Accepts => {
                let hides = "what still names it works, and nobody notices";
                let title = format!("`{place}` still takes mail for `{to}` {who}: {hides}");
                ("relay-still-accepts", FindingSeverity::Error, title)
            }
            Answer::Refuses => {
                ("relay-refuses", FindingSeverity::Info, format!("`{place}` takes no mail for `{to}` {who}"))
            }
        };
        let user = login.map(|(login, _)| login.user.as_str());
        let finding = Finding::new(id, severity, place.to_string(), title)
            .platform(Some(asked.platform).filter(|it| !it.is_empty()))
            .shown_by(Evidence {
                host: asked.host,
                port: socket.port(),
                address: socket.ip(),
                user,
                tls: answered.tls.as_deref(),
                recipient: to.to_string(),
                stage: answered.stage,
                text: format!("{}: {}", answered.stage, answered.said),
            });
        let finding = asked
            .named
            .iter()
            .fold(finding, |it, named| it.shown_by(serde_json::json!({ "text": format!("named in {named}") })));
        self.findings.push(match answered.answer {
            Answer::Accepts => finding.fix("move what names it first, then revoke the login and close the relay"),
            _ => finding,
        });
    }
}

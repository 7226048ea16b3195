//! `mxdrill proxy`: the fault proxy on its own, until it is told to end.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::arguments::Proxy;
use super::{Exit, Machine, Screen, drill, files};
use crate::proxy::announce::Introduction;
use crate::proxy::control::{Bound, Control, ControlError};
use crate::proxy::standing::{
    Config, Identity, Listener, Origin, Stand, StandError, StandSettings, XCLIENT_NEEDS_REFUSAL, XCLIENT_WHY,
};
use crate::proxy::{Limits, Upstream};
use crate::scenario::standing::{Faults, from_line};
use crate::source::{Paint, SourceText, draw_remarks};
use crate::terms::Smuggling;
use crate::world::{Clock, Dice};

/// How long messages under way may take at the end, where nobody says.
const DRAIN: Duration = Duration::from_secs(3);

/// Everything that was read before anything listens.
struct Wanted {
    config: Config,
    listeners: Vec<Listener>,
    faults: Faults,
}

pub(super) fn proxy(machine: &mut Machine, screen: &Screen, arguments: &Proxy) -> Exit {
    let ran = read(screen, arguments).and_then(|wanted| {
        let seed = arguments.seed.or(wanted.config.seed).unwrap_or_else(|| machine.fresh_seed());
        drill::runtime(screen)?.block_on(stand(machine, screen, arguments, wanted, seed))
    });
    ran.unwrap_or_else(|exit| exit)
}

/// Reads arguments and configuration, and says everything that is wrong with them.
fn read(screen: &Screen, arguments: &Proxy) -> Result<Wanted, Exit> {
    let mut listeners = vec![];
    if let (Some(listen), Some(upstream)) = (arguments.listen, &arguments.upstream) {
        let host = arguments.host.as_ref().map(|host| host.to_lowercase());
        listeners.push(Listener {
            introduction: arguments.client.unwrap_or(Introduction::None),
            balancers: arguments.accept_proxy.clone(),
            ..Listener::new(listen, upstream, host)
        });
    }
    let config = config(screen, arguments, &hosts(&listeners));
    listeners.extend(config.iter().flat_map(|config| config.listeners.iter().cloned()));
    let faults = faults(screen, &arguments.faults, &hosts(&listeners));
    let (config, faults) = (config?, faults?);
    if listeners.is_empty() {
        screen.error("the configuration names no listener", &[], Some("add `listeners:`, or --listen and --upstream"));
        return Err(Exit::Usage);
    }
    let vouches = listeners.iter().any(|it| it.introduction == Introduction::Xclient);
    if vouches && arguments.smuggling.or(config.smuggling) == Some(Smuggling::Pass) {
        screen.error(XCLIENT_NEEDS_REFUSAL, &[XCLIENT_WHY.to_owned()], Some("write `--smuggling refuse`"));
        return Err(Exit::Usage);
    }
    if let Some(loops) = listeners.iter().find(|it| it.upstream == Upstream::Address(it.listen)) {
        let what = format!("{} would be its own upstream", loops.listen);
        screen.error(&what, &[], Some("name the host itself as the upstream"));
        return Err(Exit::Usage);
    }
    Ok(Wanted { config, listeners, faults })
}

fn hosts(listeners: &[Listener]) -> Vec<String> {
    let mut hosts: Vec<String> = listeners.iter().map(|listener| listener.host.clone()).collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn config(screen: &Screen, arguments: &Proxy, hosts: &[String]) -> Result<Config, Exit> {
    let Some(path) = &arguments.config else { return Ok(Config::default()) };
    let source = files::read(screen, path)?;
    let read = Config::read(&source, hosts);
    screen.remarks(read.as_ref().map_or_else(|errors| errors, |config| &config.faults.warnings));
    read.map_err(|_| Exit::Usage)
}

/// The faults of the command line. All that is wrong with any of them is said.
fn faults(screen: &Screen, lines: &[String], hosts: &[String]) -> Result<Faults, Exit> {
    let mut all = Faults::default();
    let mut broken = Ok(());
    for line in lines {
        match from_line(&SourceText::new("--fault", line.as_str()), hosts) {
            Ok(read) => {
                screen.remarks(&read.warnings);
                all.faults.extend(read.faults);
            }
            Err(remarks) => {
                screen.remarks(&remarks);
                broken = Err(Exit::Usage);
            }
        }
    }
    broken.map(|()| all)
}

async fn stand(machine: &Machine, screen: &Screen, arguments: &Proxy, wanted: Wanted, seed: u64) -> Result<Exit, Exit> {
    let signals = Signals::new();
    let Wanted { config, listeners, faults } = wanted;
    let control = control(machine, screen, arguments, &config).await?;
    let settings = StandSettings {
        listeners,
        dice: Dice::new(seed),
        clock: Clock::starting_at(machine.now),
        limits: Limits::default(),
        tls: identity(screen, arguments, &config)?,
        smuggling: arguments.smuggling.or(config.smuggling).unwrap_or(Smuggling::Pass),
        lease: arguments.lease.or(config.lease),
    };
    let stand = Stand::start(settings).await.map_err(|error| refused(screen, &error))?;
    let raised = async {
        stand.add(faults.faults, Origin::CommandLine).await?;
        stand.add(config.faults.faults.clone(), Origin::Config).await
    };
    raised.await.map_err(|error| cannot(screen, &error))?;
    let control = control.map(|control| control.serve(&stand));
    for (host, address) in stand.addresses() {
        tracing::info!(host, address = %address, seed, "listening");
    }
    if let Some(control) = &control {
        tracing::info!(address = %control.address(), "the control API is listening");
    }
    let exit = serve(&stand, arguments, signals).await;
    let drain = arguments.drain.or(config.drain).unwrap_or(DRAIN);
    stand.drain(drain).await;
    Ok(exit)
}

/// The certificate and key that clients are to be shown.
fn identity(screen: &Screen, arguments: &Proxy, config: &Config) -> Result<Option<Identity>, Exit> {
    let given = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    let Some((certificates, key)) = given.or_else(|| config.tls.clone()) else { return Ok(None) };
    let certificates = files::read(screen, &certificates)?.text.to_string();
    let key = SecretString::from(files::read(screen, &key)?.text.to_string());
    Ok(Some(Identity { certificates, key }))
}

/// The control API's address, where one is wanted.
async fn control(
    machine: &Machine,
    screen: &Screen,
    arguments: &Proxy,
    config: &Config,
) -> Result<Option<Bound>, Exit> {
    let Some(address) = arguments.control.or(config.control) else { return Ok(None) };
    let token = match arguments.token.as_ref().or(config.token.as_ref()) {
        Some(secret) => machine.environment.secret(secret).await.map(Some),
        None => Ok(None),
    };
    let token = token.map_err(|error| {
        screen.error(&format!("the token of the control API cannot be had: {error}"), &[], None);
        Exit::Usage
    })?;
    Control::bind(address, token).await.map(Some).map_err(|error| no_control(screen, &error))
}

fn no_control(screen: &Screen, error: &ControlError) -> Exit {
    let (help, exit) = match error {
        ControlError::Open(_) => ("give it a --token, or let it listen on 127.0.0.1", Exit::Usage),
        ControlError::ShortToken(_) => ("make one with `openssl rand -hex 32`", Exit::Usage),
        ControlError::Listen { .. } => ("stop the program that listens there, or choose another address", Exit::Broken),
    };
    screen.error(&error.to_string(), &[], Some(help));
    exit
}

/// Until a signal says that it is enough.
async fn serve(stand: &Arc<Stand>, arguments: &Proxy, mut signals: Signals) -> Exit {
    loop {
        match signals.next().await {
            Signal::Reload => reload(stand, arguments).await,
            Signal::Terminate => return Exit::Clean,
            Signal::Interrupt => return Exit::Interrupted,
        }
    }
}

/// Reads the configuration again. Where it is wrong everything stays as it is.
async fn reload(stand: &Arc<Stand>, arguments: &Proxy) {
    let Some(path) = &arguments.config else { return };
    let source = files::text(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()));
    let read = source.and_then(|source| {
        Config::read(&source, &stand.hosts()).map_err(|remarks| draw_remarks(&remarks, Paint::Plain))
    });
    let config = match read {
        Ok(config) => config,
        Err(why) => return tracing::error!("the configuration is not used, what was in force stays:\n{why}"),
    };
    stand.set_lease(arguments.lease.or(config.lease));
    match stand.replace(config.faults.faults, Origin::Config).await {
        Ok(faults) => tracing::info!(faults = faults.len(), "the configuration was read again"),
        Err(error) => tracing::error!("the configuration was not put in force, what was in force stays: {error}"),
    }
}

fn refused(screen: &Screen, error: &StandError) -> Exit {
    let (help, exit) = match error {
        StandError::Tls(_) => ("give the chain and the key of the host as PEM files", Exit::Usage),
        _ => ("stop the program that listens there, or choose another address", Exit::Broken),
    };
    screen.error(&error.to_string(), &[], Some(help));
    exit
}

fn cannot(screen: &Screen, error: &StandError) -> Exit {
    screen.error(&error.to_string(), &[], None);
    Exit::Broken
}

/// What the system tells the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    /// SIGHUP.
    Reload,
    /// SIGTERM.
    Terminate,
    /// SIGINT, Ctrl-C.
    Interrupt,
}

#[cfg(unix)]
struct Signals(Option<[tokio::signal::unix::Signal; 3]>);

#[cfg(unix)]
impl Signals {
    /// From now on signals wait here, instead of ending the process.
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let all = (signal(SignalKind::hangup()), signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
        match all {
            (Ok(hangup), Ok(terminate), Ok(interrupt)) => Self(Some([hangup, terminate, interrupt])),
            // Without handlers the system's own apply: the process ends, and with it every fault.
            _ => Self(None),
        }
    }

    async fn next(&mut self) -> Signal {
        match &mut self.0 {
            Some([hangup, terminate, interrupt]) => tokio::select! {
                _ = hangup.recv() => Signal::Reload,
                _ = terminate.recv() => Signal::Terminate,
                _ = interrupt.recv() => Signal::Interrupt,
            },
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}

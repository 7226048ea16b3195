//! `mxdrill run`: the drill itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::watch;

use super::arguments::{Common, Format, ReportTo, Run};
use super::{Exit, Machine, Screen, files, plan, progress};
use crate::plan::{Plan, Reach, SharedPlan, expand};
use crate::record::{Journal, Record, Report, RunId, RunState};
use crate::report::{self, Detail, Look};
use crate::run::{self, Context, RunError};
use crate::scenario::Loaded;
use crate::source::Paint;
use crate::world::Clock;

pub(super) fn run(machine: &mut Machine, screen: &Screen, common: &Common, wanted: &Run) -> Exit {
    match prepared(machine, screen, common, wanted) {
        Ok((plans, context)) => drills(machine, screen, common, wanted, &plans, &context),
        Err(exit) => exit,
    }
}

/// Everything that can be refused before anything is contacted.
fn prepared(
    machine: &mut Machine,
    screen: &Screen,
    common: &Common,
    wanted: &Run,
) -> Result<(Vec<SharedPlan>, Context), Exit> {
    let loaded = files::load(screen, &wanted.what.paths, common.inventory.as_deref())?;
    let plans: Vec<SharedPlan> = loaded.into_iter().map(|one| expanded(machine, one, wanted.what.seed)).collect();
    if !wanted.live {
        refuse_remote(screen, &plans)?;
    }
    let inventory = match &common.inventory {
        Some(path) => files::read(screen, path).map(|it| Some((it.name.to_string(), it.text.to_string())))?,
        None => None,
    };
    let context = Context {
        environment: machine.environment.clone(),
        authorities: Arc::new(authorities(screen, wanted.ca.as_deref())?),
        dns: wanted.dns.map(|it| it.0),
        helo: "mxdrill.invalid".to_owned(),
        jobs: usize::from(wanted.jobs),
        record: wanted.record.clone(),
        stop: watch::channel(None).1,
        command: machine.arguments.iter().skip(1).map(|it| it.to_string_lossy().into_owned()).collect(),
        inventory,
    };
    Ok((plans, context))
}

fn expanded(machine: &mut Machine, loaded: Loaded, seed: Option<u64>) -> SharedPlan {
    let seed = seed.or(loaded.scenario.seed).unwrap_or_else(|| machine.fresh_seed());
    Arc::new(expand(Arc::new(loaded.scenario), RunId::from_entropy((machine.entropy)()), seed))
}

/// Refuses to contact anything that is not on this machine, and names it.
pub(super) fn refuse_remote(screen: &Screen, plans: &[SharedPlan]) -> Result<(), Exit> {
    let remote = |plan: &Plan| -> Vec<String> {
        plan.contacts.iter().filter(|it| it.reach == Reach::Remote).map(plan::line).collect()
    };
    let all: Vec<String> = plans.iter().flat_map(|plan| remote(plan)).collect();
    if all.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> =
        plans.iter().filter(|it| !remote(it).is_empty()).map(|it| &*it.scenario.source.name).collect();
    let what = format!("`{}` would contact hosts that are not on this machine; nothing was sent", names.join("`, `"));
    screen.error(&what, &[all.join("\n")], Some("add `--live` if that is what you want"));
    Err(Exit::Usage)
}

/// The authorities of `--ca`, or the system's.
pub(super) fn authorities(screen: &Screen, ca: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, Exit> {
    let Some(path) = ca else {
        // A machine without any is fine: then no certificate verifies, and the record says so.
        return Ok(rustls_native_certs::load_native_certs().certs);
    };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => {
            screen.error(&format!("`{}` holds no certificate", path.display()), &[], Some("give a PEM file"));
            Err(Exit::Usage)
        }
        Err(error) => {
            screen.error(&format!("`{}` cannot be read as certificates: {error}", path.display()), &[], None);
            Err(Exit::Usage)
        }
    }
}

fn drills(
    machine: &Machine,
    screen: &Screen,
    common: &Common,
    wanted: &Run,
    plans: &[SharedPlan],
    context: &Context,
) -> Exit {
    let runtime = match runtime(screen) {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let (records, failed) = runtime.block_on(async {
        let clock = Clock::starting_at(machine.now);
        let context = Context { stop: progress::signals(), ..context.clone() };
        one_after_another(screen, common, plans, &context, clock).await
    });
    let report = Report::new(records);
    let written = publish(screen, common, &report, &wanted.reports);
    match (failed, written) {
        (Some(error), _) => error_exit(screen, &error),
        (None, Err(exit)) => exit,
        (None, Ok(())) => Exit::of_records(&report.records),
    }
}

pub(super) fn runtime(screen: &Screen) -> Result<tokio::runtime::Runtime, Exit> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        screen.error(&format!("the runtime cannot be started: {error}"), &[], None);
        Exit::Broken
    })
}

async fn one_after_another(
    screen: &Screen,
    common: &Common,
    plans: &[SharedPlan],
    context: &Context,
    clock: Clock,
) -> (Vec<Record>, Option<RunError>) {
    let mut records = vec![];
    for plan in plans {
        let journal = Journal::in_memory(clock);
        let live = progress::show(screen, common, plan, &journal);
        let ran = run::drill(plan, context, &journal).await;
        live.done().await;
        match ran {
            Ok(record) => {
                let interrupted = record.state == RunState::Interrupted;
                records.push(record);
                if interrupted {
                    break;
                }
            }
            Err(error) => return (records, Some(error)),
        }
    }
    (records, None)
}

/// Says why a run could not be carried out.
pub(super) fn error_exit(screen: &Screen, error: &RunError) -> Exit {
    screen.error(&error.what, &[], error.help.as_deref());
    Exit::of_error(error.kind)
}

/// Prints the report, and writes those that were asked for.
pub(super) fn publish(screen: &Screen, common: &Common, report: &Report, files: &[ReportTo]) -> Result<(), Exit> {
    let look = Look { detail: detail(common), paint: screen.paint, width: screen.width };
    if !report.records.is_empty() {
        let format = match common.format {
            Format::Text => report::Format::Terminal,
            Format::Json => report::Format::Json,
        };
        screen.result(&report::render(format, report, look));
    }
    for ReportTo { format, path } in files {
        let text = report::render(*format, report, Look { paint: Paint::Plain, ..look });
        files::write(screen, &PathBuf::from(path), &text)?;
    }
    Ok(())
}

fn detail(common: &Common) -> Detail {
    match (common.quiet, common.verbose) {
        (true, _) => Detail::Brief,
        (false, 0) => Detail::Normal,
        (false, _) => Detail::Full,
    }
}

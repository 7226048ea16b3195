//! What the bench programs share.
#![allow(dead_code)]

use mxdrill::record::Journal;
use mxdrill::world::Clock;

/// The arguments without the one that cargo adds.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args().skip(1).filter(|word| word != "--bench").collect()
}

/// A runtime of this many threads; of one without any hand-over between threads.
pub(crate) fn runtime(threads: Option<&String>) -> tokio::runtime::Runtime {
    let threads = threads.and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(threads).enable_all().build().unwrap()
}

/// A journal that nobody reads.
pub(crate) fn journal() -> Journal {
    Journal::in_memory(Clock::starting_at(jiff::Timestamp::now()))
}

//! The processes that a program started, all of them.

use rustix::process::{Pid, Signal, kill_process_group};

/// A process group; it is killed where it was not left.
#[derive(Debug)]
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// The group that this process leads; none where it has ended already.
    pub fn led_by(id: Option<u32>) -> Self {
        Self(id.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    /// Asks all of it to end (SIGTERM).
    pub fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Kills all of it.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Its leader ended by itself: what it left running, such as a delivery in the background, is its
    /// own affair.
    pub fn leave(mut self) {
        self.0 = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
            // It may be gone already.
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

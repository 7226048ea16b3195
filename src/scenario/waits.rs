//! How long a sender of a class waits in a scenario.
//!
//! ```text
//!   the scenario's own `timeouts`   first, step by step
//!   the class's own timers          else; in a lab so many times shorter
//! ```

use std::time::Duration;

use super::{Scenario, Timeouts};
use crate::classes::{SenderClass, Timers};
use crate::mail::Stage;

/// By how much the timers of a class are shortened in a lab: five minutes become two seconds.
pub const LAB_SCALE: u32 = 150;

/// The waiting times of one sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// Limits of each step, and the pauses between attempts.
    pub timeouts: Timeouts,
    /// By how much the timers of the class are shortened; 1: not at all.
    pub scale: u32,
}

impl Waits {
    /// A time of the class, such as one for which it remembers a host, as long as it is here.
    pub fn scaled(&self, seconds: u32) -> Duration {
        Duration::from_secs(u64::from(seconds)) / self.scale
    }
}

impl Scenario {
    /// How long a sender of `class` waits. RFC 5321 by the letter has the scenario's own limits;
    /// the others have their own timers where the scenario does not state one.
    pub fn waits(&self, class: SenderClass) -> Waits {
        let mut timeouts = self.timeouts.clone();
        if class == SenderClass::Rfc5321 {
            return Waits { timeouts, scale: 1 };
        }
        let scale = if self.lab.is_some() { LAB_SCALE } else { 1 };
        let facts = class.facts();
        for (key, stage, slot) in [
            ("connect", Stage::Connect, &mut timeouts.connect),
            ("banner", Stage::Banner, &mut timeouts.banner),
            ("ehlo", Stage::Ehlo, &mut timeouts.ehlo),
            ("mail", Stage::Mail, &mut timeouts.mail),
            ("rcpt", Stage::Rcpt, &mut timeouts.rcpt),
            ("data", Stage::Data, &mut timeouts.data),
            ("body", Stage::Body, &mut timeouts.body),
            ("eom", Stage::Eom, &mut timeouts.eom),
        ] {
            if !self.timeouts.stated.contains(key) {
                *slot = of(&facts.timers, stage) / scale;
            }
        }
        if !self.timeouts.stated.contains("retry") && !facts.retry.is_empty() {
            timeouts.retry =
                facts.retry.iter().map(|seconds| Duration::from_secs(u64::from(*seconds)) / scale).collect();
        }
        Waits { timeouts, scale }
    }
}

/// The class's timer; where nobody knows it, that of RFC 5321.
fn of(timers: &Timers, stage: Stage) -> Duration {
    let rfc = SenderClass::Rfc5321.facts().timers.of(stage).time();
    timers.of(stage).time().or(rfc).unwrap_or_default()
}

impl Timeouts {
    /// The limit of a stage.
    pub fn of_stage(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Connect => self.connect,
            Stage::Banner => self.banner,
            Stage::Ehlo | Stage::Starttls | Stage::Auth => self.ehlo,
            Stage::Mail => self.mail,
            Stage::Rcpt => self.rcpt,
            Stage::Data => self.data,
            Stage::Body => self.body,
            Stage::Eom | Stage::Quit => self.eom,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceText;

    fn scenario(timeouts: &str) -> Scenario {
        let text = format!(
            "name: small\ndomain: drill.example\n{timeouts}platforms:\n  new: {{ hosts: [mx1.new.example] }}\nlab:\n  \
             zones: {{ drill.example: '@ MX 10 mx1.new.example.' }}\n  hosts: {{ mx1.new.example: {{ store: {{}} }} }}\n\
             phases:\n  - name: steady\n    probes: {{ count: 1 }}\n    expect: {{ at: new, within: 30s }}\n"
        );
        super::super::load(SourceText::new("s.yaml", text), None).expect("it is right").scenario
    }

    #[test]
    fn what_the_scenario_states_comes_before_the_timers_of_the_class() {
        let waits = scenario("timeouts: { connect: 300ms, retry: 100ms }\n").waits(SenderClass::Chasquid);
        assert_eq!(waits.scale, LAB_SCALE);
        assert_eq!(waits.timeouts.connect, Duration::from_millis(300));
        assert_eq!(waits.timeouts.rcpt, Duration::from_secs(4), "600 s / 150");
        assert_eq!(waits.timeouts.retry, [Duration::from_millis(100)]);
    }

    #[test]
    fn rfc5321_has_the_limits_of_the_scenario() {
        let scenario = scenario("");
        let waits = scenario.waits(SenderClass::Rfc5321);
        assert_eq!((waits.timeouts, waits.scale), (scenario.timeouts, 1));
    }
}

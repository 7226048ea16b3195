//! What a record says, for people and for machines: one file a format, each a pure function of a
//! [`Report`].
//!
//! ```text
//!   Report ──┬── json       the document itself
//!            ├── junit      a suite a scenario, a case a phase
//!            ├── html       one file for artefacts and tickets
//!            ├── markdown   the same for a handbook, with the design as proven
//!            ├── github     annotations beside the scenario's own lines
//!            └── terminal   page by page, as a postmaster reads it
//!
//!   story     what happened to one probe, in order, faults woven in
//!   route     the same without what differs between like probes, so that they can be grouped
//!   evidence  the same with times and places, for one probe
//!   finding   what an audit or a scan found, and what shows it
//!   design    every MX, way and TLS session as the run proved it
//!   failure   an expectation that did not hold, drawn at the scenario's own line
//!   live      what is shown while a run is under way
//! ```
//!
//! Nothing here reads a clock, a file or the environment: a record that was saved years ago is
//! rendered exactly as it was on its day.

mod design;
mod evidence;
mod failure;
mod finding;
mod github;
mod html;
mod json;
mod junit;
mod leg;
pub mod live;
mod markdown;
mod page;
mod prose;
mod reason;
mod route;
pub mod schema;
mod sources;
mod story;
mod terminal;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::record::Report;
use crate::source::Paint;
use crate::terms::{UnknownWord, words};

words! {
    /// What a report can be rendered as.
    Format {
        /// Text for a terminal.
        Terminal = "terminal",
        /// The `mxdrill.report/1` document.
        Json = "json",
        /// JUnit XML, as CI systems read it.
        Junit = "junit",
        /// One HTML file with nothing to load.
        Html = "html",
        /// Markdown, with the design as proven by the run.
        Markdown = "md",
        /// Annotations of GitHub Actions.
        Github = "github",
    }
}

words! {
    /// How much a terminal report shows.
    Detail {
        /// A line a scenario and a phase, and what did not come out as it should.
        Brief = "brief",
        /// Everything that is needed to understand each phase; like probes are told together.
        Normal = "normal",
        /// Each probe by itself, with TLS, certificates and the path it took.
        Full = "full",
    }
}

/// How a terminal report looks. The other formats do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How much is shown.
    pub detail: Detail,
    /// With colours or without.
    pub paint: Paint,
    /// How many columns there are.
    pub width: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self { detail: Detail::Normal, paint: Paint::Plain, width: 100 }
    }
}

/// The report in a format, ending in a newline.
pub fn render(format: Format, report: &Report, look: Look) -> String {
    match format {
        Format::Terminal => terminal::render(report, look),
        Format::Json => json::render(report),
        Format::Junit => junit::render(report),
        Format::Html => html::render(report),
        Format::Markdown => markdown::render(report),
        Format::Github => github::render(report),
    }
}

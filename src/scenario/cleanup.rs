//! What is left behind of a run, and what is not.

/// What is deleted once a run is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cleanup {
    /// Nothing.
    #[default]
    Nothing,
    /// The run's probes, from the mailboxes that collectors look into.
    Probes,
}

impl Cleanup {
    /// Every kind, in order.
    pub const ALL: &'static [Cleanup] = &[Cleanup::Nothing, Cleanup::Probes];

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Cleanup::Nothing => "false",
            Cleanup::Probes => "true",
        }
    }
}

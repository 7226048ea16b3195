//! The task that looks at one place until it is told to stop.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::notes::Notes;
use super::{CollectError, Trouble};
use crate::record::LookedState;

/// The longest that one look may take; a mailbox with many new messages needs some of it.
const LOOK_LIMIT: Duration = Duration::from_secs(60);
/// How long a place has to say goodbye.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How often files are looked at.
pub(super) const FILE_POLL: Duration = Duration::from_millis(50);

/// Why a place is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// It stirred.
    Stirred,
    /// Somebody wants to know what is there now.
    Asked,
}

/// Something that can be looked at.
pub(super) trait Place: Send + 'static {
    /// Looks once at everything; what is found is in the journal when it returns. It may be
    /// dropped half-way.
    fn look(&mut self, occasion: Occasion) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Waits until something may be new, or until it is time to try again. It may be dropped at
    /// any time.
    fn stir(&mut self) -> impl Future<Output = ()> + Send;

    /// Says goodbye.
    fn close(self) -> impl Future<Output = ()> + Send;
}

type Answer = oneshot::Sender<Result<(), CollectError>>;

/// A place that is being looked at.
#[derive(Debug)]
pub struct Collecting {
    requests: mpsc::Sender<Answer>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    notes: Notes,
}

impl Collecting {
    /// Goes on looking at `place`, which was looked at once already.
    pub(super) fn begin(place: impl Place, notes: Notes) -> Self {
        let (requests, asked) = mpsc::channel(64);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(keep_looking(place, notes.clone(), asked, stopped));
        Self { requests, stop, task, notes }
    }

    /// Looks once at everything, now. What is there is in the journal when this returns: call it
    /// right before absence is judged.
    ///
    /// # Errors
    /// Where the place cannot be looked at, or not within a minute: then absence there proves
    /// nothing.
    pub async fn look(&self) -> Result<(), CollectError> {
        let (answer, answered) = oneshot::channel();
        let gone = || self.notes.error(Trouble::new("it is not looked at any more"));
        self.requests.send(answer).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Stops looking at once, and says goodbye to a server, for at most two seconds. What was not
    /// looked at before stays unseen. Dropping does the same without waiting.
    pub async fn close(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

async fn keep_looking(
    mut place: impl Place,
    notes: Notes,
    mut requests: mpsc::Receiver<Answer>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut lost = None;
    loop {
        let mut waiting = vec![];
        tokio::select! {
            Some(answer) = requests.recv() => waiting.push(answer),
            () = place.stir() => {}
            _ = &mut stopped => break,
        }
        // All who asked before the look began are served by it.
        while let Ok(answer) = requests.try_recv() {
            waiting.push(answer);
        }
        let occasion = if waiting.is_empty() { Occasion::Stirred } else { Occasion::Asked };
        let looked = tokio::select! {
            looked = timeout(LOOK_LIMIT, place.look(occasion)) => looked.unwrap_or_else(|_| Err(too_slow())),
            _ = &mut stopped => break,
        };
        say_state(&notes, &mut lost, &looked);
        for answer in waiting {
            let _ = answer.send(looked.clone().map_err(|trouble| notes.error(trouble)));
        }
    }
    let _ = timeout(CLOSE_LIMIT, place.close()).await;
}

fn too_slow() -> Trouble {
    Trouble::new(format!("looking took longer than {} s", LOOK_LIMIT.as_secs()))
}

/// Notes it where the place was lost or is back.
fn say_state(notes: &Notes, lost: &mut Option<Trouble>, looked: &Result<(), Trouble>) {
    match looked {
        Err(trouble) if lost.as_ref() != Some(trouble) => {
            notes.looked(LookedState::Lost, &trouble.what);
            *lost = Some(trouble.clone());
        }
        Ok(()) if lost.take().is_some() => notes.looked(LookedState::Open, "it can be looked at again"),
        _ => {}
    }
}

/// Files that are looked at by a thread that may block.
pub(super) trait Files: Send + 'static {
    /// Looks once at everything.
    ///
    /// # Errors
    /// Where the files cannot be read.
    fn look(&mut self, occasion: Occasion) -> Result<(), Trouble>;

    /// Called when nobody will look any more.
    fn end(&mut self) {}
}

/// Files as a place: looked at every [`FILE_POLL`].
#[derive(Debug)]
pub(super) struct Polled<F> {
    state: State<F>,
    every: Interval,
}

#[derive(Debug)]
enum State<F> {
    Resting(F),
    Looking(JoinHandle<(F, Result<(), Trouble>)>),
    Gone,
}

impl<F: Files> Polled<F> {
    pub(super) fn new(files: F) -> Self {
        let mut every = interval(FILE_POLL);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { state: State::Resting(files), every }
    }

    /// Waits for a look that was dropped half-way.
    async fn rest(&mut self) {
        if let State::Looking(look) = &mut self.state {
            self.state = match look.await {
                Ok((files, _)) => State::Resting(files),
                Err(_) => State::Gone,
            };
        }
    }
}

impl<F: Files> Place for Polled<F> {
    async fn look(&mut self, occasion: Occasion) -> Result<(), Trouble> {
        self.rest().await;
        let State::Resting(mut files) = std::mem::replace(&mut self.state, State::Gone) else {
            return Err(Trouble::new("its reader broke down"));
        };
        self.state = State::Looking(tokio::task::spawn_blocking(move || {
            let looked = files.look(occasion);
            (files, looked)
        }));
        let State::Looking(look) = &mut self.state else { return Ok(()) };
        let (files, looked) = look.await.map_err(|_| Trouble::new("its reader broke down"))?;
        self.state = State::Resting(files);
        looked
    }

    async fn stir(&mut self) {
        self.every.tick().await;
    }

    async fn close(mut self) {
        self.rest().await;
        if let State::Resting(files) = &mut self.state {
            files.end();
        }
    }
}

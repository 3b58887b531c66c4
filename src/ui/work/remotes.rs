//! Runs of other machines: a thread for each address copies what changes there, so that the window opens and follows the
//! copies as ordinary runs. Where a connection ends, the thread says so and tries again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;

use super::waker::Waker;
use crate::remote::{Address, Mirror, RemoteError, Ssh};
use crate::run::mirrored;

/// News of a server.
pub(super) enum News {
    /// It can be reached again, or the sentence says why not.
    Connection(Result<(), String>),
    /// Something could not be copied.
    Problem(String),
}

/// How long after a round of copying the next one begins.
const EVERY: Duration = Duration::from_secs(2);

/// How long after the first failure the next try begins; each further pause is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The addresses that are followed. Clones share them.
#[derive(Clone)]
pub(super) struct Remotes(Arc<Shared>);

struct Shared {
    followers: Mutex<BTreeMap<Address, Arc<Follower>>>,
    ssh: Ssh,
    sender: Sender<News>,
    waker: Waker,
}

impl Remotes {
    pub(super) fn new(ssh: Ssh, sender: Sender<News>, waker: Waker) -> Self {
        let followers = Mutex::default();
        Self(Arc::new(Shared {
            followers,
            ssh,
            sender,
            waker,
        }))
    }

    /// Copies the runs at an address, and goes on copying what changes there. Gives the place of the copy, and the runs in it.
    /// Must not be called from the window's own thread, since it waits for the server.
    pub(super) fn open(&self, address: &Address) -> Result<(PathBuf, Vec<PathBuf>), String> {
        let follower = self.follower(address, false);
        let copied = follower.wait_for_round(None);
        if follower.state().is_over {
            // It never came up, and nothing else asks for it.
            lock(&self.0.followers).retain(|_, known| !Arc::ptr_eq(known, &follower));
        }
        copied
    }

    /// Copies a run whole before it is read, if it is a copy; where the server cannot be reached, it stays as it was copied
    /// last. Waits as [`Remotes::open`].
    pub(super) fn prepare(&self, dir: &Path) {
        if let Some(follower) = self.keep(dir) {
            // Its thread says why it cannot.
            let _ = follower.wait_for_round(Some(dir));
        }
    }

    /// Follows the address of a run, or of a folder of runs, that is a copy from an earlier start of the program.
    pub(super) fn keep(&self, dir: &Path) -> Option<Arc<Follower>> {
        let address = Address::parse(&mirrored::of(dir)?.address).ok()?;
        Some(self.follower(&address, true))
    }

    /// Takes in that a run is open no longer. Where it was the last one that is open of its address, nothing is copied from
    /// there any more.
    pub(super) fn closed(&self, dir: &Path) {
        lock(&self.0.followers).retain(|_, follower| {
            let mut state = follower.state();
            let was_last = state.whole.remove(dir) && state.whole.is_empty();
            state.is_over |= was_last;
            drop(state);
            if was_last {
                follower.changed.notify_all();
            }
            !was_last
        });
    }

    /// The follower of an address, whose thread is started where there is none.
    fn follower(&self, address: &Address, is_kept: bool) -> Arc<Follower> {
        let mut followers = lock(&self.0.followers);
        let known = followers
            .get(address)
            .filter(|known| !known.state().is_over);
        if let Some(known) = known {
            known.state().is_kept |= is_kept;
            return Arc::clone(known);
        }
        let follower = Arc::new(Follower::default());
        follower.state().is_kept = is_kept;
        followers.insert(address.clone(), Arc::clone(&follower));
        let (of, address, ssh) = (Arc::clone(&follower), address.clone(), self.0.ssh.clone());
        let (sender, waker) = (self.0.sender.clone(), self.0.waker.clone());
        let tell = move |news| {
            // Fails only where the window is gone.
            let _ = sender.send(news);
            waker.wake();
        };
        let thread = std::thread::Builder::new().name("remote".to_owned());
        if let Err(error) = thread.spawn(move || of.follow((&address, &ssh), &tell)) {
            let mut state = follower.state();
            state.failed = Some(format!("the system gives no thread for this: {error}"));
            state.is_over = true;
        }
        follower
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for follower in lock(&self.followers).values() {
            follower.state().is_over = true;
            follower.changed.notify_all();
        }
    }
}

/// What a thread that copies, and those that wait for it, know.
#[derive(Default)]
pub(super) struct Follower {
    state: Mutex<Following>,
    changed: Condvar,
}

#[derive(Default)]
struct Following {
    /// Copies that are to be whole.
    whole: BTreeSet<PathBuf>,
    /// Number of rounds that were asked for.
    asked: u64,
    /// Value of `asked` when the newest round began that succeeded.
    done: u64,
    /// The place of the copy and the runs in it, once there was a round.
    copied: Option<(PathBuf, Vec<PathBuf>)>,
    /// Number of tries that failed, and why the newest did.
    failures: u64,
    failed: Option<String>,
    /// Whether it goes on trying even though no round has succeeded yet.
    is_kept: bool,
    /// Whether the thread has ended or is to end.
    is_over: bool,
}

impl Follower {
    fn state(&self) -> MutexGuard<'_, Following> {
        lock(&self.state)
    }

    /// Asks for a round of copying, which copies the run in a directory whole, and waits for it or for the next failure.
    fn wait_for_round(&self, whole: Option<&Path>) -> Result<(PathBuf, Vec<PathBuf>), String> {
        let mut state = self.state();
        state.whole.extend(whole.map(Path::to_path_buf));
        state.asked += 1;
        let (asked, failures) = (state.asked, state.failures);
        self.changed.notify_all();
        let waits = |state: &mut Following| {
            state.done < asked && state.failures == failures && !state.is_over
        };
        let state = self
            .changed
            .wait_while(state, waits)
            .unwrap_or_else(PoisonError::into_inner);
        match &state.copied {
            Some(copied) if state.done >= asked => Ok(copied.clone()),
            _ => Err(state.failed.clone().unwrap_or_default()),
        }
    }

    /// Copies until nobody needs it any more.
    fn follow(&self, server: (&Address, &Ssh), tell: &dyn Fn(News)) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Err(error) = self.copy(server, tell, &mut pause) else {
                return;
            };
            let mut state = self.state();
            state.failures += 1;
            state.failed = Some(error.to_string());
            let is_hopeless = state.copied.is_none() && !state.is_kept;
            state.is_over |= is_hopeless;
            let is_first = pause == FIRST_PAUSE;
            self.changed.notify_all();
            if state.is_over {
                break;
            }
            if is_first {
                let text = format!(
                    "Runs are shown as they were copied last, and it is tried again: {error}"
                );
                tell(News::Connection(Err(text)));
            }
            let asked = state.asked;
            if self.rest(state, pause, asked) {
                break;
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
        if pause > FIRST_PAUSE || self.state().copied.is_some() {
            // What was said of the connection concerns nobody any more.
            tell(News::Connection(Ok(())));
        }
    }

    /// Connects and copies, again and again. Ends without an error where nobody needs it any more.
    fn copy(
        &self,
        (address, ssh): (&Address, &Ssh),
        tell: &dyn Fn(News),
        pause: &mut Duration,
    ) -> Result<(), RemoteError> {
        let mut mirror = Mirror::open(address, ssh)?;
        let mut told = BTreeSet::new();
        loop {
            let (asked, whole) = {
                let state = self.state();
                (state.asked, state.whole.clone())
            };
            let round = mirror.update(&|dir| whole.contains(dir))?;
            if *pause > FIRST_PAUSE {
                *pause = FIRST_PAUSE;
                tell(News::Connection(Ok(())));
            }
            for problem in round.problems {
                if told.insert(problem.clone()) {
                    tell(News::Problem(problem));
                }
            }
            let mut state = self.state();
            state.done = asked;
            state.copied = Some((mirror.dir().to_owned(), round.runs));
            self.changed.notify_all();
            if self.rest(state, EVERY, asked) {
                return Ok(());
            }
        }
    }

    /// Waits for a time, or until a round is asked for that was not when `asked` were. Gives whether nobody needs any.
    fn rest(&self, state: MutexGuard<'_, Following>, time: Duration, asked: u64) -> bool {
        let waits = |state: &mut Following| state.asked == asked && !state.is_over;
        let waited = self.changed.wait_timeout_while(state, time, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The invariants, checked after every event against what really happened: the stand-in's ledger and the
//! store's commits, never an operator's beliefs.
//!
//! The judge keeps a book of pools, SpotInstances and machines of its own. It is told of each event right
//! after it took effect, and calls nobody. What each invariant says is at [`Invariant`].

mod book;
mod cloud;
mod rest;
mod secrets;
mod store;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sim::cvm::Event;
use spotpool_operator::ports::PoolKey;

use crate::nature::CANARY;
use crate::store::Commit;
use crate::trace::Trace;
use crate::truth::Truth;

use book::Book;

pub use rest::Expected;

/// What must always be true. The numbers are those of "Always true" in the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// 1: only a machine on record in a SpotInstance of this cluster, of its very name, is terminated.
    NeverAStranger,
    /// 1: a machine is terminated only when its SpotInstance is leaving, or when it is an extra one.
    NeverUnasked,
    /// 2: never two living machines for one SpotInstance, as long as the cloud keeps to its times; and
    /// none at rest whatever it does.
    NeverTwice,
    /// 3, 4: no launch when as many machines live as the minimum asks for.
    NeverNeedless,
    /// 4: no launch takes the machines above the maximum.
    NeverOver,
    /// A machine is made only for an attempt that stands in the store.
    IntentFirst,
    /// No launch for a pool that was gone or leaving before the SpotInstance was made.
    NotForAGonePool,
    /// A leaving SpotInstance, or one with a machine, never asks for one.
    AskedInVain,
    /// `instanceId` is written once, `launched` only grows.
    WrittenOnce,
    /// What is recorded as a SpotInstance's machine has its very name.
    RecordedAStranger,
    /// Every living machine of ours has its SpotInstance; the finalizer goes after the machine.
    NothingLost,
    /// 5: a pool goes after its SpotInstances.
    NothingLeftBehind,
    /// Nothing is launched or terminated for a paused pool.
    RestsWhilePaused,
    /// A pool that is to keep its machines takes none with it.
    LetsLive,
    /// A pool costs few refused requests, whatever is sold out.
    FewRefusals,
    /// A machine that does not answer goes only when another one did.
    NotByRumour,
    /// Machines that do not answer go one at a time.
    OneAtATime,
    /// Machines that never answered are replaced so often an hour and no more.
    FewBoots,
    /// A machine that serves and is deleted by hand goes when enough others serve.
    ServesFirst,
    /// Of machines that are too many, those that serve go last.
    ServesLast,
    /// What is bought is what the pool asks for, and paid as it says.
    AsAskedFor,
    /// Nothing is launched in a namespace that is being deleted.
    NotInALeavingNamespace,
    /// A key is not lost while machines need it.
    KeyStays,
    /// A machine is taken over only when somebody asks for it, and when it is nobody's.
    TakenOverAsAsked,
    /// A machine that stands still until somebody pays is not replaced.
    UnpaidIsNotLost,
    /// At rest every pool has what it asks for, and nothing else is left.
    WholeAtRest,
    /// 8: a converged pool writes nothing.
    QuietAtRest,
    /// The operator's run ended by itself.
    KeepsRunning,
    /// The secret half of a key shows in no status, no Event and no error, and in no object's `Debug`.
    KeepsSecrets,
}

impl Invariant {
    /// Its name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::NeverAStranger => "never-a-stranger",
            Self::NeverUnasked => "never-unasked",
            Self::NeverTwice => "never-twice",
            Self::NeverNeedless => "never-needless",
            Self::NeverOver => "never-over",
            Self::IntentFirst => "intent-first",
            Self::NotForAGonePool => "not-for-a-gone-pool",
            Self::AskedInVain => "asked-in-vain",
            Self::WrittenOnce => "written-once",
            Self::RecordedAStranger => "recorded-a-stranger",
            Self::NothingLost => "nothing-lost",
            Self::NothingLeftBehind => "nothing-left-behind",
            Self::RestsWhilePaused => "rests-while-paused",
            Self::LetsLive => "lets-live",
            Self::FewRefusals => "few-refusals",
            Self::NotByRumour => "not-by-rumour",
            Self::OneAtATime => "one-at-a-time",
            Self::FewBoots => "few-boots",
            Self::ServesFirst => "serves-first",
            Self::ServesLast => "serves-last",
            Self::AsAskedFor => "as-asked-for",
            Self::NotInALeavingNamespace => "not-in-a-leaving-namespace",
            Self::KeyStays => "key-stays",
            Self::TakenOverAsAsked => "taken-over-as-asked",
            Self::UnpaidIsNotLost => "unpaid-is-not-lost",
            Self::WholeAtRest => "whole-at-rest",
            Self::QuietAtRest => "quiet-at-rest",
            Self::KeepsRunning => "keeps-running",
            Self::KeepsSecrets => "keeps-secrets",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One invariant broken.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When, since the start.
    pub at: Duration,
    /// The pool that it is about, "" when it is about none.
    pub about: String,
    /// What happened.
    pub text: String,
}

/// How much happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Machines made by calls.
    pub launches: u64,
    /// Terminations accepted.
    pub terminations: u64,
}

/// See the module.
pub struct Judge {
    truth: Truth,
    trace: Arc<Trace>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    book: Book,
    tally: Tally,
    violation: Option<Violation>,
}

impl Judge {
    /// Nothing has happened yet.
    pub fn new(truth: Truth, trace: Arc<Trace>) -> Self {
        Self { truth, trace, state: Mutex::default() }
    }

    /// Adds a cluster by the uid of its kube-system.
    pub fn add_cluster(&self, uid: &str) {
        self.lock().book.clusters.push(uid.to_owned());
    }

    /// Something happened in the cloud.
    pub fn on_cloud(&self, event: &Event) {
        let now = self.truth.elapsed();
        let found = {
            let mut state = self.lock();
            let State { book, tally, .. } = &mut *state;
            cloud::judge(book, tally, &event.what, now, &self.trace)
        };
        self.report(found, now);
    }

    /// Something happened in the store of this cluster.
    pub fn on_store(&self, cluster: &str, commit: &Commit) {
        let now = self.truth.elapsed();
        let found = store::judge(&mut self.lock().book, cluster, commit, now);
        self.report(found, now);
    }

    /// A model server answered somebody.
    pub fn on_answer(&self, address: &str) {
        self.lock().book.answered.insert(address.to_owned(), self.truth.elapsed());
    }

    /// The cloud's answer to whoever looks with this key came in as it was sent: machines as they stand.
    pub fn on_look(&self, key_id: &str, answer: &[u8]) {
        cloud::shown(&mut self.lock().book, key_id, answer, self.truth.elapsed());
    }

    /// The namespace of these pools (uids) is being deleted from now on.
    pub fn on_leaving_namespace(&self, pools: &[String]) {
        let now = self.truth.elapsed();
        let mut state = self.lock();
        for uid in pools {
            if let Some(pool) = state.book.pools.get_mut(uid) {
                pool.namespace_leaving_at.get_or_insert(now);
                pool.keeps_from(now);
            }
        }
    }

    /// A process read a pool: to decide about it, or for another one's sake.
    pub fn on_glance(&self, process: u32, pool: &PoolKey) {
        self.lock().book.glances.insert((process, pool.clone()), self.truth.elapsed());
    }

    /// A process read a pool's SpotInstances after the pool: what it decides from now on goes by that.
    pub fn on_read(&self, process: u32, pool: &PoolKey) {
        let mut state = self.lock();
        let key = (process, pool.clone());
        let at = state.book.glances.get(&key).copied().unwrap_or_else(|| self.truth.elapsed());
        state.book.reads.insert(key, at);
    }

    /// An operator wrote or was told these words.
    pub fn on_words(&self, about: &str, words: &str) {
        if let Some(at) = words.find(CANARY) {
            let before: String = words[..at].chars().rev().take(100).collect();
            let before: String = before.chars().rev().collect();
            self.accuse(
                Invariant::KeepsSecrets,
                about,
                format!("a key's secret half shows after `{before}`"),
            );
        }
    }

    /// A RunInstances for this name waited at the gate for longer than a sender may: two machines of this name
    /// may come of it.
    pub fn excuse(&self, name: &str) {
        self.lock().book.excused.insert(name.to_owned());
    }

    /// A RunInstances for this name is doubled on its way. The copy is nobody's attempt and has no answer: two
    /// machines may come of it, and the second may outlive its SpotInstance when that is deleted at once.
    pub fn doubled(&self, name: &str) {
        let mut state = self.lock();
        state.book.excused.insert(name.to_owned());
        state.book.doubled.insert(name.to_owned());
    }

    /// The pool that a machine's name or id stands for, "" when it stands for none.
    pub fn pool_of(&self, name_or_id: &str) -> String {
        let state = self.lock();
        let name = state.book.machines.get(name_or_id).map_or(name_or_id, |machine| machine.name.as_str());
        state.book.instance_of(name).map_or_else(String::new, |(_, instance)| instance.pool.name.clone())
    }

    /// Something that must not happen did.
    pub fn accuse(&self, invariant: Invariant, about: &str, text: String) {
        self.report(vec![Finding::new(invariant, about, text)], self.truth.elapsed());
    }

    /// Looks at everything once, after a long calm.
    pub fn at_rest(&self, expected: &Expected) {
        let now = self.truth.elapsed();
        let found = rest::judge(&self.lock().book, expected);
        self.report(found, now);
    }

    /// The first invariant broken, if any was.
    pub fn violation(&self) -> Option<Violation> {
        self.lock().violation.clone()
    }

    /// How much happened so far.
    pub fn tally(&self) -> Tally {
        self.lock().tally
    }

    fn report(&self, found: Vec<Finding>, now: Duration) {
        let Some(first) = found.into_iter().next() else { return };
        self.trace.tell(&first.about, || format!("BROKEN: {}: {}", first.invariant, first.text));
        let mut state = self.lock();
        if state.violation.is_none() {
            let Finding { invariant, about, text } = first;
            state.violation = Some(Violation { invariant, at: now, about, text });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One invariant broken, as the checks say it.
struct Finding {
    invariant: Invariant,
    about: String,
    text: String,
}

impl Finding {
    fn new(invariant: Invariant, about: &str, text: String) -> Self {
        Self { invariant, about: about.to_owned(), text }
    }
}

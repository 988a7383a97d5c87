//! What goes wrong with calls while they are under way, by the kind of step that they are.
//!
//! Rules come and go with the script of a seed. Chance is drawn from the seed in the order of the calls.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::cvm::Fault;
use tokio::time::Instant;

use crate::kind::{Counts, Kind};
use crate::site::{Site, Step};

/// What happens to one call to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFate {
    /// The write happens, its answer never comes.
    LoseAnswer,
    /// The write happens up to so much later; the caller gives up before when it takes long.
    Late(Duration),
    /// Nothing happens and no answer comes.
    Outage,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// With a call to the cloud: one of these, drawn.
    Cloud(Vec<Fault>),
    /// With a call to the store.
    Store(StoreFate),
}

/// A rule: which calls, what, how often, how long.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The kind of fault that it counts as, when it first strikes.
    pub kind: Kind,
    /// Only these steps.
    pub steps: &'static [Step],
    /// Only calls whose object contains this text.
    pub object: Option<String>,
    /// What happens.
    pub mishap: Mishap,
    /// The chance for each call that fits.
    pub chance: f64,
    /// Not after.
    pub until: Instant,
    /// At most so often.
    pub times: u32,
}

/// The rules at work, and what has happened so far.
pub struct Weather {
    state: Mutex<State>,
}

struct State {
    rng: ChaCha8Rng,
    rules: Vec<Active>,
    counts: Counts,
    /// Nobody reaches a model server before this.
    blind_until: Option<Instant>,
}

struct Active {
    rule: Rule,
    struck: u32,
}

impl Weather {
    /// Fair.
    pub fn new(seed: u64) -> Self {
        let state = State {
            rng: ChaCha8Rng::seed_from_u64(seed),
            rules: Vec::new(),
            counts: Counts::default(),
            blind_until: None,
        };
        Self { state: Mutex::new(state) }
    }

    /// Adds a rule.
    pub fn add(&self, rule: Rule) {
        let mut state = self.lock();
        let now = Instant::now();
        state.rules.retain(|active| active.rule.until > now && active.struck < active.rule.times);
        state.rules.push(Active { rule, struck: 0 });
    }

    /// Nobody reaches a model server for so long.
    pub fn blind(&self, time: Duration) {
        self.lock().blind_until = Some(Instant::now() + time);
    }

    /// Whether nobody reaches a model server.
    pub fn is_blind(&self) -> bool {
        self.lock().blind_until.is_some_and(|until| until > Instant::now())
    }

    /// Fair again.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.rules.clear();
        state.blind_until = None;
    }

    /// A fault of this kind happened.
    pub fn count(&self, kind: Kind) {
        self.lock().counts.add(kind);
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// What goes wrong with this call to the cloud.
    pub fn over_cloud(&self, site: &Site) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut state = self.lock();
        state.each_struck(site, |mishap, rng| {
            if let Mishap::Cloud(choice) = mishap {
                faults.extend(choice.get(rng.random_range(0..choice.len().max(1))).cloned());
            }
        });
        // A copy of a request that is refused or lost is another request, which no definite answer covers.
        if faults.len() > 1 {
            faults.retain(|fault| !matches!(fault, Fault::DoubledRequest { .. }));
        }
        faults
    }

    /// What goes wrong with this call to the store, and how long it takes there and back.
    pub fn over_store(&self, site: &Site) -> (Option<StoreFate>, Duration, Duration) {
        let mut fate = None;
        let mut state = self.lock();
        state.each_struck(site, |mishap, rng| {
            if let Mishap::Store(struck) = mishap {
                fate = Some(match struck {
                    StoreFate::Late(longest) => StoreFate::Late(longest.mul_f64(rng.random_range(0.0..1.0))),
                    other => *other,
                });
            }
        });
        let millis = |rng: &mut ChaCha8Rng| Duration::from_millis(rng.random_range(1..=6));
        (fate, millis(&mut state.rng), millis(&mut state.rng))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn each_struck(&mut self, site: &Site, mut strike: impl FnMut(&Mishap, &mut ChaCha8Rng)) {
        if self.rules.is_empty() {
            return;
        }
        let now = Instant::now();
        for active in &mut self.rules {
            let rule = &active.rule;
            let fits = now < rule.until
                && active.struck < rule.times
                && rule.steps.contains(&site.step)
                && rule.object.as_ref().is_none_or(|part| site.object.contains(part.as_str()));
            if !fits || !self.rng.random_bool(rule.chance) {
                continue;
            }
            active.struck += 1;
            if active.struck == 1 {
                self.counts.add(rule.kind);
            }
            strike(&rule.mishap, &mut self.rng);
        }
    }
}

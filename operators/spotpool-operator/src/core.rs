//! What all parts of one running operator share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::flights::Flights;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::plan::Rules;
use crate::plan::seen::NameLook;
use crate::ports::{Clock, Clouds, Event, PoolKey, Prober, Store};
use crate::press::Press;
use crate::probes::Probes;
use crate::reminders::Reminders;
use crate::settings::Settings;
use crate::sweep::Sweeps;
use crate::task::Tasks;
use crate::terminations::Terminations;

/// The four ways to the world.
#[derive(Clone)]
pub struct Ports {
    /// The API server.
    pub store: Arc<dyn Store>,
    /// The cloud, per key and region.
    pub clouds: Arc<dyn Clouds>,
    /// Model servers.
    pub prober: Arc<dyn Prober>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
}

/// Shared state of one operator. What is here may be lost at any time without harm; what must survive a
/// restart is in the statuses.
pub(crate) struct Core {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) rules: Rules,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sweeps: Arc<Sweeps>,
    pub(crate) probes: Arc<Probes>,
    pub(crate) flights: Flights,
    pub(crate) keys: Keys,
    pub(crate) tasks: Tasks,
    /// The latest look by name per SpotInstance (uid).
    pub(crate) looks: Mutex<BTreeMap<String, NameLook>>,
    pub(crate) terminations: Terminations,
    pub(crate) press: Press,
    reminders: Mutex<Reminders>,
    random: Mutex<ChaCha8Rng>,
}

impl Core {
    pub(crate) fn new(
        ports: Ports,
        settings: Settings,
        rules: Rules,
        seed: u64,
        metrics: Arc<Metrics>,
        tasks: Tasks,
    ) -> Self {
        let sweeps = Sweeps::new(
            settings.cluster_id.clone(),
            settings.sweep_interval,
            !rules.guards.complete_sweep,
            Arc::clone(&ports.clock),
            Arc::clone(&metrics),
            tasks.clone(),
        );
        let probes = Probes::new(Arc::clone(&ports.prober), Arc::clone(&metrics), tasks.clone());
        Self {
            ports,
            settings,
            rules,
            metrics,
            sweeps,
            probes,
            flights: Flights::default(),
            keys: Keys::default(),
            tasks,
            looks: Mutex::default(),
            terminations: Terminations::default(),
            press: Press::default(),
            reminders: Mutex::default(),
            random: Mutex::new(ChaCha8Rng::seed_from_u64(seed)),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// A ClientToken: 32 hex digits.
    pub(crate) fn new_token(&self) -> String {
        let bytes: [u8; 16] = lock(&self.random).random();
        crate::valid::hex(&bytes)
    }

    /// Says something to people: in the log, and soon as an Event.
    pub(crate) fn tell(&self, event: Event) {
        let log = (&event.regarding.namespace, &event.regarding.name, event.reason, &event.note);
        if event.warning {
            tracing::warn!(namespace = log.0, name = log.1, reason = log.2, "{}", log.3);
        } else {
            tracing::info!(namespace = log.0, name = log.1, reason = log.2, "{}", log.3);
        }
        self.press.take(event);
    }

    /// The same about something that lasts: at once, and from time to time as long as this is called.
    pub(crate) fn remind(&self, event: Event) {
        let due = lock(&self.reminders).is_due(&event, self.now());
        if due {
            self.tell(event);
        }
    }

    /// Forgets what was kept for a pool that is no more.
    pub(crate) fn forget(&self, pool: &PoolKey) {
        self.sweeps.unfollow(pool);
        self.keys.forget(pool);
        self.probes.ask(pool, &BTreeMap::new());
        self.metrics.forget(pool);
    }
}

/// Locks; nobody panics while holding one of these, and what they guard stays whole in any case.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

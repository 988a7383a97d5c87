//! One shared look per API key and region, for all pools that use it.
//!
//! Comes in: which pools are interested in which machine ids. Goes out: a [`Snapshot`] per complete look,
//! the cloud's clock, and a wake-up for each pool whose machines changed. It decides nothing: what an
//! absence means is the plan's business.

mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tencent_cvm::{AccountQuota, AppId, Cvm, Error, Filter, Instance, InstanceId, Listing, Reach, SecretId};
use tokio::time::Instant;
use tracing::{Instrument, debug_span};

use crate::cloud_time::CloudTime;
use crate::identity::{AccountId, CLUSTER_TAG, POOL_TAG, name_prefix};
use crate::market::Market;
use crate::metrics::Metrics;
use crate::ports::{Clock, PoolKey};
use crate::task::Tasks;
use crate::traces;

pub use trouble::{OUTAGE, Trouble};

/// How often the whole account is looked through for machines of ours without tags.
const WIDE_LOOK_EVERY: Duration = Duration::from_secs(300);
/// The same after one that failed.
const WIDE_LOOK_AGAIN: Duration = Duration::from_secs(30);
/// What the cloud refuses for good (a key, a region) is tried again this often.
const LASTING_TROUBLE_PROBE: Duration = Duration::from_secs(60);
/// While a quota stands in the way of a pool, or nothing was answered, the account's quotas are asked for this often.
const QUOTA_EVERY: Duration = Duration::from_secs(60);
/// The looks, which people wait for, wait so long for the answer at most.
const QUOTA_WITHIN: Duration = Duration::from_secs(2);
/// Half of the documented 40 calls a second is ours to use.
const TIME_PER_CALL: Duration = Duration::from_millis(50);

/// An API key in a region. Two pools with the same SecretId but different SecretKeys are apart, so that
/// one wrong key never blinds the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountKey {
    /// The public half.
    pub secret_id: SecretId,
    /// Hash of the secret half and the token.
    pub key_hash: String,
    /// The region.
    pub region: String,
}

/// What one complete look showed.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// When it began, by the cloud's clock; `None` when that clock was not known: then it proves no absence.
    pub begun: Option<Timestamp>,
    /// Every machine with our cluster's tag, and every machine asked for by id that exists.
    pub machines: BTreeMap<InstanceId, Instance>,
    /// Ids that were asked for, by listing and then by id, and that are not there.
    pub absent: BTreeSet<InstanceId>,
}

/// What an unfiltered look showed of machines that carry our cluster's tag, whosever pool they are of.
#[derive(Debug, Clone)]
pub struct WideLook {
    /// When it began, on the monotonic clock.
    pub begun_at: Instant,
    /// The machines.
    pub machines: Vec<Instance>,
}

/// All that is known of an account at one moment.
#[derive(Debug, Clone, Default)]
pub struct AccountView {
    /// The latest complete look.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The latest look through the whole account.
    pub wide: Option<Arc<WideLook>>,
    /// The cloud's clock.
    pub time: Option<CloudTime>,
    /// Why the latest sweep failed, if it did.
    pub trouble: Option<Trouble>,
    /// Whose account it is, once the cloud has told.
    pub app_id: Option<AppId>,
    /// What it may have, as the cloud last told.
    pub quota: Option<Arc<AccountQuota>>,
    /// What it advertises, for those who ask.
    pub market: Arc<Market>,
}

/// What one pool wants from the sweeps.
#[derive(Debug, Clone, Default)]
struct Interest {
    uid: String,
    /// What the names of its machines begin with.
    prefix: String,
    ids: BTreeSet<InstanceId>,
    /// A quota stands in its way.
    wants_quota: bool,
    /// Wake the pool by the first look begun at or after this time.
    wake_by_look_after: Option<Timestamp>,
    /// Its machines in the latest look.
    latest: Vec<Instance>,
}

struct Account {
    cloud: Arc<dyn Cvm>,
    pools: BTreeMap<PoolKey, Interest>,
    view: AccountView,
    /// When the first sweep began since which none has succeeded.
    failing_since: Option<Instant>,
}

impl Account {
    /// Nobody has told yet whose it is, or somebody wants to know what it may have.
    fn wants_quota(&self) -> bool {
        self.view.quota.is_none() || self.pools.values().any(|pool| pool.wants_quota)
    }
}

/// How long after the last answer the next look begins. The cloud counts the calls of a second as they arrive, and
/// what was answered has arrived.
fn breath(calls: u32) -> Duration {
    (TIME_PER_CALL * calls).min(Duration::from_secs(1))
}

/// The sweeps of one operator.
pub struct Sweeps {
    accounts: Mutex<BTreeMap<AccountKey, Account>>,
    cluster_id: String,
    interval: Duration,
    believe_cut_listings: bool,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    tasks: Tasks,
}

impl Sweeps {
    /// Sweeps for the machines of `cluster_id`, one every `interval` per account.
    pub(crate) fn new(
        cluster_id: String,
        interval: Duration,
        believe_cut_listings: bool,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        tasks: Tasks,
    ) -> Arc<Self> {
        let accounts = Mutex::new(BTreeMap::new());
        Arc::new(Self { accounts, cluster_id, interval, believe_cut_listings, clock, metrics, tasks })
    }

    /// Tells the sweeps which machines a pool asks after and whether it wants to know the account's quotas, starts
    /// sweeping its account if nobody did yet, and gives what is known now.
    pub fn follow(
        self: &Arc<Self>,
        key: &AccountKey,
        cloud: &Arc<dyn Cvm>,
        pool: &PoolKey,
        uid: &str,
        ids: BTreeSet<InstanceId>,
        wants_quota: bool,
    ) -> AccountView {
        let mut accounts = self.lock();
        for (other, account) in accounts.iter_mut() {
            if other != key {
                account.pools.remove(pool);
            }
        }
        let mut started = false;
        let account = accounts.entry(key.clone()).or_insert_with(|| {
            started = true;
            Account {
                cloud: Arc::clone(cloud),
                pools: BTreeMap::new(),
                view: AccountView::default(),
                failing_since: None,
            }
        });
        account.cloud = Arc::clone(cloud);
        let interest = account.pools.entry(pool.clone()).or_default();
        if interest.uid != uid {
            uid.clone_into(&mut interest.uid);
            interest.prefix = name_prefix(&self.cluster_id, uid);
        }
        (interest.ids, interest.wants_quota) = (ids, wants_quota);
        interest.wake_by_look_after = None;
        let view = account.view.clone();
        drop(accounts);
        if started {
            self.metrics.sweeps_begin(key, self.clock.now());
            let sweeps = Arc::clone(self);
            let key = key.clone();
            self.tasks.spawn(async move { sweeps.sweep_for_ever(&key).await });
        }
        view
    }

    /// Wakes the pool by the first complete look that begins at or after `after` (the cloud's clock).
    pub fn wake_by_look_after(&self, key: &AccountKey, pool: &PoolKey, after: Timestamp) {
        if let Some(interest) = self.lock().get_mut(key).and_then(|account| account.pools.get_mut(pool)) {
            interest.wake_by_look_after = Some(after);
        }
    }

    /// Forgets a pool.
    pub fn unfollow(&self, pool: &PoolKey) {
        for account in self.lock().values_mut() {
            account.pools.remove(pool);
        }
    }

    /// The uids of all pools that are followed.
    pub fn pool_uids(&self) -> BTreeSet<String> {
        self.lock().values().flat_map(|account| account.pools.values().map(|pool| pool.uid.clone())).collect()
    }

    /// The latest look through each account.
    pub fn wide_looks(&self) -> Vec<Arc<WideLook>> {
        self.lock().values().filter_map(|account| account.view.wide.clone()).collect()
    }

    /// Learns the cloud's clock from a look made elsewhere.
    pub fn learn(&self, key: &AccountKey, listing: &Listing) {
        let time = self.cloud_time(listing);
        if let (Some(account), Some(time)) = (self.lock().get_mut(key), time) {
            account.view.time = Some(time);
        }
    }

    /// The cloud's time at an instant not long ago; `None` when its clock is not known.
    pub fn cloud_time_at(&self, key: &AccountKey, instant: Instant) -> Option<Timestamp> {
        let time = self.lock().get(key).and_then(|account| account.view.time)?;
        time.now(Instant::now(), self.clock.now()).map(|_| time.at(instant))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountKey, Account>> {
        // Nothing here panics while it holds the lock, and a poisoned map would still be whole.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cloud_time(&self, listing: &Listing) -> Option<CloudTime> {
        listing.server_time.and_then(|time| CloudTime::learn(time, self.clock.now(), Instant::now()))
    }

    async fn sweep_for_ever(&self, key: &AccountKey) {
        let mut next_wide = Instant::now();
        let mut next_question = Instant::now();
        let mut strays = BTreeSet::new();
        loop {
            let begun = Instant::now();
            let (cloud, wants_quota) = {
                let mut accounts = self.lock();
                match accounts.get(key) {
                    Some(account) if !account.pools.is_empty() => {
                        (Arc::clone(&account.cloud), account.wants_quota())
                    }
                    _ => {
                        accounts.remove(key);
                        self.metrics.forget_account(key);
                        return;
                    }
                }
            };
            if wants_quota && begun >= next_question {
                let question = self.learn_quota(key, &cloud).instrument(debug_span!(parent: None, "quota"));
                next_question = begun + question.await;
            }
            let mut calls = 0;
            let span = traces::sweep(&key.region);
            let look = self.sweep(key, &cloud, &strays, begun, &mut calls);
            let result = look.instrument(span.clone()).await;
            if let Err(trouble) = &result {
                traces::failed(&span, &trouble.text);
            }
            drop(span);
            self.metrics.sweep(result.is_ok(), begun.elapsed());
            let mut pause = match &result {
                Err(trouble) if trouble.is_lasting() => LASTING_TROUBLE_PROBE,
                _ => self.interval.max(TIME_PER_CALL * calls),
            };
            self.publish(key, begun, result);
            // After the sweep, which people wait for, and apart from it and the next one: close together they would be
            // more than what others leave of the calls of a second.
            if begun >= next_wide {
                next_wide = begun + WIDE_LOOK_EVERY;
                tokio::time::sleep(breath(calls)).await;
                let wide_begun = begun.elapsed();
                let look = self.wide_look(key, &cloud);
                if let Some((found, calls)) = look.instrument(debug_span!(parent: None, "wide_look")).await {
                    strays = found;
                    pause =
                        pause.max(wide_begun + TIME_PER_CALL * calls).max(begun.elapsed() + breath(calls));
                } else {
                    next_wide = begun + WIDE_LOOK_AGAIN;
                }
            }
            tokio::time::sleep_until(begun + pause).await;
        }
    }

    /// Asks whose account it is and what it may have; gives the pause before the next question.
    async fn learn_quota(&self, key: &AccountKey, cloud: &Arc<dyn Cvm>) -> Duration {
        let Ok(answer) = tokio::time::timeout(QUOTA_WITHIN, cloud.describe_account_quota()).await else {
            return QUOTA_EVERY;
        };
        match answer {
            Ok(quota) => {
                if let Some(account) = self.lock().get_mut(key) {
                    account.view.app_id = quota.app_id.or(account.view.app_id);
                    account.view.quota = Some(Arc::new(quota));
                }
                QUOTA_EVERY
            }
            // The key may not be allowed to ask; then its own name stands for the account.
            Err(error) => {
                tracing::info!(region = key.region, %error, "the account's AppId and quotas are not known");
                if error.reach() == Reach::Answered { WIDE_LOOK_EVERY } else { QUOTA_EVERY }
            }
        }
    }

    /// By listing, then by id for every known machine that the listing did not show.
    async fn sweep(
        &self,
        key: &AccountKey,
        cloud: &Arc<dyn Cvm>,
        strays: &BTreeSet<InstanceId>,
        begun: Instant,
        calls: &mut u32,
    ) -> Result<(Snapshot, Option<CloudTime>), Trouble> {
        let filter = Filter::one(format!("tag:{CLUSTER_TAG}"), self.cluster_id.clone());
        let listing = self.whole(cloud.describe_instances(&[filter]).await)?;
        *calls += listing.calls;
        let mut time = self.cloud_time(&listing);
        let mut machines: BTreeMap<_, _> =
            listing.instances.into_iter().map(|machine| (machine.id.clone(), machine)).collect();
        let known: Vec<InstanceId> = {
            let accounts = self.lock();
            let pools = accounts.get(key).map(|account| account.pools.values());
            let ids: BTreeSet<_> = pools.into_iter().flatten().flat_map(|pool| pool.ids.iter()).collect();
            ids.into_iter().chain(strays).filter(|id| !machines.contains_key(*id)).cloned().collect()
        };
        let mut absent: BTreeSet<InstanceId> = known.iter().cloned().collect();
        if !known.is_empty() {
            let confirmed = self.whole(cloud.describe_instances_by_id(&known).await)?;
            *calls += confirmed.calls;
            time = time.or_else(|| self.cloud_time(&confirmed));
            for machine in confirmed.instances {
                absent.remove(&machine.id);
                machines.insert(machine.id.clone(), machine);
            }
        }
        let known_time = time.or_else(|| self.lock().get(key).and_then(|account| account.view.time));
        let begun = known_time
            .filter(|time| time.now(Instant::now(), self.clock.now()).is_some())
            .map(|time| time.at(begun));
        Ok((Snapshot { begun, machines, absent }, time))
    }

    /// A failed look is no look. Without this rule, what it showed would be taken for all there is.
    fn whole(&self, listing: Result<Listing, Error>) -> Result<Listing, Trouble> {
        match listing {
            Err(_) if self.believe_cut_listings => Ok(Listing::default()),
            Err(error) => Err(Trouble::of(&error)),
            Ok(listing) => Ok(listing),
        }
    }

    /// Looks through the whole account for machines of ours whose tags are late or lost; gives those that a
    /// sweep does not show by itself, and how many calls it took.
    async fn wide_look(&self, key: &AccountKey, cloud: &Arc<dyn Cvm>) -> Option<(BTreeSet<InstanceId>, u32)> {
        let begun_at = Instant::now();
        let listing = match cloud.describe_instances(&[]).await {
            Ok(listing) => listing,
            Err(error) => {
                tracing::warn!("the look for machines whose tags are lost failed, and is repeated: {error}");
                return None;
            }
        };
        let mut accounts = self.lock();
        let account = accounts.get_mut(key)?;
        let stray = |machine: &&Instance| {
            machine.tag(CLUSTER_TAG).is_none() && account.pools.values().any(|pool| pool.is_mine(machine))
        };
        let strays = listing.instances.iter().filter(stray).map(|machine| machine.id.clone()).collect();
        let tagged = |machine: &Instance| machine.tag(CLUSTER_TAG) == Some(self.cluster_id.as_str());
        let machines = listing.instances.into_iter().filter(tagged).collect();
        account.view.wide = Some(Arc::new(WideLook { begun_at, machines }));
        Some((strays, listing.calls))
    }

    fn publish(
        &self,
        key: &AccountKey,
        begun: Instant,
        result: Result<(Snapshot, Option<CloudTime>), Trouble>,
    ) {
        let mut woken = Vec::new();
        {
            let mut accounts = self.lock();
            let Some(account) = accounts.get_mut(key) else { return };
            match result {
                Ok((snapshot, time)) => {
                    account.failing_since = None;
                    let recovered = account.view.trouble.take().is_some();
                    let news_for_all = recovered || account.view.snapshot.is_none();
                    if let Some(time) = time {
                        account.view.time = Some(time);
                    }
                    for (pool, interest) in &mut account.pools {
                        if interest.see(&snapshot) || news_for_all {
                            woken.push(pool.clone());
                        }
                    }
                    account.view.snapshot = Some(Arc::new(snapshot));
                    let id = AccountId::new(&key.secret_id, account.view.app_id);
                    self.metrics.looked(key, id, self.clock.now());
                }
                Err(mut trouble) => {
                    let before = account.view.trouble.as_ref();
                    trouble.lasted = account.failing_since.get_or_insert(begun).elapsed();
                    tracing::warn!(
                        region = key.region,
                        code = trouble.code,
                        request_id = trouble.request_id,
                        "sweep failed: {}",
                        trouble.text
                    );
                    let an_outage_before = before.is_some_and(|before| before.lasted >= OUTAGE);
                    let becomes_an_outage = trouble.lasted >= OUTAGE && !an_outage_before;
                    if before.map(|before| &before.code) != Some(&trouble.code) || becomes_an_outage {
                        woken.extend(account.pools.keys().cloned());
                    }
                    account.view.trouble = Some(trouble);
                }
            }
        }
        for pool in woken {
            self.tasks.wake(pool);
        }
    }
}

impl Interest {
    /// Whether the machine carries the pool's tag or name, or is asked after by id.
    fn is_mine(&self, machine: &Instance) -> bool {
        machine.tag(POOL_TAG) == Some(self.uid.as_str())
            || machine.name.starts_with(&self.prefix)
            || self.ids.contains(&machine.id)
    }

    /// Takes note of the pool's machines in a look; whether there is news for the pool.
    fn see(&mut self, snapshot: &Snapshot) -> bool {
        let mine = |machine: &&Instance| self.is_mine(machine);
        let now = || snapshot.machines.values().filter(mine);
        let changed = !now().eq(&self.latest);
        if changed {
            self.latest = now().cloned().collect();
        }
        let awaited = match (self.wake_by_look_after, snapshot.begun) {
            (Some(after), Some(begun)) => begun >= after,
            _ => false,
        };
        if awaited {
            self.wake_by_look_after = None;
        }
        changed || awaited
    }
}

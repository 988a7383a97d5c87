//! Step 4: before a first attempt the pool and its SpotInstances are read once more, live, and only what
//! still holds then goes on. Two leaders meet here. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kube::ResourceExt;

use super::Rules;
use super::attempts::{NextAttempt, next_attempt};
use super::machine::{Standing, standing};
use super::member::{self, is_hand_made};
use super::room::occupied;
use super::seen::{AccountSeen, PoolSeen};
use super::{Chosen, Target};
use crate::crd::{Attempt, Candidate, SpotInstance, SpotInstanceStatus};
use crate::identity::is_same_body;
use crate::valid::ValidPool;

/// What the second look permits.
#[derive(Debug, Clone)]
pub enum Admission {
    /// A request for each of these may be written down and sent, made from the pool as it is now.
    Go(Box<ValidPool>, Vec<Launch>),
    /// Too many, or no pool for them: these wishes are deleted, and nothing is sent in this pass.
    Delete(Vec<SpotInstance>),
    /// Nothing is to be sent after all.
    Nothing,
}

/// One request to send.
#[derive(Debug, Clone)]
pub struct Launch {
    /// For whom, as just read.
    pub instance: SpotInstance,
    /// What is asked for where.
    pub candidate: Candidate,
    /// The unanswered attempt that is sent once more; `None`: a new one under a new token.
    pub again: Option<Attempt>,
}

/// Judges the numbers that the plan chose against what the second look shows.
pub fn admit(
    planned: &ValidPool,
    pool: &PoolSeen,
    instances: &[SpotInstance],
    chosen: &Chosen,
    in_flight: &BTreeSet<String>,
    account: &AccountSeen,
    rules: &Rules,
) -> Admission {
    let there = pool.valid().filter(|pool| pool.uid == planned.uid && !pool.leaving);
    let ours = |instance: &&SpotInstance| {
        instance.spec.pool.uid == planned.uid
            && instance.spec.cluster_id == rules.cluster_id
            && instance.metadata.deletion_timestamp.is_none()
            // Judged as the plan judges it, or the two would undo each other's work for ever.
            && there.is_none_or(|pool| !is_hand_made(instance, pool))
    };
    let staying: Vec<&SpotInstance> =
        instances.iter().filter(ours).filter(|instance| !is_lost(instance, account, rules)).collect();
    let pool = match there {
        Some(pool) => pool,
        None if rules.guards.pool_check => {
            return Admission::Delete(
                staying.into_iter().filter(|instance| is_wish(instance)).cloned().collect(),
            );
        }
        None => planned,
    };
    if pool.paused && rules.guards.pause {
        return Admission::Nothing;
    }
    // The plan's target holds as long as nobody has changed the pool's size since.
    let planned_size = (planned.least, planned.most) == (pool.least, pool.most);
    let own = Target { least: pool.least, most: pool.most };
    let target = if planned_size { chosen.target } else { own };
    if staying.len() > target.least {
        let youngest =
            staying.iter().filter(|instance| is_wish(instance)).max_by_key(|instance| instance.spec.n);
        if let Some(youngest) = youngest {
            return Admission::Delete(vec![(*youngest).clone()]);
        }
        if staying.len() > target.most {
            return Admission::Nothing;
        }
    }
    let mut room = target.most.saturating_sub(occupied_by_all(instances, planned, in_flight, account, rules));
    // One whose unanswered request may still turn into a machine has its place already.
    let fits = |launch: &Launch| {
        let status = launch.instance.status.clone().unwrap_or_default();
        let needs = 1_usize.saturating_sub(occupied(&launch.instance, &status, account, rules));
        let fits = needs <= room;
        room -= if fits { needs } else { 0 };
        fits
    };
    let launches: Vec<Launch> = staying
        .into_iter()
        .filter(|instance| chosen.numbers.contains(&instance.spec.n))
        .filter_map(|instance| launch(pool, instance, &chosen.candidate, account, rules))
        .filter(fits)
        .collect();
    if launches.is_empty() { Admission::Nothing } else { Admission::Go(Box::new(pool.clone()), launches) }
}

/// Machines that the pool's SpotInstances hold or may hold, those on their way out included.
fn occupied_by_all(
    instances: &[SpotInstance],
    pool: &ValidPool,
    in_flight: &BTreeSet<String>,
    account: &AccountSeen,
    rules: &Rules,
) -> usize {
    let of_pool = instances.iter().filter(|instance| instance.spec.pool.uid == pool.uid);
    of_pool
        .map(|instance| {
            let status = instance.status.clone().unwrap_or_default();
            let known = occupied(instance, &status, account, rules);
            let flying = instance.uid().is_some_and(|uid| in_flight.contains(&uid));
            if flying { known.max(1) } else { known }
        })
        .sum()
}

fn is_wish(instance: &SpotInstance) -> bool {
    member::is_wish(instance, &instance.status.clone().unwrap_or_default())
}

fn is_lost(instance: &SpotInstance, account: &AccountSeen, rules: &Rules) -> bool {
    let status = instance.status.clone().unwrap_or_default();
    account.speaks_of(instance, rules)
        && matches!(standing(instance, &status, account, rules), Standing::Lost(_))
}

fn launch(
    pool: &ValidPool,
    instance: &SpotInstance,
    candidate: &Candidate,
    account: &AccountSeen,
    rules: &Rules,
) -> Option<Launch> {
    if !account.speaks_of(instance, rules) || instance.spec.adopted.is_some() {
        return None;
    }
    let nothing = SpotInstanceStatus::default();
    let status = instance.status.as_ref().unwrap_or(&nothing);
    let looked: Option<Timestamp> = account.by_name.get(&instance.uid()?).map(|look| look.begun);
    let same_body = |attempt: &Attempt| is_same_body(pool, instance, attempt);
    match next_attempt(status, looked, same_body, rules) {
        // The spec may have changed between the looks.
        NextAttempt::New if !pool.candidates.contains(candidate) => None,
        NextAttempt::New if rules.guards.outdated && !member::is_of(instance, pool) => None,
        NextAttempt::New => {
            Some(Launch { instance: instance.clone(), candidate: candidate.clone(), again: None })
        }
        NextAttempt::Again(attempt) => Some(Launch {
            instance: instance.clone(),
            candidate: attempt.candidate.clone(),
            again: Some(*attempt),
        }),
        NextAttempt::HasMachine | NextAttempt::LookAfter(_) | NextAttempt::Close => None,
    }
}

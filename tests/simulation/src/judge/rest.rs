//! What must be so after a long calm.

use spotpool_operator::crd::SpotPool;

use super::book::{Book, Instance, bounds};
use super::{Finding, Invariant};
use crate::nature::ACCOUNT;
use crate::site::pool_key;

/// What the people want at the end.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The pools as the stores hold them, with their clusters' uids.
    pub pools: Vec<SpotPool>,
    /// Whether the store was written to in the last minute before the end.
    pub written_lately: Option<String>,
}

pub(super) fn judge(book: &Book, expected: &Expected) -> Vec<Finding> {
    let mut found = Vec::new();
    let stays = |instance: &&Instance| instance.gone_at.is_none() && instance.own_cluster;
    let instances = book.instances.values().filter(stays);
    for instance in instances.filter(|instance| !is_held(book, &instance.pool_uid)) {
        found.extend(instance_at_rest(book, instance));
    }
    let uid = |pool: &SpotPool| pool.metadata.uid.clone().unwrap_or_default();
    for pool in
        expected.pools.iter().filter(|pool| !is_held(book, &uid(pool)) && !waits_for_a_former(book, pool))
    {
        found.extend(pool_at_rest(book, pool));
    }
    let ours = |machine: &super::book::Machine| {
        machine.by_call && machine.exists() && !book.doubled.contains(&machine.name)
    };
    for (id, machine) in book.machines.iter().filter(|(_, machine)| ours(machine)) {
        let known = |owner: &Instance| owner.gone_at.is_none() || book.is_kept(owner);
        let owner = book.instance_of(&machine.name).filter(|(_, owner)| known(owner));
        if owner.is_none() {
            let text = format!("{id} ({:?}) lives at rest and no SpotInstance knows it", machine.name);
            found.push(Finding::new(Invariant::NothingLost, "", text));
        }
    }
    if let Some(text) = &expected.written_lately {
        found.push(Finding::new(Invariant::QuietAtRest, "", text.clone()));
    }
    found
}

/// While its key was another account's, a pool launched there; with its own key back it sees none of that and
/// holds until a person explains it, as it should. Of one that was asked for there it cannot know that it is not there, nor
/// of what somebody wrote into the status of such a one.
fn is_held(book: &Book, pool_uid: &str) -> bool {
    let of_pool = |instance: &&Instance| instance.pool_uid == pool_uid && instance.gone_at.is_none();
    let elsewhere =
        |name: &str| book.machines.values().any(|machine| machine.name == name && machine.account != ACCOUNT);
    let claimed = |instance: &Instance| {
        instance.asked_elsewhere && (instance.machine.is_some() || !instance.tokens.is_empty())
    };
    book.instances
        .values()
        .filter(of_pool)
        .any(|instance| elsewhere(&instance.machine_name) || claimed(instance))
}

/// A leaving pool goes after every SpotInstance that bears its label, those of a former pool of its name included.
fn waits_for_a_former(book: &Book, pool: &SpotPool) -> bool {
    let of_name = |instance: &&Instance| pool_key(pool).is_some_and(|key| instance.pool == key);
    let leaving = pool.metadata.deletion_timestamp.is_some();
    leaving && book.instances.values().filter(of_name).any(|instance| is_held(book, &instance.pool_uid))
}

fn instance_at_rest(book: &Book, instance: &Instance) -> Vec<Finding> {
    let name = &instance.name;
    let find = |invariant, text| vec![Finding::new(invariant, &instance.pool.name, text)];
    let living: Vec<&str> = book
        .machines
        .iter()
        .filter(|(id, machine)| machine.lives() && book.is_of(id, machine, instance))
        .map(|(id, _)| id.as_str())
        .collect();
    if living.len() > 1 {
        return find(Invariant::NeverTwice, format!("{name} has {} at rest", living.join(" and ")));
    }
    if instance.leaving_at.is_some() {
        return find(
            Invariant::WholeAtRest,
            format!("{name} is still leaving at rest (machines: {living:?})"),
        );
    }
    if book.pools.get(&instance.pool_uid).is_none_or(|pool| pool.lost_at().is_some()) {
        return find(Invariant::NothingLeftBehind, format!("{name} is there at rest and its pool is gone"));
    }
    match (&instance.machine, living.first()) {
        (Some(machine), Some(lives)) if machine == lives => Vec::new(),
        (machine, lives) => find(
            Invariant::WholeAtRest,
            format!("{name} records {machine:?} at rest and its machine is {lives:?}"),
        ),
    }
}

fn pool_at_rest(book: &Book, pool: &SpotPool) -> Vec<Finding> {
    let uid = pool.metadata.uid.clone().unwrap_or_default();
    let name = pool.metadata.name.clone().unwrap_or_default();
    let find = |invariant, text| vec![Finding::new(invariant, &name, text)];
    if pool.metadata.deletion_timestamp.is_some() {
        return find(Invariant::WholeAtRest, format!("pool {name} is still leaving at rest"));
    }
    let count = |size: i32| usize::try_from(size).unwrap_or(0);
    let (least, most) = bounds(&pool.spec);
    let (minimum, maximum) = (count(least), count(most));
    let manned = book.manned(&uid, "").len();
    if !(minimum..=maximum).contains(&manned) {
        let text = format!("pool {name} has {manned} machines at rest; minimum {minimum}, maximum {maximum}");
        return find(Invariant::WholeAtRest, text);
    }
    let status = pool.status.clone().unwrap_or_default();
    let told = (count(status.size), count(status.ready_size));
    if told != (manned, manned) {
        let text = format!("pool {name} has {manned} machines at rest and says {} of {}", told.1, told.0);
        return find(Invariant::WholeAtRest, text);
    }
    Vec::new()
}

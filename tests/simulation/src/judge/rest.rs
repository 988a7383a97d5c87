//! What must be so after a long calm.

use spotpool_operator::crd::SpotPool;

use super::book::{Book, Instance};
use super::{Finding, Invariant};

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
    for (uid, instance) in
        book.instances.iter().filter(|(_, instance)| instance.gone_at.is_none() && instance.own_cluster)
    {
        found.extend(instance_at_rest(book, uid, instance));
    }
    for pool in &expected.pools {
        found.extend(pool_at_rest(book, pool));
    }
    for (id, machine) in book.machines.iter().filter(|(_, machine)| machine.by_call && machine.exists()) {
        let owner = book.instance_of(&machine.name).filter(|(_, owner)| owner.gone_at.is_none());
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

fn instance_at_rest(book: &Book, _uid: &str, instance: &Instance) -> Vec<Finding> {
    let name = &instance.name;
    let find = |invariant, text| vec![Finding::new(invariant, &instance.pool.name, text)];
    let living: Vec<&str> = book
        .machines
        .iter()
        .filter(|(_, machine)| machine.name == instance.machine_name && machine.lives())
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
    let (minimum, maximum) = (count(pool.spec.minimum), count(pool.spec.maximum));
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

//! Which reads a pass needs beyond the objects and the latest sweep. Pure.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use tencent_cvm::InstanceId;

use super::Rules;
use super::attempts::{NextAttempt, all_answered, last_sent, next_attempt};
use super::leave::{last_look_after, needs_fresh_read};
use super::room::may_come;
use super::seen::{AccountSeen, Observed, Told};
use crate::crd::{SpotInstance, SpotInstanceStatus};
use crate::identity::instance_name;
use crate::span::later;

/// While an answer is missing, its machine is looked for by name this often: tags may be late.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The reads that the plan would have something to do with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Machines to look for by name: uid of the SpotInstance and the name.
    pub by_name: Vec<(String, String)>,
    /// Machines to read by id right now, since they are to be terminated.
    pub fresh: Vec<InstanceId>,
}

/// What to read before planning.
pub fn wanted(seen: &Observed, rules: &Rules) -> Reads {
    let mut reads = Reads::default();
    let pool_goes = seen.pool.valid().is_none_or(|pool| pool.leaving);
    for instance in seen.instances.iter().filter(|instance| instance.spec.cluster_id == rules.cluster_id) {
        let Some(account) = seen.account_of(instance, rules) else { continue };
        let uid = instance.uid().unwrap_or_default();
        if !seen.in_flight.contains(&uid) && look_is_due(instance, account, rules) {
            reads.by_name.push((uid, instance_name(instance)));
        }
        if !rules.guards.fresh_read {
            continue;
        }
        let leaving = pool_goes || instance.metadata.deletion_timestamp.is_some();
        let status = instance.status.as_ref();
        let own = status.and_then(|status| status.instance_id.as_deref()).filter(|_| leaving);
        let extra =
            status.into_iter().flat_map(|status| status.extra.iter().map(|extra| extra.instance_id.as_str()));
        for id in own.into_iter().chain(extra).map(InstanceId::from) {
            if !seen.told.get(&id).is_some_and(Told::rests) && needs_fresh_read(&id, account) {
                reads.fresh.push(id);
            }
        }
    }
    reads
}

fn look_is_due(instance: &SpotInstance, account: &AccountSeen, rules: &Rules) -> bool {
    let (Some(status), Some(now)) = (&instance.status, account.now) else { return false };
    let looked = account.by_name.get(&instance.uid().unwrap_or_default()).map(|look| look.begun);
    if instance.metadata.deletion_timestamp.is_some() {
        return leaving_looks(instance, status, looked, account, rules).is_some_and(|after| now >= after);
    }
    let Some(sent) = last_sent(status) else { return false };
    match next_attempt(status, looked, |_| true, rules) {
        NextAttempt::LookAfter(after) => {
            now >= after || looked.is_none_or(|begun| now >= later(begun.max(sent), LOOK_AGAIN))
        }
        // An answer came, or a look found it: nothing to look for.
        _ => false,
    }
}

/// A leaving SpotInstance with an unanswered attempt is looked for twice: once so that its place may be
/// taken, and once so that it may be forgotten.
fn leaving_looks(
    instance: &SpotInstance,
    status: &SpotInstanceStatus,
    looked: Option<Timestamp>,
    account: &AccountSeen,
    rules: &Rules,
) -> Option<Timestamp> {
    if status.instance_id.is_none() && may_come(instance, status, account, rules) {
        return Some(later(last_sent(status)?, rules.windows.resend_after));
    }
    last_look_after(instance, account, rules).filter(|after| looked.is_none_or(|begun| begun < *after))
}

/// When the next look by name is due for a SpotInstance that waits for one.
pub fn next_look(instance: &SpotInstance, account: &AccountSeen, rules: &Rules) -> Option<Timestamp> {
    let status = instance.status.as_ref()?;
    let looked = account.by_name.get(&instance.uid()?).map(|look| look.begun);
    if instance.metadata.deletion_timestamp.is_some() {
        return leaving_looks(instance, status, looked, account, rules);
    }
    match next_attempt(status, looked, |_| true, rules) {
        NextAttempt::LookAfter(after) if !all_answered(status) => {
            Some(looked.map_or(after, |begun| after.min(later(begun, LOOK_AGAIN))))
        }
        _ => None,
    }
}

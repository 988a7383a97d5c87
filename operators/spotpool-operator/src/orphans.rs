//! Machines with this cluster's tags whose pool is gone: never touched, but said aloud, since they are
//! billed. Comes in: the looks through whole accounts. Goes out: a metric, and an Event per machine, from time to time as
//! long as it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tencent_cvm::{Instance, InstanceId};
use tokio::time::Instant;

use crate::core::Core;
use crate::identity::{CLUSTER_TAG, LABEL_TAG, POOL_TAG};
use crate::owners::{Owner, Owners};
use crate::ports::{Event, Regarding};
use crate::sweep::WideLook;

const CHECK_EVERY: Duration = Duration::from_secs(60);

/// Watches for ever.
pub(crate) async fn watch(core: Arc<Core>) {
    let mut suspects: BTreeMap<InstanceId, Instant> = BTreeMap::new();
    loop {
        tokio::time::sleep(CHECK_EVERY).await;
        let pools = core.sweeps.pool_uids();
        let mut owners = Owners::new(core.ports.store.as_ref());
        let mut now: BTreeMap<InstanceId, Instant> = BTreeMap::new();
        let mut certain: BTreeMap<InstanceId, String> = BTreeMap::new();
        for look in core.sweeps.wide_looks() {
            for machine in suspicious(&look, &core.settings.cluster_id, &pools) {
                if owners.of(machine).await != Owner::Gone {
                    continue;
                }
                // One look may be older than its pool; two in a row are not.
                let first = suspects.get(&machine.id).copied().unwrap_or(look.begun_at);
                if first < look.begun_at {
                    // Two keys of one account show it twice.
                    let label = machine.tag(LABEL_TAG).unwrap_or("unknown");
                    certain.insert(machine.id.clone(), label.to_owned());
                }
                now.insert(machine.id.clone(), first);
            }
        }
        suspects = now;
        core.metrics.orphans(certain.len());
        for (id, label) in certain {
            tell(&core, &id, &label);
        }
    }
}

/// Machines of this cluster that are of no pool which is looked after.
fn suspicious<'a>(
    look: &'a WideLook,
    cluster_id: &'a str,
    pools: &'a BTreeSet<String>,
) -> impl Iterator<Item = &'a Instance> {
    let ours = look.machines.iter().filter(move |machine| machine.tag(CLUSTER_TAG) == Some(cluster_id));
    ours.filter(|machine| machine.tag(POOL_TAG).is_none_or(|uid| !pools.contains(uid)))
}

fn tell(core: &Core, id: &InstanceId, label: &str) {
    let regarding = Regarding {
        api_version: "coordination.k8s.io/v1".to_owned(),
        kind: "Lease".to_owned(),
        namespace: core.settings.operator_namespace.clone(),
        name: "spotpool-operator".to_owned(),
        // The store knows it.
        uid: None,
    };
    let note = format!(
        "machine {id} was made for {label}, whose pool is gone; it is left alone and is billed: terminate it by hand if nobody needs it"
    );
    core.remind(Event::warning(regarding, "UnclaimedMachines", "Look", note));
}

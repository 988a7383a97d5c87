//! Machines that somebody wants a pool to take over: which of them may be, and why others may not. Pure.
//!
//! Only a machine that carries this cluster's tag and that nobody else answers for is taken over, and only while
//! there is room under the maximum. It is written into the pool's status together with the number of its
//! SpotInstance, in one compare-and-swap, so that two leaders never make two SpotInstances for it.

use tencent_cvm::{Instance, InstanceId, InstanceState};

use super::seen::{AccountSeen, Observed, Sight};
use super::{Member, Rules};
use crate::crd::{AdoptedMachine, Adoption, SpotPool};
use crate::identity::{CLUSTER_TAG, Claim, INSTANCE_TAG, POOL_TAG, claim, spot_instance_name};
use crate::valid::ValidPool;

/// What is to be done about machines that somebody wants to be taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoptions {
    /// To be written down, each with a new number.
    pub take: Vec<AdoptedMachine>,
    /// Written down: their SpotInstances are to be made.
    pub make: Vec<Adoption>,
    /// Not taken over, and why.
    pub refused: Vec<(String, String)>,
}

/// What is written down and not made yet.
pub(super) fn adopting(pool: &SpotPool) -> &[Adoption] {
    pool.status.as_ref().map_or(&[], |status| &status.adopting)
}

/// Whether its SpotInstance is there. A restored copy of another name may bear the same number.
pub(crate) fn is_made(adoption: &Adoption, pool_name: &str, seen: &Observed) -> bool {
    let name = spot_instance_name(pool_name, adoption.n);
    seen.instances.iter().any(|instance| instance.metadata.name.as_ref() == Some(&name))
}

/// Decides; at most `room` machines are taken over at once.
pub(super) fn adopt(
    object: &SpotPool,
    pool: &ValidPool,
    members: &[Member],
    account: &AccountSeen,
    seen: &Observed,
    rules: &Rules,
    room: usize,
) -> Adoptions {
    let written = adopting(object);
    let pool_name = &pool.key.name;
    let mut adoptions = Adoptions {
        make: written.iter().filter(|adoption| !is_made(adoption, pool_name, seen)).cloned().collect(),
        ..Adoptions::default()
    };
    let known = |id: &InstanceId| {
        members.iter().any(|member| member.status.instance_id.as_deref() == Some(id.as_str()))
            || written.iter().any(|adoption| adoption.machine.instance_id == id.as_str())
    };
    for id in pool.adopt.iter().map(|id| InstanceId::from(id.as_str())).filter(|id| !known(id)) {
        let verdict = judge(&id, pool, members, account, rules).and_then(|machine| {
            let there_is_room = adoptions.take.len() < room;
            there_is_room.then_some(machine).ok_or_else(|| {
                format!("the pool holds as many as it may: raise spec.maximum (now {})", pool.most)
            })
        });
        match verdict {
            Ok(machine) => adoptions.take.push(as_it_is(machine)),
            Err(why) => adoptions.refused.push((id.to_string(), why)),
        }
    }
    adoptions
}

fn judge<'a>(
    id: &InstanceId,
    pool: &ValidPool,
    members: &[Member],
    account: &'a AccountSeen,
    rules: &Rules,
) -> Result<&'a Instance, String> {
    let Sight::Present(machine) = account.machine(id) else {
        return Err(format!(
            "no machine of this id is seen in {} with the tag {CLUSTER_TAG}={}",
            pool.region, rules.cluster_id
        ));
    };
    if machine.tag(CLUSTER_TAG) != Some(rules.cluster_id.as_str()) {
        return Err(format!("it does not carry the tag {CLUSTER_TAG}={}", rules.cluster_id));
    }
    if rules.guards.adopt_unclaimed {
        let of_pool = machine.tag(POOL_TAG).filter(|uid| *uid != pool.uid);
        if of_pool.is_some_and(|uid| account.pools.contains(uid)) {
            return Err("its tags name another pool, which is there, has left its SpotInstance behind, or cannot be read".to_owned());
        }
        let claimed = |member: &&Member| claim(&member.instance, machine) != Claim::Foreign;
        if let Some(member) = members.iter().find(claimed) {
            return Err(format!("it bears the name or the tags of SpotInstance {}", member.name()));
        }
    }
    match &machine.state {
        Some(InstanceState::Running | InstanceState::Starting | InstanceState::Rebooting) => Ok(machine),
        state => {
            let state = state.as_ref().map_or("of unknown state", InstanceState::as_str);
            Err(format!("it is {state}: only one that runs is taken over"))
        }
    }
}

fn as_it_is(machine: &Instance) -> AdoptedMachine {
    AdoptedMachine {
        instance_id: machine.id.to_string(),
        instance_name: machine.name.clone(),
        pool_tag: machine.tag(POOL_TAG).map(str::to_owned),
        instance_tag: machine.tag(INSTANCE_TAG).map(str::to_owned),
    }
}

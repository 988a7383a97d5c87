//! What people hear about single machines: Events on the pool and on SpotInstances. Comes in: what was
//! planned and done. Goes out: sentences. It changes nothing and decides nothing.

use kube::ResourceExt;
use kube::api::ObjectMeta;
use tencent_cvm::{Instance, InstanceId, InstanceState};

use crate::core::Core;
use crate::crd::{
    ADOPT_ANNOTATION, GROUP, KEEP_MACHINES_ANNOTATION, Phase, SpotInstance, SpotInstanceStatus, SpotPool,
};
use crate::identity::{Claim, claim, instance_name};
use crate::observe::Pass;
use crate::plan::machine::{IN_ARREARS, NO_ADDRESS, NOT_RUNNING};
use crate::plan::seen::Sight;
use crate::plan::{AccountSeen, InstancePlan, Plan, PoolSeen};
use crate::ports::{Event, PoolKey, Regarding, StoreError};

/// Why a SpotInstance is let go. Of a pool that goes itself, nothing is replaced.
pub(crate) fn farewell_note(why: &str, instance: &SpotInstance, pool_goes: bool) -> String {
    let id = instance.status.as_ref().and_then(|status| status.instance_id.as_deref());
    let Some(id) = id else {
        return match why {
            "Outdated" => "it has no machine yet and the spec has changed: another one is asked for",
            "Surplus" => "more than wanted; it has no machine yet",
            "PoolDeleted" | "LetGo" => "the pool is deleted, and it has no machine yet",
            "PoolGone" => "its pool is gone, and it has no machine on record",
            _ => "it goes, and has no machine on record",
        }
        .to_owned();
    };
    let (replaced, again) = if pool_goes { ("", "") } else { ("; it is replaced", "; another is asked for") };
    match why {
        "Vanished" => format!("machine {id} is not there any more{replaced}"),
        "Reclaimed" => format!("machine {id} is being taken back by the cloud{replaced}"),
        "Stopped" => {
            format!("machine {id} was stopped and is terminated, since it is still billed{replaced}")
        }
        "LaunchFailed" => format!("machine {id} was accepted and then could not be made{again}"),
        "NotOurs" => {
            format!("the recorded machine {id} is not the one made for it, and is left alone{replaced}")
        }
        "Unhealthy" => format!(
            "machine {id} does not answer its health check any more while others do, and goes{replaced}"
        ),
        "NeverServed" => format!(
            "machine {id} did not answer its health check within spec.health.startupTimeout while others do, and \
             goes{replaced}"
        ),
        "Surplus" => format!("more than wanted; machine {id} goes"),
        "PoolDeleted" => format!("the pool is deleted; machine {id} goes"),
        "LetGo" => format!("the pool is deleted and lets go of machine {id}"),
        "PoolGone" => {
            format!("its pool is gone; machine {id} goes as soon as a pool of that name brings its key")
        }
        _ => format!("machine {id} goes"),
    }
}

/// A SpotInstance has gone: after its machine, or without one that somebody had pointed its status at.
pub(crate) fn gone(core: &Core, account: Option<&AccountSeen>, instance: &SpotInstance) {
    let Some(id) = instance.status.as_ref().and_then(|status| status.instance_id.as_deref()) else { return };
    let another = account.is_some_and(|account| match account.machine(&id.into()) {
        Sight::Present(machine) => claim(instance, machine) == Claim::Foreign,
        Sight::Absent(_) | Sight::Unknown => false,
    });
    let what = if another { "is another's and left alone" } else { "is gone" };
    let note = format!("{}: machine {id} {what}", instance.name_any());
    core.tell(Event::normal(Regarding::pool_of(instance), "Gone", "Release", note));
}

/// A SpotInstance has gone and its machine has not.
pub(crate) fn lives_on(core: &Core, account: Option<&AccountSeen>, instance: &SpotInstance) {
    let status = instance.status.as_ref();
    let id = status.and_then(|status| status.instance_id.as_deref()).map(InstanceId::from);
    // One that was on its way out before the pool was deleted.
    let ended = id.as_ref().zip(account).is_some_and(|(id, account)| match account.machine(id) {
        Sight::Present(machine) => {
            matches!(machine.state, Some(InstanceState::Shutdown | InstanceState::Terminating))
        }
        Sight::Absent(_) => true,
        Sight::Unknown => false,
    });
    if ended {
        return gone(core, account, instance);
    }
    let machine = match id {
        Some(id) => format!("machine {id} lives on and is billed"),
        None => "a machine that its last request may yet make lives on".to_owned(),
    };
    let note = format!(
        "{}: {machine}, as the annotation {KEEP_MACHINES_ANNOTATION} asks; nobody looks after it now",
        instance.name_any()
    );
    core.tell(Event::normal(Regarding::pool_of(instance), "LetLive", "Release", note));
}

/// A machine that was there before has a SpotInstance now.
pub(crate) fn taken_over(core: &Core, instance: &SpotInstance) {
    let Some(adopted) = &instance.spec.adopted else { return };
    let note = format!(
        "{}: machine {} was taken over, as the annotation {ADOPT_ANNOTATION} asks",
        instance.name_any(),
        adopted.instance_id
    );
    core.tell(Event::normal(Regarding::pool_of(instance), "TakenOver", "Adopt", note));
}

/// What a new status says that the old one did not.
pub(crate) fn change(core: &Core, entry: &InstancePlan) {
    let Some(status) = &entry.status else { return };
    let was = entry.instance.status.clone().unwrap_or_default();
    let name = entry.instance.name_any();
    if was.instance_id.is_none()
        && entry.instance.spec.adopted.is_none()
        && let Some(id) = &status.instance_id
    {
        core.tell(Event::normal(Regarding::pool_of(&entry.instance), "Adopted", "Look", format!("{name}: machine {id} was found by its name and taken over; the answer to its launch had been lost")));
    }
    for extra in status
        .extra
        .iter()
        .filter(|extra| !was.extra.iter().any(|known| known.instance_id == extra.instance_id))
    {
        core.tell(Event::warning(
            Regarding::pool_of(&entry.instance),
            "ExtraMachine",
            "Look",
            format!("{name}: machine {} has the same name as its own; it is terminated", extra.instance_id),
        ));
    }
    if was.phase != status.phase {
        let address = status.address.as_deref().unwrap_or("no address");
        match status.phase {
            Phase::Ready => {
                core.tell(Event::normal(
                    Regarding::pool_of(&entry.instance),
                    "Ready",
                    "Probe",
                    format!("{name}: the model server at {address} answers"),
                ));
            }
            Phase::NotReady => {
                let note = format!("{name}: {}", does_not_serve(status));
                core.tell(Event::warning(Regarding::pool_of(&entry.instance), "NotReady", "Probe", note));
            }
            Phase::Launching | Phase::Booting | Phase::Draining | Phase::Terminating => {}
        }
    }
}

/// Why a machine that served does not any more.
fn does_not_serve(status: &SpotInstanceStatus) -> String {
    let id = status.instance_id.as_deref().unwrap_or("unknown");
    match status.reason.as_deref() {
        Some(NOT_RUNNING) => {
            let state = status.cloud_state.as_deref().unwrap_or("not running");
            format!("the cloud shows machine {id} as {state}; it is asked again when it runs")
        }
        Some(IN_ARREARS) => format!(
            "machine {id} is kept from working because the account has not paid; it comes back when somebody pays"
        ),
        Some(NO_ADDRESS) => format!(
            "machine {id} has no address any more of the kind that spec.network.address names; give it one back, or \
             delete this SpotInstance"
        ),
        _ => {
            let address = status.address.as_deref().unwrap_or("no address");
            let why = status.last_probe.as_deref().unwrap_or("no answer");
            format!("the model server at {address} does not answer any more: {why}")
        }
    }
}

/// Machines were made, and meanwhile somebody took the SpotInstance away that they were made for, finalizer and all.
pub(crate) fn made_for_nobody(core: &Core, instance: &SpotInstance, machines: &[InstanceId]) {
    if machines.is_empty() {
        return;
    }
    let ids: Vec<&str> = machines.iter().map(InstanceId::as_str).collect();
    let note = format!(
        "{}: machines {} were made for it, and it is gone; they are billed: terminate them, or let the pool take them over \
         (annotation {ADOPT_ANNOTATION})",
        instance.name_any(),
        ids.join(", ")
    );
    core.tell(Event::warning(Regarding::pool_of(instance), "MadeForNobody", "Launch", note));
}

/// The pool, one of its SpotInstances or its Secret cannot be read, and nobody but a person can change that.
pub(crate) async fn unreadable(core: &Core, key: &PoolKey, error: &StoreError) {
    if !matches!(error, StoreError::Broken { .. } | StoreError::Refused(_)) {
        return;
    }
    // Read once more for its uid, by which `kubectl describe` finds what is told about it.
    let regarding = match (core.ports.store.pool(key).await, error) {
        (Ok(Some(pool)), _) => Regarding::pool(&pool),
        // The pool itself, or what it has left behind.
        (Err(StoreError::Broken { object, .. }), _) => *object,
        (_, StoreError::Broken { object, .. }) => (**object).clone(),
        _ => {
            let (name, namespace) = (Some(key.name.clone()), Some(key.namespace.clone()));
            Regarding::object::<SpotPool>(&ObjectMeta { name, namespace, ..ObjectMeta::default() })
        }
    };
    let note =
        format!("{error}; until it can be read, nothing is launched, replaced or terminated for this pool");
    core.remind(Event::warning(regarding, "Unreadable", "Observe", note));
}

/// What people should hear as long as it is so: objects that are ignored, machines that nobody claims or may touch.
pub(crate) fn findings(core: &Core, pass: &Pass, plan: &Plan) {
    for name in &plan.hand_made {
        let note = format!("SpotInstance {name} was not made by the operator and is ignored; delete it");
        tell_object(core, pass, "SpotInstance", name, "HandMade", note);
    }
    let billed = |entry: &&InstancePlan| {
        entry.instance.status.as_ref().is_some_and(|status| status.instance_id.is_some())
    };
    if let (PoolSeen::Gone, Some(hold)) = (&pass.seen.pool, &plan.hold) {
        for entry in plan.instances.iter().filter(billed) {
            tell_object(
                core,
                pass,
                "SpotInstance",
                &entry.instance.name_any(),
                hold.reason,
                hold.message.clone(),
            );
        }
    }
    let Some(account) = pass.seen.cloud.account() else { return };
    for entry in plan.instances.iter().filter(|entry| entry.instance.metadata.deletion_timestamp.is_some()) {
        let id = entry.instance.status.as_ref().and_then(|status| status.instance_id.as_deref());
        let Some(id) = id.map(InstanceId::from) else { continue };
        if let Some(Some(machine)) = account.fresh.get(&id) {
            disputed(core, pass, plan, &entry.instance, machine);
        }
    }
}

fn disputed(core: &Core, pass: &Pass, plan: &Plan, instance: &SpotInstance, machine: &Instance) {
    let name = instance.name_any();
    let note = match claim(instance, machine) {
        Claim::Renamed => format!(
            "{name}: machine {} has been renamed; give it its name {} back, or terminate it by hand",
            machine.id,
            instance_name(instance)
        ),
        Claim::Foreign => format!(
            "{name}: the recorded machine {} is not the one made for it and is left alone",
            machine.id
        ),
        Claim::Untagged if plan.disputed.contains(&machine.id) => format!(
            "{name}: machine {} has lost its tags; give them back, or terminate it by hand",
            machine.id
        ),
        Claim::Ours | Claim::Untagged => return,
    };
    tell_object(core, pass, "SpotInstance", &name, "NotTerminated", note);
}

fn tell_object(core: &Core, pass: &Pass, kind: &str, name: &str, reason: &'static str, note: String) {
    let instance = pass.seen.instances.iter().find(|instance| instance.name_any() == name);
    let regarding = Regarding {
        api_version: format!("{GROUP}/v1"),
        kind: kind.to_owned(),
        namespace: instance.and_then(ResourceExt::namespace).unwrap_or_default(),
        name: name.to_owned(),
        uid: instance.and_then(ResourceExt::uid),
    };
    core.remind(Event::warning(regarding, reason, "Look", note));
}

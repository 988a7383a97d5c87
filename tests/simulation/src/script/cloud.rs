//! What the cloud does of itself, and what others do in the account.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::ResourceExt;
use sim::cvm::{Fault, Lie, ModelServer, Settings, Span, State, Stock, Stranger, ZoneInformation};
use spotpool_operator::identity::{CLUSTER_TAG, INSTANCE_TAG, POOL_TAG, instance_name, name_prefix};
use tokio::time::sleep;

use super::Scene;
use crate::kind::Kind;
use crate::nature::ACCOUNT;
use crate::site::Step;
use crate::weather::Mishap;

/// The zones that pools are in.
pub(super) const ZONES: [&str; 2] = ["ap-singapore-2", "ap-singapore-3"];

/// One machine or several are gone from one moment to the next.
pub(super) async fn vanish(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let machines = scene.world.machines_of(&pool);
    let all = scene.chance(0.25);
    for machine in machines.iter().take(if all { machines.len() } else { 1 }) {
        scene.count(Kind::Vanish, &pool.name_any(), || format!("machine {machine} vanishes"));
        // Listed a moment ago.
        let _ = scene.world.cloud.with(|cloud| cloud.vanish(machine));
        if scene.chance(0.5) {
            scene.wait(0, 5).await;
        }
    }
}

/// The cloud takes a machine back, with notice or without; or somebody stops it.
pub(super) async fn reclaim(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let Some(machine) = scene.machine(&pool) else { return };
    let about = pool.name_any();
    if scene.chance(0.25) {
        scene.count(Kind::Reclaim, &about, || format!("somebody stops machine {machine} at the console"));
        let _ = scene.world.cloud.with(|cloud| cloud.set_state(&machine, State::Stopped));
        return;
    }
    let notice = scene.secs(0, 120);
    scene.count(Kind::Reclaim, &about, || {
        format!("machine {machine} is taken back in {} s", notice.as_secs())
    });
    let _ = scene.world.cloud.with(|cloud| cloud.reclaim(&machine, Span::exactly(notice)));
}

/// No stock in a zone for a while, under one code or another; often enough it is advertised all the same.
pub(super) async fn sold_out(mut scene: Scene) {
    let zone = scene.pick(&ZONES);
    let code = scene.pick(&[
        "ResourceInsufficient.SpecifiedInstanceType",
        "ResourcesSoldOut.SpecifiedInstanceType",
        "LimitExceeded.SpotQuota",
        "ResourcesSoldOut.AvailableZone",
        "ResourceInsufficient.CloudDiskSoldOut",
        "FailedOperation.NoAvailableIpAddressCountInSubnet",
    ]);
    let lies = scene.chance(0.4);
    // A lie has to last, to be asked for again and again.
    let time = scene.secs(if lies { 150 } else { 10 }, 240);
    scene.count(Kind::SoldOut, "", || format!("{zone} is sold out for {} s ({code})", time.as_secs()));
    change(&scene, |settings| code.clone_into(&mut settings.sold_out_code));
    set_stock(&scene, zone, 0);
    if lies {
        scene.count(Kind::FalseAdvert, "", || "everything is advertised".to_owned());
        let lie = ZoneInformation { lie: Some(Lie::Sell), ..ZoneInformation::default() };
        change(&scene, |settings| settings.zone_information = lie);
    }
    if let Some(pool) = scene.pool() {
        scene.provoke(&pool);
    }
    sleep(time).await;
    scene.tell("", || format!("{zone} has stock again"));
    set_stock(&scene, zone, 200);
    if lies {
        let usual = scene.world.nature.settings.zone_information;
        change(&scene, |settings| settings.zone_information = usual);
    }
}

/// So many machines of the pools' type are to be had in a zone.
pub(super) fn set_stock(scene: &Scene, zone: &str, count: u32) {
    let stock = Stock { zone: zone.to_owned(), instance_type: "GN7.2XLARGE32".to_owned(), count };
    // The zone is there as long as the world is.
    let _ = scene.world.cloud.with(|cloud| cloud.set_stock(&stock));
}

/// New machines stay out of sight for as long as the documentation of the window allows.
pub(super) async fn listing_lag(mut scene: Scene) {
    let least = scene.pick(&[0, 20, 45, 58]);
    let lag = Span::between(Duration::from_secs(least), Duration::from_secs(60));
    scene.count(Kind::ListingLag, "", || format!("listings lag by {least} to 60 s"));
    change(&scene, |settings| settings.visibility_lag = lag);
    if let Some(pool) = scene.pool() {
        scene.provoke(&pool);
    }
    scene.wait(60, 400).await;
    let usual = scene.world.nature.settings.visibility_lag;
    change(&scene, |settings| settings.visibility_lag = usual);
}

/// Tags come much later than their machines.
pub(super) async fn tag_lag(mut scene: Scene) {
    let least = scene.pick(&[0, 30, 60, 120]);
    let lag = Span::between(Duration::from_secs(least), Duration::from_secs(200));
    scene.count(Kind::TagLag, "", || format!("tags lag by {least} to 200 s"));
    change(&scene, |settings| settings.tag_lag = lag);
    if let Some(pool) = scene.pool() {
        scene.provoke(&pool);
    }
    scene.wait(60, 400).await;
    let usual = scene.world.nature.settings.tag_lag;
    change(&scene, |settings| settings.tag_lag = usual);
}

fn change(scene: &Scene, change: impl FnOnce(&mut Settings)) {
    scene.world.cloud.with(|cloud| {
        let mut settings = cloud.settings().clone();
        change(&mut settings);
        cloud.set_settings(settings);
    });
}

/// A launch is accepted and comes to nothing.
pub(super) async fn failed_launch(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let times = scene.pick(&[1, 1, 2]);
    let lasts = Duration::from_secs(90);
    scene.rule(Kind::FailedLaunch, &[Step::Run], Mishap::Cloud(vec![Fault::LaunchFails]), 1.0, lasts, times);
    scene.provoke(&pool);
}

/// A stranger that looks like one of ours: our tags without our name, or our name without our tags, or a
/// machine of a SpotInstance that is no more.
pub(super) async fn look_alike(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let cluster = scene.world.home().around.cluster_uid.clone();
    let uid = pool.uid().unwrap_or_default();
    let instance = scene.instance(&pool);
    let name = instance.as_ref().map(instance_name).unwrap_or_default();
    let instance_uid = instance.as_ref().and_then(ResourceExt::uid).unwrap_or_default();
    let prefix = name_prefix(&cluster, &uid);
    let ours = [(CLUSTER_TAG, cluster.as_str()), (POOL_TAG, uid.as_str())];
    let (name, tags): (String, Vec<(&str, &str)>) = match scene.pick(&[0, 1, 2, 3, 4]) {
        0 => (format!("{prefix}9-abcdef"), ours.to_vec()),
        1 => ("database-do-not-touch".to_owned(), ours.to_vec()),
        2 => (
            name,
            vec![(CLUSTER_TAG, "some-other-cluster"), (POOL_TAG, uid.as_str()), (INSTANCE_TAG, "another")],
        ),
        3 => (format!("{name}0"), [&ours[..], &[(INSTANCE_TAG, instance_uid.as_str())]].concat()),
        _ => ("another-tool".to_owned(), vec![(CLUSTER_TAG, cluster.as_str())]),
    };
    let tags: BTreeMap<String, String> =
        tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let stranger = Stranger { name: name.clone(), tags, ..Stranger::default() };
    let placed = scene.world.cloud.with(|cloud| cloud.add_stranger(&stranger));
    if let Ok(id) = placed {
        scene.count(Kind::LookAlike, &pool.name_any(), || {
            format!("a stranger {id} appears under the name {name:?}")
        });
        // Its owner takes it away again, unless somebody has been faster.
        scene.wait(100, 500).await;
        let _ = scene.world.cloud.with(|cloud| cloud.vanish(&id));
    }
}

/// Somebody copies a machine at the console, name and tags and all.
pub(super) async fn exact_copy(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let Some(machine) = scene.machine(&pool) else { return };
    let about = pool.name_any();
    if let Ok(copy) = scene.world.cloud.with(|cloud| cloud.copy(&machine)) {
        scene.count(Kind::ExactCopy, &about, || format!("somebody copies machine {machine} to {copy}"));
    }
    if scene.chance(0.3) {
        scene.wait(0, 90).await;
        scene.tell(&about, || format!("the original {machine} vanishes"));
        // It may be gone by now.
        let _ = scene.world.cloud.with(|cloud| cloud.vanish(&machine));
    }
}

/// A model server stops answering and comes back; now and then the pool is made smaller meanwhile.
pub(super) async fn sick_server(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let Some(machine) = scene.machine(&pool) else { return };
    let sickness = scene.pick(&[ModelServer::Hang, ModelServer::Fail, ModelServer::Die]);
    scene
        .count(Kind::SickServer, &pool.name_any(), || format!("the model server of {machine}: {sickness:?}"));
    let _ = scene.world.cloud.with(|cloud| cloud.set_model_server(&machine, sickness));
    if scene.chance(0.4) {
        scene.wait(30, 90).await;
        let least = pool.spec.minimum.min(1);
        scene.count(Kind::Edit, &pool.name_any(), || format!("{} is made smaller", pool.name_any()));
        // It may have been deleted meanwhile.
        let _ = scene.world.home().around.store.edit_pool(&Scene::key(&pool), |spec| {
            (spec.minimum, spec.maximum, spec.replicas) = (least, 1, None);
        });
    }
    scene.wait(10, 200).await;
    let _ = scene.world.cloud.with(|cloud| cloud.set_model_server(&machine, ModelServer::Ok));
}

/// Somebody reboots a machine, or is at work on it, for a while that may be longer than it has to boot.
pub(super) async fn not_running(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let Some(machine) = scene.machine(&pool) else { return };
    let state = scene.pick(&[State::Rebooting, State::Rebooting, State::RescueMode]);
    let becomes = |scene: &Scene, from: State, to: State| {
        scene.world.cloud.with(|cloud| match cloud.machine(&machine).map(|machine| machine.state) {
            Some(now) if now == from => cloud.set_state(&machine, to).is_ok(),
            _ => false,
        })
    };
    if !becomes(&scene, State::Running, state) {
        return;
    }
    scene.count(Kind::NotRunning, &pool.name_any(), || format!("machine {machine} is {}", state.as_str()));
    if scene.chance(0.4)
        && let Some(instance) = scene.instance(&pool)
    {
        scene.wait(0, 20).await;
        super::people::delete(&scene, &instance);
    }
    let lasts = if scene.chance(0.2) { (900, 1200) } else { (10, 120) };
    scene.wait(lasts.0, lasts.1).await;
    // Unless it is on its way out.
    becomes(&scene, state, State::Running);
}

/// Machines of a pool come up for a while and never serve, beside one or two that do.
pub(super) async fn broken_image(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let (key, about) = (Scene::key(&pool), pool.name_any());
    let store = scene.world.home().around.store.clone();
    let well = scene.world.machines_of(&pool);
    if well.is_empty() {
        return;
    }
    scene.count(Kind::BrokenImage, &about, || {
        format!("machines of {key} come up and never serve from now on")
    });
    let edited = store.edit_pool(&key, |spec| {
        spec.minimum = 2.max(spec.minimum);
        spec.maximum = 3.max(spec.maximum);
        "20s".clone_into(&mut spec.health.startup_timeout);
    });
    let until = tokio::time::Instant::now() + scene.secs(120, 900);
    while edited.is_ok() && tokio::time::Instant::now() < until {
        for machine in scene.world.machines_of(&pool).iter().filter(|id| !well.contains(id)) {
            // It may be gone by now.
            let _ = scene.world.cloud.with(|cloud| cloud.set_model_server(machine, ModelServer::Die));
        }
        sleep(Duration::from_secs(1)).await;
    }
    scene.tell(&about, || format!("the image of {key} is right again"));
    let _ = store.edit_pool(&key, |spec| "60s".clone_into(&mut spec.health.startup_timeout));
    for machine in scene.world.machines_of(&pool) {
        let _ = scene.world.cloud.with(|cloud| cloud.set_model_server(&machine, ModelServer::Ok));
    }
}

/// A quota is used up for a while: of the account, or of spot machines in one zone or in both.
pub(super) async fn quota(mut scene: Scene) {
    let (first, second) = ZONES.split_at(1);
    let (zones, left): (&[&str], u32) =
        scene.pick(&[(&ZONES, 0), (first, 0), (second, 0), (&ZONES, 20), (&[], 0), (&[], 3)]);
    scene.count(Kind::Quota, "", || match zones {
        [] => format!("the account may have {left} machines"),
        _ => format!("the account may have {left} vCPU of spot machines in {}", zones.join(" and ")),
    });
    set_quotas(&scene, zones, left, if zones.is_empty() { left } else { INSTANCES });
    if let Some(pool) = scene.pool() {
        scene.provoke(&pool);
    }
    scene.wait(20, 300).await;
    scene.tell("", || "the account's quotas are what they were".to_owned());
    set_quotas(&scene, &ZONES, SPOT_VCPU, INSTANCES);
}

/// How many machines an account may have, and how many vCPU of spot machines in a zone, as long as nobody changes it.
const INSTANCES: u32 = 500;
const SPOT_VCPU: u32 = 1600;

fn set_quotas(scene: &Scene, zones: &[&str], vcpu: u32, instances: u32) {
    scene.world.cloud.with(|cloud| {
        // Zones and account are there as long as the world is.
        for zone in zones {
            let _ = cloud.set_spot_quota(zone, vcpu);
        }
        let _ = cloud.set_instance_quota(ACCOUNT, instances);
    });
}

/// The account does not pay for a while: its machines stand still, and come back when it does.
pub(super) async fn arrears(mut scene: Scene) {
    scene.count(Kind::Arrears, "", || "the account has not paid".to_owned());
    in_arrears(&scene, true);
    scene.wait(20, 300).await;
    in_arrears(&scene, false);
    scene.tell("", || "the account has paid".to_owned());
}

fn in_arrears(scene: &Scene, unpaid: bool) {
    scene.world.cloud.with(|cloud| {
        // The account is there as long as the world is.
        let _ = cloud.set_arrears(ACCOUNT, unpaid).and_then(|()| cloud.isolate_for_arrears(ACCOUNT, unpaid));
    });
}

//! What happens to the operators themselves: crashes, stalls, two that both believe to lead, clocks.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use rand::RngExt;
use spotpool_operator::crd::SpotPool;
use tokio::sync::OwnedMutexGuard;
use tokio::time::sleep;

use super::people::{edit_pool, recreate, remove_secret};
use super::{Scene, network};
use crate::gate::{Bait, Deed, Edge, Trap};
use crate::kind::Kind;
use crate::nature::NAMESPACE;
use crate::process::{Process, sprung};
use crate::site::Step;
use crate::store::ObjectKey;
use crate::weather::Mishap;

/// The steps of one launch, on the way out and back: between any two of them a process may stop.
const LAUNCH: &[(Step, Edge)] = &[
    (Step::ReadPool, Edge::After),
    (Step::List, Edge::After),
    (Step::Raise, Edge::Before),
    (Step::Raise, Edge::After),
    (Step::Raise, Edge::After),
    (Step::Create, Edge::Before),
    (Step::Create, Edge::After),
    (Step::Create, Edge::After),
    (Step::Attempt, Edge::Before),
    (Step::Attempt, Edge::Before),
    (Step::Attempt, Edge::After),
    (Step::Attempt, Edge::After),
    (Step::Attempt, Edge::After),
    (Step::Run, Edge::Before),
    (Step::Run, Edge::After),
    (Step::Outcome, Edge::Before),
    (Step::Record, Edge::Before),
    (Step::Record, Edge::After),
];
/// The steps of a farewell.
const FAREWELL: &[(Step, Edge)] = &[
    (Step::Delete, Edge::Before),
    (Step::Delete, Edge::After),
    (Step::LookById, Edge::After),
    (Step::Terminate, Edge::Before),
    (Step::Terminate, Edge::After),
    (Step::LookByName, Edge::After),
    (Step::Release, Edge::Before),
    (Step::Sweep, Edge::After),
];

async fn helm(scene: &Scene) -> Option<OwnedMutexGuard<()>> {
    let helm = Arc::clone(&scene.world.helm);
    if scene.insists { Some(helm.lock_owned().await) } else { helm.try_lock_owned().ok() }
}

/// A seed in which nothing happens any more by then is told as one that lacks a crash.
const TOO_LATE: Duration = Duration::from_secs(3 * 3600);

/// The process ends between two effects; another takes over some seconds later.
pub(super) async fn crash(mut scene: Scene) {
    let Some(_helm) = helm(&scene).await else { return };
    // One that every seed has is tried until it happens.
    while !crash_once(&mut scene).await && scene.insists && scene.world.truth.elapsed() < TOO_LATE {
        scene.wait(1, 20).await;
    }
}

/// Whether the leader met the trap.
async fn crash_once(scene: &mut Scene) -> bool {
    let Some(leader) = scene.world.home().leader() else { return false };
    let edge = scene.pick(&[Edge::Before, Edge::After]);
    let bait = if scene.chance(0.5) {
        Bait::Effect
    } else {
        let choice = if scene.chance(0.75) { LAUNCH } else { FAREWELL };
        Bait::Step(scene.pick(choice).0)
    };
    let (mut trap, told) = Trap::new(bait, edge, Deed::Die);
    trap.skip = if bait == Bait::Effect { scene.rng.random_range(0..8) } else { 0 };
    leader.gate.arm(trap);
    if scene.chance(0.3) {
        let losses = Mishap::Cloud(network::losses());
        scene.rule(Kind::LostAnswer, &[Step::Run], losses, 1.0, Duration::from_secs(60), 1);
    }
    if let Some(pool) = scene.pool() {
        scene.provoke(&pool);
    }
    let Some(site) = sprung(told, Duration::from_secs(60)).await else {
        leader.gate.disarm();
        return false;
    };
    let (number, way) = (leader.number, if edge == Edge::Before { "before" } else { "after" });
    leader.crash();
    scene.count(Kind::Crash, "", || {
        let effects = leader.gate.effects();
        format!("process {number} crashes {way} {} {} (effect {effects})", site.step, site.object)
    });
    scene.wait(0, 15).await;
    scene.world.start(scene.world.home());
    true
}

/// The leader stands still between two calls of one launch; mostly another takes over meanwhile, and then
/// both believe to lead.
pub(super) async fn stall(mut scene: Scene) {
    let Some(_helm) = helm(&scene).await else { return };
    let Some(leader) = scene.world.home().leader() else { return };
    let Some(pool) = scene.pool() else { return };
    let choice = if scene.chance(0.8) { LAUNCH } else { FAREWELL };
    let (step, edge) = scene.pick(choice);
    let hold = match scene.rng.random_range(0..6) {
        // Between the age check and the sending there is no long stall: see the design's longest delay.
        _ if (step, edge) == (Step::Run, Edge::Before) => scene.secs(1, 9),
        0 => scene.secs(3, 25),
        1 => scene.secs(55, 80),
        2 => scene.secs(100, 135),
        3 | 4 => scene.secs(115, 290),
        _ => scene.secs(290, 430),
    };
    let (mut trap, told) = Trap::new(Bait::Step(step), edge, Deed::Freeze(hold));
    trap.pool = Some(Scene::key(&pool));
    leader.gate.arm(trap);
    if choice.len() == FAREWELL.len() && scene.chance(0.5) {
        if let Some(instance) = scene.instance(&pool) {
            let key = ObjectKey::new(NAMESPACE, instance.name_any());
            let _ = scene.world.home().around.store.delete_instance_by_hand(&key);
        }
    } else {
        scene.provoke(&pool);
    }
    let Some(site) = sprung(told, Duration::from_secs(45)).await else {
        leader.gate.disarm();
        return;
    };
    let (number, way) = (leader.number, if edge == Edge::Before { "before" } else { "after" });
    scene.count(Kind::Stall, &pool.name_any(), || {
        format!("process {number} stands still for {} s {way} {} {}", hold.as_secs(), site.step, site.object)
    });
    let start = tokio::time::Instant::now();
    let rival = scene.chance(0.75);
    if rival {
        scene.wait(0, 12).await;
        take_over(&scene);
    }
    meanwhile(&mut scene, &pool).await;
    sleep(hold.saturating_sub(start.elapsed())).await;
    scene.tell("", || format!("process {number} goes on"));
    if rival {
        scene.wait(5, 150).await;
        one_goes(&mut scene, &leader).await;
    }
}

fn take_over(scene: &Scene) {
    scene.count(Kind::TwoLeaders, "", || "another process takes over; both believe to lead".to_owned());
    scene.world.start(scene.world.home());
}

/// What else happens while a leader stands still.
async fn meanwhile(scene: &mut Scene, pool: &SpotPool) {
    match scene.rng.random_range(0..10) {
        0 | 1 => {
            scene.wait(0, 3).await;
            let mut aside = Scene::new(&scene.world, scene.rng.random());
            let name = pool.name_any();
            crate::process::aside(async move { recreate(&mut aside, &name).await });
        }
        2 => {
            let (id, key, secret) = scene.key_pair();
            remove_secret(scene, secret);
            scene.wait(1, 60).await;
            scene.world.home().put_key(secret, id, key);
        }
        3 => {
            if let Some(instance) = scene.instance(pool) {
                let name = instance.name_any();
                scene.count(Kind::DeletedInstance, &pool.name_any(), || {
                    format!("somebody deletes SpotInstance {name}")
                });
                let key = ObjectKey::new(NAMESPACE, name);
                let _ = scene.world.home().around.store.delete_instance_by_hand(&key);
            }
        }
        4 => edit_pool(scene, pool),
        5 => {
            scene.provoke(pool);
        }
        _ => {}
    }
}

/// One of two leaders notices, or dies, and goes.
async fn one_goes(scene: &mut Scene, old: &Arc<Process>) {
    let goes = if scene.chance(0.7) {
        Arc::clone(old)
    } else {
        scene.world.home().leader().unwrap_or_else(|| Arc::clone(old))
    };
    let number = goes.number;
    if scene.chance(0.5) {
        scene.tell("", || format!("process {number} is told to stop"));
        goes.stop();
        scene.wait(0, 45).await;
    }
    scene.tell("", || format!("process {number} is gone"));
    goes.crash();
    if scene.world.home().leader().is_none() {
        scene.world.start(scene.world.home());
    }
}

/// Two processes lead for a while, with launches to be made.
pub(super) async fn two_leaders(mut scene: Scene) {
    let Some(_helm) = helm(&scene).await else { return };
    let Some(old) = scene.world.home().leader() else { return };
    take_over(&scene);
    for _ in 0..scene.rng.random_range(1..4) {
        if let Some(pool) = scene.pool() {
            scene.provoke(&pool);
        }
        scene.wait(0, 40).await;
    }
    one_goes(&mut scene, &old).await;
}

/// Somebody sets the clock of the leader's machine back, or forward.
pub(super) async fn clock_step(mut scene: Scene) {
    let Some(leader) = scene.world.home().leader() else { return };
    let step = scene.pick(&[-1_000, -7_000, -30_000, -60_000, -200_000, 10_000, 60_000]);
    let number = leader.number;
    scene.count(Kind::ClockSkew, "", || format!("the clock of process {number} is set by {} s", step / 1000));
    leader.clock.step(step);
    if let Some(pool) = scene.pool() {
        scene.wait(0, 3).await;
        scene.provoke(&pool);
    }
}

//! The namespace is deleted, with everything that is in it.

use std::time::Duration;

use kube::ResourceExt;
use rand::seq::SliceRandom;
use spotpool_operator::ports::PoolKey;

use super::Scene;
use super::cloud::{ZONES, set_stock};
use crate::kind::Kind;
use crate::nature::{KEYS, NAMESPACE, POOLS, pool as new_pool};
use crate::process::wait_for;
use crate::store::ObjectKey;

/// What holds an object in a namespace that goes is seen to by somebody in the end.
const PATIENCE: Duration = Duration::from_secs(900);

/// The namespace is deleted around a launch, and made again when nothing is left in it.
pub(super) async fn leave(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let store = scene.world.home().around.store.clone();
    if store.is_terminating(NAMESPACE) {
        return;
    }
    // Half of the times somebody waits for a machine that is sold out, and stock comes back too late.
    let sold_out = scene.chance(0.5);
    if sold_out {
        scene.count(Kind::SoldOut, "", || "nothing is to be had anywhere".to_owned());
        ZONES.iter().for_each(|zone| set_stock(&scene, zone, 0));
    }
    scene.provoke(&pool);
    scene.wait(0, if sold_out { 15 } else { 4 }).await;
    scene.count(Kind::LeavingNamespace, "", || format!("namespace {NAMESPACE} is deleted"));
    store.terminate_namespace(NAMESPACE);
    let uids: Vec<String> = store.all_pools().iter().filter_map(ResourceExt::uid).collect();
    scene.world.judge.on_leaving_namespace(&uids);
    if sold_out {
        scene.wait(0, 4).await;
        ZONES.iter().for_each(|zone| set_stock(&scene, zone, 200));
        scene.wait(0, 60).await;
    }
    delete_everything(&mut scene).await;
    wait_for(PATIENCE, || store.all_pools().is_empty() && store.all_instances().is_empty()).await;
    scene.tell("", || format!("namespace {NAMESPACE} is made again"));
    store.renew_namespace(NAMESPACE);
    for (id, key, secret) in KEYS {
        scene.world.home().put_key(secret, id, key);
    }
    for (index, name) in POOLS.iter().enumerate().take(scene.world.nature.pools.len()) {
        let again = new_pool(&mut scene.rng, index, scene.world.nature.second_key);
        // One that was held for longer than that is about to go.
        let key = PoolKey::new(NAMESPACE, *name);
        wait_for(PATIENCE, || store.peek_pool(&key).is_none()).await;
        if store.create_pool(&again).is_ok() {
            scene.tell(name, || format!("pool {name} is made again"));
        }
    }
}

/// The namespace's controller goes through the kinds in any order, and marks what is held.
async fn delete_everything(scene: &mut Scene) {
    let store = scene.world.home().around.store.clone();
    let mut kinds = [0, 1, 2];
    kinds.shuffle(&mut scene.rng);
    for kind in kinds {
        // What was taken away meanwhile is not there to be deleted.
        match kind {
            0 => store.all_pools().iter().for_each(|pool| {
                let _ = store.delete_pool(&PoolKey::new(NAMESPACE, pool.name_any()));
            }),
            1 => store.all_instances().iter().for_each(|instance| {
                let _ = store.delete_instance_by_hand(&ObjectKey::new(NAMESPACE, instance.name_any()));
            }),
            _ => KEYS.iter().for_each(|(_, _, secret)| {
                let _ = store.delete_secret(&ObjectKey::new(NAMESPACE, *secret));
            }),
        }
        scene.wait(0, 3).await;
    }
}

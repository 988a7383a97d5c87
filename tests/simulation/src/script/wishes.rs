//! What people ask of a whole pool besides its size: replicas, a pause, machines that outlive it.

use kube::ResourceExt;
use spotpool_operator::crd::KEEP_MACHINES_ANNOTATION;

use super::Scene;
use super::people::{edit_pool, recreate};
use crate::kind::Kind;

/// `kubectl scale`, more than once, and now and then the field is taken away again.
pub(super) async fn scale(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let key = Scene::key(&pool);
    let store = scene.world.home().around.store.clone();
    for _ in 0..scene.pick(&[1, 1, 2, 3]) {
        let replicas = scene.pick(&[Some(0), Some(1), Some(2), Some(2), Some(3), Some(4), None]);
        scene.count(Kind::Scaled, &key.name, || format!("{key} is scaled to {replicas:?}"));
        // It may have been deleted meanwhile.
        let _ = store.edit_pool(&key, |spec| spec.replicas = replicas);
        scene.wait(0, 40).await;
    }
}

/// A pool is paused, things go wrong and people change their minds meanwhile, and it goes on.
pub(super) async fn pause(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let key = Scene::key(&pool);
    let store = scene.world.home().around.store.clone();
    if scene.chance(0.5) {
        scene.provoke(&pool);
        scene.wait(0, 3).await;
    }
    scene.count(Kind::Paused, &key.name, || format!("{key} is paused"));
    let _ = store.edit_pool(&key, |spec| spec.paused = true);
    scene.wait(0, 60).await;
    if scene.chance(0.7) {
        edit_pool(&mut scene, &pool);
    }
    scene.wait(100, 400).await;
    scene.tell(&key.name, || format!("{key} goes on"));
    let _ = store.edit_pool(&key, |spec| spec.paused = false);
}

/// A pool is deleted and its machines are to live on; another takes its name.
pub(super) async fn keep_machines(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let key = Scene::key(&pool);
    let store = scene.world.home().around.store.clone();
    if scene.chance(0.4) {
        scene.provoke(&pool);
        scene.wait(0, 2).await;
    }
    scene.count(Kind::KeptMachines, &key.name, || format!("{key} is to let its machines live"));
    let _ = store.annotate_pool(&key, KEEP_MACHINES_ANNOTATION, Some("true"));
    scene.wait(0, 20).await;
    recreate(&mut scene, &pool.name_any()).await;
}

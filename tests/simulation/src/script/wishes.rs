//! What people ask of a whole pool besides its size: replicas, a pause, machines that outlive it.

use kube::ResourceExt;
use sim::cvm::Stranger;
use spotpool_operator::crd::{ADOPT_ANNOTATION, KEEP_MACHINES_ANNOTATION, SpotPool};
use spotpool_operator::identity::{CLUSTER_TAG, INSTANCE_TAG, LABEL_TAG, POOL_TAG};

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

/// A pool is to take machines over: what an earlier one left, what is somebody's, or what is not there at all.
pub(super) async fn adopt(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let key = Scene::key(&pool);
    let store = scene.world.home().around.store.clone();
    let mut ids = Vec::new();
    for _ in 0..scene.pick(&[1, 1, 2, 3]) {
        let other = scene.pool();
        let id = match scene.pick(&[0, 0, 0, 0, 1, 2, 3]) {
            0 => left_over(&mut scene, &pool),
            1 => other.and_then(|other| scene.machine(&other)),
            2 => {
                let machine = scene.machine(&pool);
                machine.and_then(|machine| scene.world.cloud.with(|cloud| cloud.copy(&machine)).ok())
            }
            _ => Some("ins-nobodys0".to_owned()),
        };
        ids.extend(id);
    }
    let ids = ids.join(",");
    scene.count(Kind::Adoption, &key.name, || format!("{key} is to take over {ids}"));
    // It may have been deleted meanwhile.
    let _ = store.annotate_pool(&key, ADOPT_ANNOTATION, Some(&ids));
    if scene.chance(0.5) {
        scene.wait(0, 4).await;
        scene.provoke(&pool);
    }
    if scene.chance(0.3) {
        scene.wait(0, 200).await;
        let _ = store.annotate_pool(&key, ADOPT_ANNOTATION, None);
    }
}

/// A machine with the tags of a pool of the same name, which is no more.
fn left_over(scene: &mut Scene, pool: &SpotPool) -> Option<String> {
    let cluster = scene.world.home().around.cluster_uid.clone();
    let number = scene.pick(&["1", "2", "3", "4"]);
    let label = format!("{}/{}-{number}", pool.namespace().unwrap_or_default(), pool.name_any());
    let mut tags = vec![
        (CLUSTER_TAG, cluster),
        (POOL_TAG, "uid-before-the-restore".to_owned()),
        (INSTANCE_TAG, format!("uid-before-the-restore-{number}")),
        (LABEL_TAG, label),
    ];
    if scene.chance(0.2) {
        // Somebody has tidied up.
        tags.truncate(1);
    }
    let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let stranger = Stranger { name: format!("sp-before-the-restore-{number}"), tags, ..Stranger::default() };
    scene.world.cloud.with(|cloud| cloud.add_stranger(&stranger)).ok()
}

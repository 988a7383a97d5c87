//! What people do, by mistake or because they can.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::ObjectMeta;
use rand::RngExt;
use sim::cvm::{Credential, Stranger};
use spotpool_operator::crd::{
    ChargeType, INSTANCE_FINALIZER, POOL_LABEL, Phase, SpotInstance, SpotInstanceStatus, SpotPool,
    SpotPoolSpec,
};
use spotpool_operator::identity::{CLUSTER_TAG, POOL_TAG, instance_name};

use super::Scene;
use super::network::losses;
use crate::contract::sample_instance;
use crate::gate::{Bait, Deed, Edge, Trap};
use crate::kind::Kind;
use crate::nature::{ACCOUNT, CANARY, NAMESPACE, OTHER_KEY, POOLS, pool as new_pool};
use crate::process::{sprung, wait_for};
use crate::site::Step;
use crate::store::ObjectKey;
use crate::weather::Mishap;

/// Another size, or another template.
pub(super) async fn edit(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    edit_pool(&mut scene, &pool);
    if scene.chance(0.3) {
        scene.wait(0, 4).await;
        edit_pool(&mut scene, &pool);
    }
}

type EditSpec = fn(&mut SpotPoolSpec);

/// Other machines, of the same size of a pool.
const SPECS: &[(&str, EditSpec)] = &[
    ("an image", |spec| "img-eb30mz89".clone_into(&mut spec.image_id)),
    ("another image", |spec| "img-5gn3j31i".clone_into(&mut spec.image_id)),
    ("spot prices", |spec| spec.instance_charge_type = ChargeType::Spotpaid),
    ("the full price", |spec| spec.instance_charge_type = ChargeType::PostpaidByHour),
    ("the first zone only", |spec| only_in(spec, "ap-singapore-2", "subnet-gfrv79s2")),
    ("the second zone only", |spec| only_in(spec, "ap-singapore-3", "subnet-h4kq21mz")),
];

fn only_in(spec: &mut SpotPoolSpec, zone: &str, subnet: &str) {
    if let Some(candidates) = &mut spec.candidates {
        candidates.truncate(1);
        for candidate in candidates {
            zone.clone_into(&mut candidate.availability_zone);
            subnet.clone_into(&mut candidate.subnet_id);
        }
    } else {
        zone.clone_into(&mut spec.availability_zone);
        subnet.clone_into(&mut spec.subnet_id);
    }
}

pub(super) fn edit_pool(scene: &mut Scene, pool: &SpotPool) {
    let key = Scene::key(pool);
    let store = scene.world.home().around.store.clone();
    if scene.chance(0.4) {
        let (what, edit) = scene.pick(SPECS);
        scene.count(Kind::Edit, &key.name, || format!("{what} for {key}"));
        // It may have been deleted meanwhile.
        let _ = store.edit_pool(&key, edit);
        return;
    }
    let minimum = scene.pick(&[0, 1, 1, 2, 2, 3]);
    let maximum = minimum + scene.pick(&[0, 0, 1, 2]);
    scene.count(Kind::Edit, &key.name, || format!("{key} is edited to {minimum} to {maximum}"));
    let _ = store.edit_pool(&key, |spec| {
        spec.minimum = minimum;
        spec.maximum = maximum;
    });
}

/// `kubectl delete si`, one or all.
pub(super) async fn delete_instance(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let count = scene.pick(&[1, 1, 1, 3]);
    for _ in 0..count {
        let Some(instance) = scene.instance(&pool) else { return };
        delete(&scene, &instance);
    }
}

pub(super) fn delete(scene: &Scene, instance: &SpotInstance) {
    let name = instance.name_any();
    scene.count(Kind::DeletedInstance, &instance.spec.pool.name, || {
        format!("somebody deletes SpotInstance {name}")
    });
    // It may be gone by now.
    let _ = scene.world.home().around.store.delete_instance_by_hand(&ObjectKey::new(NAMESPACE, name));
}

/// A SpotInstance, or its pool, is deleted while nobody knows what became of its request.
pub(super) async fn delete_unanswered(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let Some(leader) = scene.world.home().leader() else { return };
    let (trap, told) = Trap::new(Bait::Step(Step::Run), Edge::Before, Deed::Tell);
    leader.gate.arm(trap);
    let mut faults = losses();
    let longest = Duration::from_secs(scene.pick(&[5, 30, 60]));
    let delay = sim::cvm::Span::between(Duration::ZERO, longest);
    // Lost and late at once: the answer to a request that nobody can see yet.
    let late =
        Mishap::Cloud(vec![sim::cvm::Fault::LateRequest { delay }, sim::cvm::Fault::LateCommit { delay }]);
    if scene.chance(0.6) {
        scene.rule(Kind::LateCommit, &[Step::Run], late, 1.0, Duration::from_secs(60), 1);
    }
    faults.truncate(3);
    scene.rule(Kind::LostAnswer, &[Step::Run], Mishap::Cloud(faults), 1.0, Duration::from_secs(60), 1);
    scene.provoke(&pool);
    let Some(site) = sprung(told, Duration::from_secs(60)).await else { return };
    scene.wait(0, 40).await;
    let instances = scene.world.home().around.store.all_instances();
    let Some(instance) = instances.iter().find(|instance| instance_name(instance) == site.object) else {
        return;
    };
    if scene.chance(0.3) {
        recreate(&mut scene, &instance.spec.pool.name).await;
    } else {
        delete(&scene, instance);
    }
}

/// A pool is deleted and made again, at once or later, under the same name.
pub(super) async fn recreate_pool(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    recreate(&mut scene, &pool.name_any()).await;
}

pub(super) async fn recreate(scene: &mut Scene, name: &str) {
    let store = scene.world.home().around.store.clone();
    let key = spotpool_operator::ports::PoolKey::new(NAMESPACE, name);
    let dropped = scene.chance(0.15);
    let index = POOLS.iter().position(|known| *known == name).unwrap_or(0);
    let again = new_pool(&mut scene.rng, index, scene.world.nature.second_key);
    let how = if dropped { "is dropped with its finalizer" } else { "is deleted" };
    scene.count(Kind::RecreatedPool, name, || format!("pool {name} {how}, to be made again"));
    if dropped {
        let _ = store.drop_pool(&key);
    } else {
        let _ = store.delete_pool(&key);
    }
    // The name is free once the old pool is gone; a calm may be needed for that.
    scene.wait(0, 20).await;
    let gone = wait_for(Duration::from_secs(900), || store.peek_pool(&key).is_none()).await;
    if gone && store.create_pool(&again).is_ok() {
        scene.tell(name, || {
            format!("pool {name} is made again: {} to {}", again.spec.minimum, again.spec.maximum)
        });
    }
}

/// A Secret is overwritten with a wrong key, or with another account's, and put right later.
pub(super) async fn bad_credential(mut scene: Scene) {
    let (id, key, secret) = scene.key_pair();
    let (bad_id, bad_key, what) = scene.pick(&[
        (id, "fakeSecretKeyMistyped", "a wrong key"),
        ("AKIDFAKEFAKEFAKEFAKEGONE", key, "a key that does not exist"),
        (OTHER_KEY.0, OTHER_KEY.1, "the key of another account"),
        (OTHER_KEY.0, OTHER_KEY.1, "the key of another account"),
    ]);
    scene.count(Kind::BadCredential, "", || format!("Secret {secret} now holds {what}"));
    scene.world.home().put_key(secret, bad_id, bad_key);
    right_again(scene, (id, key, secret)).await;
}

/// While a Secret's key is no good, a pool may want a launch; then the right one is put back.
async fn right_again(mut scene: Scene, (id, key, secret): (&str, &str, &str)) {
    if let Some(pool) = scene.pool() {
        scene.wait(0, 6).await;
        scene.provoke(&pool);
    }
    scene.wait(5, 200).await;
    scene.tell("", || format!("Secret {secret} is right again"));
    scene.world.home().put_key(secret, id, key);
}

/// A Secret holds a key pair that was issued for a while: of the same account, good at first, then expired, and put
/// right later.
pub(super) async fn expired_token(mut scene: Scene) {
    let (id, key, secret) = scene.key_pair();
    let issued = scene.rng.random_range(0..100_000);
    let (temporary_id, temporary_key, token) = (
        format!("AKIDFAKETEMPORARY{issued:05}"),
        format!("{CANARY}Temporary{issued}"),
        format!("{CANARY}Token{issued}"),
    );
    scene.world.cloud.with(|cloud| {
        let pair = Credential::new(&temporary_id, &temporary_key);
        // The account is there as long as the world is.
        let _ = cloud.add_credential(ACCOUNT, Credential { token: Some(token.clone()), ..pair });
    });
    scene.tell("", || format!("Secret {secret} now holds a key that was issued for a while"));
    scene.world.home().put_temporary_key(secret, (&temporary_id, &temporary_key, &token));
    scene.wait(0, 150).await;
    scene.count(Kind::ExpiredToken, "", || format!("the key that Secret {secret} held of late has expired"));
    // It was just added.
    let _ = scene.world.cloud.with(|cloud| cloud.expire_credential(&temporary_id));
    right_again(scene, (id, key, secret)).await;
}

/// A Secret is deleted around a launch or a termination, by force or not, and made again later.
pub(super) async fn deleted_secret(mut scene: Scene) {
    let (id, key, secret) = scene.key_pair();
    let pool = scene.pool();
    if let Some(pool) = &pool {
        scene.provoke(pool);
        scene.wait(0, 4).await;
    }
    remove_secret(&mut scene, secret);
    if scene.chance(0.4)
        && let Some(instance) = pool.and_then(|pool| scene.instance(&pool))
    {
        delete(&scene, &instance);
    }
    scene.wait(5, 200).await;
    scene.tell("", || format!("Secret {secret} is there again"));
    scene.world.home().put_key(secret, id, key);
}

/// Somebody edits a status to point at a machine that is not its own: a stranger's, or another pool's.
pub(super) async fn foreign_status(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let Some(instance) = scene.instance(&pool) else { return };
    let foreign = if scene.chance(0.6) {
        let stranger = Stranger { name: "somebody-elses-training-run".to_owned(), ..Stranger::default() };
        scene.world.cloud.with(|cloud| cloud.add_stranger(&stranger)).ok()
    } else {
        let others = scene.world.all_machines();
        let own = instance.status.as_ref().and_then(|status| status.instance_id.clone());
        others.into_iter().find(|id| Some(id) != own.as_ref())
    };
    let Some(foreign) = foreign else { return };
    let name = instance.name_any();
    let key = ObjectKey::new(NAMESPACE, &name);
    let store = scene.world.home().around.store.clone();
    scene.count(Kind::ForeignStatus, &pool.name_any(), || {
        format!("somebody edits the status of {name} to point at {foreign}")
    });
    let _ = store.edit_instance_status(&key, |status| status.instance_id = Some(foreign));
    if scene.chance(0.6) {
        let hurried = scene.rng.random_range(0..4000);
        tokio::time::sleep(Duration::from_millis(hurried)).await;
        delete(&scene, &instance);
    }
}

/// Another cluster in the account: its machines, and a SpotInstance of its that a restore brought here.
pub(super) async fn second_cluster(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let uid = pool.uid().unwrap_or_default();
    let mut copied = sample_instance(&pool, scene.rng.random_range(1..=4));
    copied.spec.cluster_id = "5e6f7a8b-cloned-cluster".to_owned();
    copied.metadata = ObjectMeta {
        name: Some(format!("{}-restored-{}", pool.name_any(), scene.rng.random_range(0..100_000))),
        namespace: Some(NAMESPACE.to_owned()),
        labels: Some([(POOL_LABEL.to_owned(), pool.name_any())].into()),
        finalizers: Some(vec![INSTANCE_FINALIZER.to_owned()]),
        ..ObjectMeta::default()
    };
    let tags = [(CLUSTER_TAG, copied.spec.cluster_id.as_str()), (POOL_TAG, uid.as_str())];
    let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let stranger = Stranger { name: instance_name(&copied), tags, ..Stranger::default() };
    let Ok(id) = scene.world.cloud.with(|cloud| cloud.add_stranger(&stranger)) else { return };
    scene.count(Kind::SecondCluster, &pool.name_any(), || format!("another cluster has machine {id}"));
    if scene.chance(0.5) {
        copied.status = Some(SpotInstanceStatus {
            phase: Phase::Ready,
            instance_id: Some(id),
            ..SpotInstanceStatus::default()
        });
        scene.tell(&pool.name_any(), || format!("a restore brings its SpotInstance {}", copied.name_any()));
        let store = scene.world.home().around.store.clone();
        if let Ok(made) = store.restore_instance(&copied)
            && scene.chance(0.5)
        {
            scene.wait(0, 20).await;
            let _ = store.delete_instance_by_hand(&ObjectKey::new(NAMESPACE, made.name_any()));
        }
    }
}

/// Somebody takes a SpotInstance's labels away, mostly around a launch or its own farewell. It stays its pool's.
pub(super) async fn lost_label(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    if scene.chance(0.5) {
        scene.provoke(&pool);
        scene.wait(0, 6).await;
    }
    let Some(instance) = scene.instance(&pool) else { return };
    let name = instance.name_any();
    let store = scene.world.home().around.store.clone();
    if store.unlabel_instance(&ObjectKey::new(NAMESPACE, &name)).is_err() {
        return;
    }
    scene.count(Kind::LostLabel, &pool.name_any(), || format!("SpotInstance {name} loses its labels"));
    if scene.chance(0.4) {
        scene.wait(0, 20).await;
        delete(&scene, &instance);
    }
}

/// A pool cannot be read as what it should be for a while; the others go on.
pub(super) async fn broken_pool(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let key = Scene::key(&pool);
    let store = scene.world.home().around.store.clone();
    scene.count(Kind::BrokenPool, &key.name, || format!("pool {key} cannot be read any more"));
    scene.provoke(&pool);
    store.set_broken(&key, true);
    scene.wait(5, 100).await;
    scene.tell(&key.name, || format!("pool {key} can be read again"));
    store.set_broken(&key, false);
}

/// `kubectl delete secret`; every other time whatever its finalizers say.
pub(super) fn remove_secret(scene: &mut Scene, secret: &str) {
    let force = scene.chance(0.5);
    let how = if force { " by force" } else { "" };
    scene.count(Kind::DeletedSecret, "", || format!("Secret {secret} is deleted{how}"));
    let (store, key) = (&scene.world.home().around.store, ObjectKey::new(NAMESPACE, secret));
    // It may be gone already.
    let _ = if force { store.drop_secret(&key) } else { store.delete_secret(&key) };
}

//! What happens to a world in its two hours: scenes drawn from the seed, many of them overlapping, then a
//! calm long enough for everything to come to rest.

mod cloud;
mod leaders;
mod namespace;
mod network;
mod people;
mod scene;
mod wishes;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::cvm::{ModelServer, Settings, Span, Stock};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::judge::Invariant;
use crate::kind::Kind;
use crate::nature::{KEYS, NAMESPACE};
use crate::process::wait_for;
use crate::world::World;

pub use scene::Scene;

/// How long a seed is.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    /// No scene begins after this.
    pub scenes: Duration,
    /// From the end of the last scene to the end of the seed, at least.
    pub calm: Duration,
    /// It lasts at least this long.
    pub whole: Duration,
}

impl Length {
    /// Two hours, of which the calm is more than forgetAfter and twice resendAfter, and late tags on top.
    pub const FULL: Self = Self {
        scenes: Duration::from_secs(5700),
        calm: Duration::from_secs(1100),
        whole: Duration::from_secs(7200),
    };
    /// Some minutes without a calm, for tests of the machinery itself.
    pub const SHORT: Self =
        Self { scenes: Duration::from_secs(240), calm: Duration::ZERO, whole: Duration::ZERO };
}

/// At rest nothing is written for this long before the end.
const QUIET: Duration = Duration::from_secs(60);
/// How often a watch begins anew.
const RELIST: Duration = Duration::from_secs(300);

type Play = fn(Scene) -> BoxFuture<'static, ()>;

/// Weight and scene. What hurts most is drawn most.
const SCENES: &[(u32, Play)] = &[
    (4, |scene| Box::pin(cloud::vanish(scene))),
    (3, |scene| Box::pin(cloud::reclaim(scene))),
    (3, |scene| Box::pin(cloud::sold_out(scene))),
    (3, |scene| Box::pin(cloud::listing_lag(scene))),
    (3, |scene| Box::pin(cloud::tag_lag(scene))),
    (2, |scene| Box::pin(cloud::failed_launch(scene))),
    (3, |scene| Box::pin(cloud::look_alike(scene))),
    (4, |scene| Box::pin(cloud::exact_copy(scene))),
    (4, |scene| Box::pin(cloud::sick_server(scene))),
    (1, |scene| Box::pin(cloud::arrears(scene))),
    (2, |scene| Box::pin(cloud::not_running(scene))),
    (2, |scene| Box::pin(cloud::broken_image(scene))),
    (2, |scene| Box::pin(cloud::quota(scene))),
    (6, |scene| Box::pin(network::lost_answer(scene))),
    (5, |scene| Box::pin(network::late_commit(scene))),
    (2, |scene| Box::pin(network::doubled_request(scene))),
    (2, |scene| Box::pin(network::blind_prober(scene))),
    (3, |scene| Box::pin(network::throttling(scene))),
    (6, |scene| Box::pin(network::cut_page(scene))),
    (5, |scene| Box::pin(network::store_trouble(scene))),
    (5, |scene| Box::pin(people::edit(scene))),
    (3, |scene| Box::pin(people::delete_instance(scene))),
    (5, |scene| Box::pin(people::delete_unanswered(scene))),
    (4, |scene| Box::pin(people::recreate_pool(scene))),
    (3, |scene| Box::pin(people::bad_credential(scene))),
    (2, |scene| Box::pin(people::expired_token(scene))),
    (3, |scene| Box::pin(people::deleted_secret(scene))),
    (4, |scene| Box::pin(people::foreign_status(scene))),
    (3, |scene| Box::pin(people::second_cluster(scene))),
    (1, |scene| Box::pin(people::broken_pool(scene))),
    (2, |scene| Box::pin(people::lost_label(scene))),
    (1, |scene| Box::pin(namespace::leave(scene))),
    (4, |scene| Box::pin(wishes::scale(scene))),
    (3, |scene| Box::pin(wishes::pause(scene))),
    (2, |scene| Box::pin(wishes::keep_machines(scene))),
    (4, |scene| Box::pin(wishes::adopt(scene))),
    (5, |scene| Box::pin(leaders::crash(scene))),
    (12, |scene| Box::pin(leaders::stall(scene))),
    (5, |scene| Box::pin(leaders::two_leaders(scene))),
    (2, |scene| Box::pin(leaders::clock_step(scene))),
];

/// Plays a seed to its end, or to the first invariant broken.
pub async fn play(world: &Arc<World>, seed: u64, length: Length) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5c21_9700_0000_0000);
    let broken = async {
        // Checked often enough to stop soon, and seldom enough to cost nothing.
        while world.judge.violation().is_none() {
            sleep(Duration::from_millis(500)).await;
        }
    };
    let relists = relist_for_ever(world, rng.next_u64());
    let all = async {
        scenes(world, &mut rng, length.scenes).await;
        if length.calm > Duration::ZERO {
            calm(world, length).await;
            if let Some(lack) = lacks(world, length) {
                world.judge.accuse(Invariant::KeepsRunning, "", format!("this was no whole seed: {lack}"));
            }
        }
    };
    tokio::select! {
        biased;
        () = broken => {}
        () = all => {}
        () = relists => {}
    }
}

/// What a whole seed must have had and this one had not.
fn lacks(world: &World, length: Length) -> Option<String> {
    let (counts, lasted) = (world.weather.counts(), world.truth.elapsed());
    let had = [
        (world.nature.pools.len() as u64, 3, "pools"),
        (lasted.as_secs(), length.whole.as_secs(), "seconds"),
        (counts.total(), 40, "faults"),
        (counts.of(Kind::Crash), 2, "crashes"),
        (counts.of(Kind::TwoLeaders), 1, "spells of two leaders"),
    ];
    let lacking = had.into_iter().find(|(had, least, _)| had < least);
    lacking.map(|(had, least, what)| format!("{had} {what} of {least}"))
}

async fn scenes(world: &Arc<World>, rng: &mut ChaCha8Rng, length: Duration) {
    let mut playing: Vec<JoinHandle<()>> = Vec::new();
    // What every seed has, whatever else is drawn.
    let must: [(u64, Play); 4] = [
        (rng.random_range(200..1500), |scene| Box::pin(leaders::crash(scene))),
        (rng.random_range(1600..2600), |scene| Box::pin(leaders::two_leaders(scene))),
        (rng.random_range(2700..3700), |scene| Box::pin(leaders::crash(scene))),
        (rng.random_range(3800..4800), |scene| Box::pin(leaders::two_leaders(scene))),
    ];
    let at_all = |(at, _): &(u64, Play)| Duration::from_secs(*at) < length;
    for (at, play) in must.into_iter().filter(at_all) {
        let mut scene = Scene::new(world, rng.next_u64());
        scene.insists = true;
        playing.push(tokio::spawn(async move {
            sleep(Duration::from_secs(at)).await;
            play(scene).await;
        }));
    }
    let total: u32 = SCENES.iter().map(|(weight, _)| weight).sum();
    sleep(Duration::from_secs(rng.random_range(5..60))).await;
    while world.truth.elapsed() < length {
        let mut drawn = rng.random_range(0..total);
        let mut chosen = SCENES[0].1;
        for (weight, play) in SCENES {
            if drawn < *weight {
                chosen = *play;
                break;
            }
            drawn -= weight;
        }
        playing.push(tokio::spawn(chosen(Scene::new(world, rng.next_u64()))));
        let gap: f64 = rng.random_range(0.0..1.0);
        sleep(Duration::from_secs_f64(3.0 + 110.0 * gap * gap)).await;
    }
    for scene in playing {
        if let Err(error) = scene.await {
            world.judge.accuse(Invariant::KeepsRunning, "", format!("a scene of the script failed: {error}"));
        }
    }
}

/// A watch breaks and begins anew now and then; and a spurious wake-up in between harms nobody.
async fn relist_for_ever(world: &Arc<World>, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut next = RELIST;
    loop {
        sleep(Duration::from_secs(rng.random_range(10..60))).await;
        for cluster in &world.clusters {
            let mut keys = cluster.keys();
            if world.truth.elapsed() < next && !keys.is_empty() {
                keys = vec![keys[rng.random_range(0..keys.len())].clone()];
            }
            cluster.around.feed.relist(&keys, None);
        }
        if world.truth.elapsed() >= next {
            next += RELIST;
        }
    }
}

/// Everything that was done is undone, one process leads, and time passes.
async fn calm(world: &Arc<World>, length: Length) {
    world.trace.tell("", || "the faults end".to_owned());
    world.weather.clear();
    undo(world);
    for cluster in &world.clusters {
        cluster.around.feed.calm();
        let running = cluster.running();
        for process in &running {
            process.gate.disarm();
        }
        // A stalled process first comes to; then all but the newest go.
        wait_for(Duration::from_secs(30), || false).await;
        for process in running.iter().rev().skip(1) {
            process.crash();
        }
        if cluster.leader().is_none() {
            world.start(cluster);
        }
        cluster.around.feed.relist(&cluster.keys(), None);
    }
    let end = length.whole.max(world.truth.elapsed() + length.calm);
    tokio::time::sleep_until(world.truth.instant(end)).await;
    world.describe();
    world.judge.at_rest(&world.expected(QUIET));
}

fn undo(world: &Arc<World>) {
    let home = world.home();
    for (id, key, secret) in KEYS {
        home.put_key(secret, id, key);
    }
    for pool in home.around.store.all_pools() {
        let key = spotpool_operator::ports::PoolKey::new(NAMESPACE, pool.metadata.name.unwrap_or_default());
        home.around.store.set_broken(&key, false);
        if pool.spec.paused {
            // It may be on its way out.
            let _ = home.around.store.edit_pool(&key, |spec| spec.paused = false);
        }
    }
    world.cloud.with(|cloud| {
        cloud.clear_faults();
        let quiet = Span::between(Duration::ZERO, Duration::from_secs(5));
        let settings = Settings { visibility_lag: quiet, tag_lag: quiet, ..world.nature.settings.clone() };
        cloud.set_settings(settings);
        for stock in cloud.stock() {
            // The zone and the type were just listed.
            let _ = cloud.set_stock(&Stock { count: 200, ..stock });
        }
        let all: Vec<String> = cloud.existing().map(|machine| machine.id.clone()).collect();
        for id in all {
            let _ = cloud.set_model_server(&id, ModelServer::Ok);
        }
    });
}

//! The steps of a bad week: the first choice is sold out, somebody scales, a key is rotated, a machine falls sick.
//! All but the last happen to the pool of deploy/samples/spotpool-candidates.yaml, which is deleted after them: a machine
//! that is young then is waited for, so the one that replaces the sick machine belongs to the pool that stays.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use spotpool_operator::crd::SpotPool;
use testkit::wait;

use crate::stage::{ROTATED, Stage};
use crate::story::{
    FILLED_WITHIN, Proof, SAMPLE, SECRET, full, ids, last_event, launches, machines_of, pool, terminations,
};
use crate::timeline::Timeline;

/// The pool of deploy/samples/spotpool-candidates.yaml.
pub(crate) const POOL: &str = "spotpool-candidates";
/// Its candidates' type, and their zones in order.
const TYPE: &str = "GN7.2XLARGE32";
const ZONES: [&str; 2] = ["ap-singapore-2", "ap-singapore-3"];
/// Five seconds between two questions, three in vain, and one answer of another machine after that.
const SICK_FOR: Duration = Duration::from_secs(60);

pub(crate) async fn sold_out(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let stock = |count: u32| json!({"zone": ZONES[0], "instance_type": TYPE, "count": count});
    stage.sim.post("stock", &stock(0)).await?;
    timeline
        .say(&format!("  {TYPE} is sold out in {}; a pool whose first choice that is, is applied", ZONES[0]));
    let seen = last_event(stage).await?;
    stage.kubectl(&["apply", "--filename", &Stage::sample("spotpool-candidates.yaml")])?;
    let filled = full(stage, POOL, &BTreeSet::new()).await?;
    for machine in machines_of(stage, &filled).await? {
        let zone = stage.sim.get(&format!("instances/{}", machine.id)).await?["zone"].clone();
        ensure!(zone == ZONES[1], "{} stands in {zone}", machine.id);
    }
    let launched = launches(stage, seen).await?.len();
    ensure!(launched == 2, "{launched} launches for a pool of 2");
    let ledger = stage.sim.ledger(seen).await?;
    let refused = ledger.iter().filter(|event| event.event == "refused").count();
    ensure!(refused <= 2, "{refused} requests were refused");
    stage.sim.post("stock", &stock(200)).await?;
    Ok(format!("2 machines in {}, after {refused} refused requests", ZONES[1]))
}

pub(crate) async fn scaled(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let seen = last_event(stage).await?;
    for size in [3, 2] {
        timeline.say(&format!("  kubectl scale spotpool {POOL} --replicas={size}"));
        stage.kubectl(&["scale", "spotpool", POOL, &format!("--replicas={size}")])?;
        sized(stage, size).await?;
    }
    let (launched, ended) = (launches(stage, seen).await?.len(), terminations(stage, seen).await?.len());
    ensure!((launched, ended) == (1, 1), "{launched} launches and {ended} terminations");
    Ok("to 3 by 1 launch, back to 2 by 1 termination".to_owned())
}

pub(crate) async fn rotated(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let seen = last_event(stage).await?;
    let (id, key) = ROTATED;
    stage.sim.post("credentials", &json!({"secret_id": id, "secret_key": key})).await?;
    let data = json!({"stringData": {"secretId": id, "secretKey": key}}).to_string();
    stage.kubectl(&["patch", "secret", SECRET, "--type=merge", "--patch", &data])?;
    let old = stage.revoke_planted_key().await?;
    timeline.say(&format!("  Secret {SECRET} holds a new key, and the old one is revoked"));
    let before = pool(stage, POOL).await?;
    let lost = ids(&before).pop_first().context("the pool has no machine")?;
    stage.sim.vanish(&lost).await?;
    let after = full(stage, POOL, &BTreeSet::from([lost])).await?;
    machines_of(stage, &after).await?;
    let ended = terminations(stage, seen).await?.len();
    ensure!(ended == 0, "{ended} machines were terminated");
    let launched = launches(stage, seen).await?;
    let by = |event: &testkit::SimEvent| event.rest["caller"]["secret_id"].clone();
    ensure!(launched.len() == 1 && by(&launched[0]) == id, "{launched:?}");
    Ok(format!("{old} is revoked, a loss is made up for with {id}"))
}

pub(crate) async fn sick(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let seen = last_event(stage).await?;
    let before = pool(stage, SAMPLE).await?;
    let sick = ids(&before).pop_last().context("the pool has no machine")?;
    let behaviour = json!({"behaviour": "hang"});
    stage.sim.post(&format!("instances/{sick}/model-server"), &behaviour).await?;
    timeline.say(&format!("  the model server of {sick} hangs; the other machine answers"));
    timeline.awaits("its model server is asked every 5 s, in vain three times before it counts as sick");
    let started = timeline.elapsed();
    let ended = wait::until("the sick machine to be sent away", SICK_FOR, async || {
        let ended = terminations(stage, seen).await?;
        Ok((!ended.is_empty()).then_some(ended))
    });
    let ended = ended.await?;
    ensure!(ended == [sick.clone()], "{ended:?} were terminated");
    let took = timeline.elapsed().saturating_sub(started);
    let after = full(stage, SAMPLE, &BTreeSet::from([sick.clone()])).await?;
    machines_of(stage, &after).await?;
    Ok(format!("{sick} was sent away after {:.0} s and replaced", took.as_secs_f64()))
}

/// Waits until so many machines serve, and no more are there.
async fn sized(stage: &Stage, size: i32) -> Result<SpotPool> {
    wait::until(&format!("{size} machines to serve"), FILLED_WITHIN, async || {
        let pool = pool(stage, POOL).await?;
        let status = pool.status.clone().unwrap_or_default();
        Ok((status.ready_size == size && status.size == size).then_some(pool))
    })
    .await
}

//! What happens in the demo, and the proof of each step: the cloud's ledger, not what the API shows.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::{FutureExt, LocalBoxFuture};
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::json;
use spotpool_operator::crd::{SpotInstance, SpotPool};
use testkit::{SimEvent, SimMachine, wait};

use crate::stage::Stage;
use crate::timeline::Timeline;
use crate::week;

/// The pool of deploy/samples/spotpool.yaml.
pub(crate) const SAMPLE: &str = "spotpool-sample";
/// The pool of deploy/samples/spotpool-secret.yaml, and its Secret.
const SECOND: &str = "spotpool-secret";
pub(crate) const SECRET: &str = "tencent-credentials";
/// A pool is filled in some 10 seconds on an idle machine.
pub(crate) const FILLED_WITHIN: Duration = Duration::from_secs(120);
/// A machine counts as gone at the earliest 65 s after it was recorded; then it is taken off the books.
const DELETED_WITHIN: &str = "--timeout=240s";

/// What the README promises of a machine that does nothing else.
const PROMISED: Duration = Duration::from_secs(180);

/// What a step says when it held.
pub(crate) type Proof = String;

/// The steps and how far the story went.
pub(crate) struct Told {
    steps: Vec<(&'static str, Result<Proof>)>,
    calls: String,
}

/// One step: what happens, and what proves that it went well.
type Step = for<'a> fn(&'a Timeline, &'a Stage) -> LocalBoxFuture<'a, Result<Proof>>;

/// The steps in order, by name.
const STEPS: [(&str, Step); 10] = [
    ("two pools are filled", |timeline, stage| filled(timeline, stage).boxed_local()),
    ("a machine vanishes and is replaced", |timeline, stage| replaced(timeline, stage).boxed_local()),
    ("a lost answer is adopted", |timeline, stage| adopted(timeline, stage).boxed_local()),
    ("the first choice is sold out", |timeline, stage| week::sold_out(timeline, stage).boxed_local()),
    ("a pool is scaled", |timeline, stage| week::scaled(timeline, stage).boxed_local()),
    ("a key is rotated", |timeline, stage| week::rotated(timeline, stage).boxed_local()),
    ("a sick machine is replaced", |timeline, stage| week::sick(timeline, stage).boxed_local()),
    ("deleted pools leave nothing", |timeline, stage| deleted(timeline, stage).boxed_local()),
    ("a stranger is left alone", |_, stage| left_alone(stage).boxed_local()),
    ("a secret stays one", |_, stage| async { secret(stage) }.boxed_local()),
];

impl Told {
    pub(crate) fn is_complete(&self) -> bool {
        self.steps.len() == STEPS.len() && self.steps.iter().all(|(_, outcome)| outcome.is_ok())
    }

    pub(crate) fn print(&self, timeline: &Timeline) {
        timeline.close();
        println!();
        for (name, _) in STEPS {
            let outcome = self.steps.iter().find(|(told, _)| *told == name).map(|(_, outcome)| outcome);
            match outcome {
                Some(Ok(proof)) => println!("  ok      {name:<36} {proof}"),
                Some(Err(error)) => println!("  FAILED  {name:<36} {error:#}"),
                None => println!("  not run {name}"),
            }
        }
        println!("\n  calls to the cloud: {}", self.calls);
        let verdict = if self.is_complete() { "every step held" } else { "the demo FAILED" };
        let took = timeline.elapsed();
        let late = if took < PROMISED { "" } else { ": the machine is busy, or something takes too long" };
        println!("  {verdict}, after {} of {} seconds{late}\n", took.as_secs(), PROMISED.as_secs());
    }
}

/// Tells the story, up to the first step that does not hold.
pub(crate) async fn tell(timeline: &Timeline, stage: &Stage) -> Told {
    let mut steps = Vec::new();
    for (name, step) in STEPS {
        timeline.say(name);
        timeline.awaits("machines boot, and their model servers come up");
        let outcome = step(timeline, stage).await;
        if let Ok(proof) = &outcome {
            timeline.holds(proof);
        }
        let failed = outcome.is_err();
        steps.push((name, outcome));
        if failed {
            break;
        }
    }
    let calls = calls(stage).await.unwrap_or_else(|error| format!("unknown ({error:#})"));
    Told { steps, calls }
}

async fn filled(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let asked = timeline.elapsed();
    stage.kubectl(&["apply", "--filename", &Stage::sample("spotpool.yaml")])?;
    timeline.say("  deploy/samples/spotpool.yaml applied: 2 machines wanted");
    // The second pool starts here too, so that its machines are old enough to be proven gone when it ends.
    stage.apply_with_planted_key()?;
    timeline.say("  deploy/samples/spotpool-secret.yaml applied: 2 more, another API key in a Secret");
    let first = full(stage, SAMPLE, &BTreeSet::new()).await?;
    let second = full(stage, SECOND, &BTreeSet::new()).await?;
    let took = timeline.elapsed().saturating_sub(asked);
    let machines = [machines_of(stage, &first).await?, machines_of(stage, &second).await?].concat();
    ensure!(machines.len() == 4, "4 machines are wanted, there are {machines:?}");
    ensure!(
        machines.iter().all(|machine| machine.charge_type == "SPOTPAID"),
        "not all are spot: {machines:?}"
    );
    let launched = launches(stage, 0).await?.len();
    ensure!(launched == 4, "the ledger has {launched} launches for 4 machines");
    show(stage)?;
    Ok(format!("4 launches for 2 pools of 2, serving after {:.1} s", took.as_secs_f64()))
}

async fn replaced(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let before = pool(stage, SAMPLE).await?;
    let lost = ids(&before).pop_first().context("the pool has no machine")?;
    let seen = last_event(stage).await?;
    stage.sim.vanish(&lost).await?;
    let started = timeline.elapsed();
    let sent = wait::until("RunInstances after the loss", FILLED_WITHIN, async || {
        let launched = launches(stage, seen).await?;
        Ok((!launched.is_empty()).then(|| timeline.elapsed().saturating_sub(started)))
    });
    let sent = sent.await?;
    let after = full(stage, SAMPLE, &BTreeSet::from([lost])).await?;
    let served = timeline.elapsed().saturating_sub(started);
    machines_of(stage, &after).await?;
    let launched = launches(stage, seen).await?;
    ensure!(launched.len() == 1, "{} launches for 1 lost machine", launched.len());
    let (sent, served) = (sent.as_secs_f64(), served.as_secs_f64());
    Ok(format!("1 launch for 1 loss, sent after {sent:.1} s, serving after {served:.1} s"))
}

async fn adopted(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let fault =
        json!({"fault": {"kind": "lost_answer", "loss": "reset"}, "action": "RunInstances", "count": 1});
    stage.sim.add_fault(&fault).await?;
    timeline.say("  the answer to the next RunInstances will get lost, after it took effect");
    let before = pool(stage, SAMPLE).await?;
    let lost = ids(&before).pop_last().context("the pool has no machine")?;
    let seen = last_event(stage).await?;
    stage.sim.vanish(&lost).await?;
    let after = full(stage, SAMPLE, &BTreeSet::from([lost])).await?;
    let machines = machines_of(stage, &after).await?;
    let ledger = stage.sim.ledger(seen).await?;
    let struck = ledger.iter().filter(|event| event.event == "fault").count();
    ensure!(struck == 1, "the answer did not get lost");
    let launched = launches(stage, seen).await?;
    ensure!(launched.len() == 1, "{} machines were made where 1 was missing", launched.len());
    let made = launched[0].instance_id.as_deref().unwrap_or_default();
    ensure!(machines.iter().any(|machine| machine.id == made), "{made} was made, and is nobody's");
    Ok(format!("{made}, whose answer got lost, was found by its name; no second one was made"))
}

async fn deleted(timeline: &Timeline, stage: &Stage) -> Result<Proof> {
    let mut had = Vec::new();
    let mut uids = Vec::new();
    for name in [SECOND, week::POOL] {
        let pool = pool(stage, name).await?;
        had.extend(machines_of(stage, &pool).await?);
        uids.push(pool.uid().context("a pool without a uid")?);
    }
    let seen = last_event(stage).await?;
    let started = timeline.elapsed();
    let (namespace, cluster) = (stage.namespace.clone(), stage.cluster.clone());
    // kubectl waits for the finalizers; the timeline goes on meanwhile.
    let delete = move || {
        let pools = ["delete", "spotpool", SECOND, week::POOL, DELETED_WITHIN];
        cluster.kubectl_stdout([&["--namespace", &namespace], &pools[..]].concat())
    };
    timeline.say(&format!(
        "  kubectl delete spotpool {SECOND} {}: they go when their machines are proven gone",
        week::POOL
    ));
    timeline.awaits(
        "absence is proof from 65 s after a launch was recorded; until then the cloud is asked again",
    );
    tokio::task::spawn_blocking(delete).await.context("waiting for kubectl")??;
    let took = timeline.elapsed().saturating_sub(started);

    let past = stage.sim.machines(true).await?;
    for machine in &had {
        let now = past.iter().find(|one| one.id == machine.id).context("the stand-in forgot a machine")?;
        ensure!(now.why_gone.as_deref() == Some("terminated"), "{} is left: {}", now.id, now.state);
    }
    let accepted = terminations(stage, seen).await?.len();
    ensure!(accepted == had.len(), "{accepted} terminations for {} machines", had.len());
    for uid in &uids {
        let left = instances(stage, uid).await?;
        ensure!(left.is_empty(), "{} SpotInstances are left", left.len());
    }
    stage.kubectl(&["delete", "secret", SECRET, "--timeout=30s"]).context("its Secret is held")?;
    let sample = pool(stage, SAMPLE).await?;
    ensure!(machines_of(stage, &sample).await?.len() == 2, "the other pool lost a machine");
    Ok(format!(
        "{} machines of 2 pools terminated and proven gone in {:.0} s, no object left",
        had.len(),
        took.as_secs_f64()
    ))
}

async fn left_alone(stage: &Stage) -> Result<Proof> {
    let machines = stage.sim.machines(false).await?;
    let strangers: Vec<_> = machines.iter().filter(|machine| machine.foreign).collect();
    ensure!(
        strangers.len() == 1 && strangers[0].id == stage.stranger && strangers[0].state == "RUNNING",
        "the stranger's machine is not as it was: {strangers:?}"
    );
    let ended = terminations(stage, 0).await?;
    let touched = ended.iter().filter(|id| **id == stage.stranger).count();
    ensure!(touched == 0, "{touched} calls tried to terminate {}", stage.stranger);
    let all_ours = machines.iter().filter(|machine| !machine.foreign).count();
    ensure!(all_ours == 2, "{all_ours} machines of ours bill, 2 are wanted");
    Ok(format!("{} runs on, untouched; 2 machines of ours bill, as wanted", stage.stranger))
}

fn secret(stage: &Stage) -> Result<Proof> {
    let read = stage.keeps_its_secret()?;
    Ok(format!("the key shows nowhere else: {read}"))
}

/// Waits until a pool is Ready with machines of which none is among `lost`.
pub(crate) async fn full(stage: &Stage, name: &str, lost: &BTreeSet<String>) -> Result<SpotPool> {
    wait::until(&format!("{name} to be full"), FILLED_WITHIN, async || {
        let pool = pool(stage, name).await?;
        let status = pool.status.clone().unwrap_or_default();
        let ready = status.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True");
        let full = ready && status.ready_size >= pool.spec.minimum && ids(&pool).is_disjoint(lost);
        Ok(full.then_some(pool))
    })
    .await
}

pub(crate) async fn pool(stage: &Stage, name: &str) -> Result<SpotPool> {
    stage.pools().await?.get(name).await.with_context(|| format!("reading SpotPool {name}"))
}

/// The machines that a pool's status names.
pub(crate) fn ids(pool: &SpotPool) -> BTreeSet<String> {
    let members = pool.status.iter().flat_map(|status| &status.instances);
    members.map(|member| member.instance_id.clone()).collect()
}

async fn instances(stage: &Stage, pool_uid: &str) -> Result<Vec<SpotInstance>> {
    let all = stage.instances().await?.list(&ListParams::default()).await.context("listing SpotInstances")?;
    Ok(all.items.into_iter().filter(|instance| instance.spec.pool.uid == pool_uid).collect())
}

/// A pool's machines as the cloud has them, after a look that all three agree: its status, its
/// SpotInstances, and what runs in the cloud under their names.
pub(crate) async fn machines_of(stage: &Stage, pool: &SpotPool) -> Result<Vec<SimMachine>> {
    let uid = pool.uid().context("a pool without a uid")?;
    let instances = instances(stage, &uid).await?;
    let statuses: Vec<_> = instances.iter().filter_map(|instance| instance.status.as_ref()).collect();
    let recorded: BTreeSet<_> = statuses.iter().filter_map(|status| status.instance_id.clone()).collect();
    let names: BTreeSet<_> = statuses.iter().filter_map(|status| status.instance_name.as_deref()).collect();
    let existing = stage.sim.machines(false).await?;
    let named: Vec<_> =
        existing.into_iter().filter(|machine| names.contains(machine.name.as_str())).collect();
    let running: BTreeSet<_> = named.iter().map(|machine| machine.id.clone()).collect();
    let told = ids(pool);
    ensure!(told == running, "the status names {told:?}, the cloud runs {running:?}");
    ensure!(recorded.is_superset(&running), "recorded are {recorded:?}, the cloud runs {running:?}");
    Ok(named)
}

pub(crate) async fn last_event(stage: &Stage) -> Result<u64> {
    Ok(stage.sim.ledger(0).await?.last().map_or(0, |event| event.seq))
}

/// Launches that a call of ours made, after event `since`.
pub(crate) async fn launches(stage: &Stage, since: u64) -> Result<Vec<SimEvent>> {
    let by_a_call = |event: &SimEvent| event.rest.get("caller").is_some_and(|caller| !caller.is_null());
    let ledger = stage.sim.ledger(since).await?;
    Ok(ledger.into_iter().filter(|event| event.event == "launched" && by_a_call(event)).collect())
}

/// Machines whose termination was accepted after event `since`.
pub(crate) async fn terminations(stage: &Stage, since: u64) -> Result<Vec<String>> {
    let ledger = stage.sim.ledger(since).await?;
    let accepted = ledger.into_iter().filter(|event| event.event == "termination_accepted");
    Ok(accepted.filter_map(|event| event.instance_id).collect())
}

/// What a person would look at now.
fn show(stage: &Stage) -> Result<()> {
    for kind in ["spotpools", "spotinstances"] {
        println!("\n$ kubectl get {kind}\n{}", stage.kubectl(&["get", kind])?.trim_end());
    }
    println!();
    Ok(())
}

async fn calls(stage: &Stage) -> Result<String> {
    let mut counted = Vec::new();
    for action in ["DescribeInstances", "RunInstances", "TerminateInstances"] {
        counted.push(format!("{} {action}", stage.sim.calls(action).await?));
    }
    Ok(counted.join(", "))
}

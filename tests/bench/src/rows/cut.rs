//! The operator's way to the machines is cut: they serve on, and nobody can see it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use sim::cvm::{Settings, World};

use crate::Ask;
use crate::figures::{Figure, Measured, seconds};
use crate::stage::{Stage, in_simulated_time};

const POOL: i32 = 10;
const CUT: Duration = Duration::from_secs(1800);
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// A killed operator is followed by another after this.
const SUCCESSOR: Duration = Duration::from_secs(9);
/// Cuts that begin at another moment each.
const TIMES: u64 = 10;

struct Cut {
    ended: u64,
    launched: u64,
    back: Duration,
    ended_after: u64,
    at_rest: usize,
}

async fn one(seed: u64) -> Result<Cut> {
    let stage = Stage::build(seed, Settings::default(), World::sample())?;
    let key = stage.create_pool("unseen", (POOL, POOL), |_| {})?;
    let first = stage.start_operator()?;
    let soon = Duration::from_secs(600);
    stage.until("ten machines that serve", soon, || stage.ready(&key) == POOL).await?;
    stage.pass(Duration::from_millis(120_000 + seed % 10 * 700)).await;
    let ended = |stage: &Stage| stage.answers("TerminateInstances", Some("OK"));
    let launched = |stage: &Stage| stage.answers("RunInstances", Some("OK"));
    let before = (ended(&stage), launched(&stage));
    stage.cut.store(true, Ordering::Relaxed);
    let mut successor = None;
    if seed % 2 == 1 {
        // The one that follows has asked nobody, and knows of nobody that answers.
        stage.pass(CUT / 2).await;
        stage.kill(&first);
        stage.pass(SUCCESSOR).await;
        successor = Some(stage.start_operator()?);
        stage.pass(CUT / 2 - SUCCESSOR).await;
    } else {
        stage.pass(CUT).await;
    }
    let during = (ended(&stage), launched(&stage));
    stage.cut.store(false, Ordering::Relaxed);
    let back = stage.until("full service", soon, || stage.ready(&key) >= POOL).await?;
    stage.pass(soon).await;
    drop(successor);
    Ok(Cut {
        ended: during.0 - before.0,
        launched: during.1 - before.1,
        back,
        ended_after: ended(&stage) - during.0,
        at_rest: stage.machines().len(),
    })
}

pub(crate) fn measure(Ask { seed, .. }: Ask) -> Result<Measured> {
    let cuts: Vec<Cut> = (0..TIMES).map(|more| in_simulated_time(one(seed + more))).collect::<Result<_>>()?;
    let most = |of: fn(&Cut) -> u64| cuts.iter().map(of).max().unwrap_or(0);
    let back = cuts.iter().map(|cut| cut.back).max().unwrap_or_default();
    let surplus = cuts.iter().all(|cut| cut.ended_after == cut.launched && cut.at_rest == POOL as usize);
    let figures = vec![
        Figure::new("terminations during the cut", most(|cut| cut.ended).to_string())
            .floor("0")
            .plain_loop("0 (it asks no machine)")
            .aims_at("0", most(|cut| cut.ended) == 0),
        Figure::new("machines started beside the others", most(|cut| cut.launched).to_string())
            .floor("1")
            .plain_loop("0"),
        Figure::new("the cut ends -> all shown as serving", format!("{} at most", seconds(back)))
            .floor(format!("{} (the next question)", seconds(PROBE_EVERY)))
            .plain_loop("-")
            .aims_at("<= 2 probe intervals (10 s)", back <= 2 * PROBE_EVERY),
        Figure::new(
            "terminations after",
            format!("{} at most; {POOL} machines at rest", most(|cut| cut.ended_after)),
        )
        .floor("the surplus")
        .plain_loop("0")
        .aims_at("only the surplus", surplus),
    ];
    let how = format!(
        "A pool of {POOL} serves; no model server can be reached for {} minutes, and then all can. {TIMES} cuts that \
         begin at another moment each; in every second one the operator is killed half way, and followed by another.",
        CUT.as_secs() / 60
    );
    Ok(Measured { figures, how })
}

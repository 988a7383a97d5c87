//! A pool is deleted while a tenth of its machines still boots, which the cloud does not terminate.

use std::time::Duration;

use anyhow::Result;
use sim::cvm::{Settings, Span, State, What};
use simulation::gate::{Bait, Deed, Edge, Trap};

use crate::Ask;
use crate::figures::{Figure, Measured, seconds};
use crate::plain_loop::{PlainLoop, Size};
use crate::stage::{Process, Stage, in_simulated_time};

const WITHIN: Duration = Duration::from_secs(90);
/// The boot of those that are pending when the pool is deleted.
const SLOW_BOOT: Duration = Duration::from_secs(60);
const TERMINATE: Duration = Duration::from_secs(2);
/// A Lease that is not renewed is taken over after this.
const SUCCESSOR: Duration = Duration::from_secs(9);
/// The pool that is killed at each effect.
const SMALL: i32 = 20;
/// The pool that is measured.
const LARGE: i32 = 500;
/// Kills of one that is deleted while launches are under way.
const UNDER_WAY: u32 = 4;

struct Deleted {
    /// From the deletion to the last object's end.
    whole: Duration,
    /// From the deletion to the last machine's end.
    unmanned: Duration,
    /// Of that, what the cloud's own state changes took.
    clouds: Duration,
    /// Effects of the first process, from the deletion on.
    effects: u64,
    killed: bool,
    left: usize,
}

/// Whether every launch is answered and recorded when the pool is deleted.
#[derive(Clone, Copy, PartialEq)]
enum Launches {
    Answered,
    UnderWay,
}

/// Deletes a pool of this size, and kills the operator after so many effects, if any.
async fn delete(seed: u64, size: i32, launches: Launches, kill_after: Option<u32>) -> Result<Deleted> {
    let stage = Stage::spacious(seed)?;
    let booted = size - size / 10;
    let key = stage.create_pool("doomed", (booted, size), |_| {})?;
    let process = stage.start_operator()?;
    let hour = Duration::from_secs(3600);
    stage.until("nine in ten to serve", hour, || stage.ready(&key) == booted).await?;
    stage.cloud.with(|cloud| {
        let settings = Settings { boot: Span::exactly(SLOW_BOOT), ..cloud.settings().clone() };
        cloud.set_settings(settings);
    });
    stage.store.edit_pool(&key, |spec| spec.minimum = size)?;
    let all_made = || stage.machines().len() == size as usize;
    stage.until("one in ten to boot", hour, all_made).await?;
    if launches == Launches::Answered {
        let recorded = || {
            let instances = stage.instances();
            instances.iter().all(|it| it.status.as_ref().is_some_and(|status| status.instance_id.is_some()))
        };
        stage.until("every answer to be recorded", Duration::from_secs(30), recorded).await?;
    }
    let pending = stage.machines().iter().filter(|(_, state)| *state == State::Pending).count();
    anyhow::ensure!(pending == (size / 10) as usize, "{pending} machines are pending");

    let since = stage.last_event();
    let begun = stage.truth.elapsed();
    let effects_before = process.gate.effects();
    stage.store.delete_pool(&key)?;
    let mut killed = false;
    let mut successor: Option<Process> = None;
    let mut sprung = kill_after.map(|skip| {
        let (mut trap, told) = Trap::new(Bait::Effect, Edge::After, Deed::Die);
        trap.skip = skip;
        process.gate.arm(trap);
        told
    });
    let nothing_left =
        || stage.pool(&key).is_none() && stage.instances().is_empty() && stage.machines().is_empty();
    let limit = stage.truth.elapsed() + hour;
    let mut unmanned = Duration::ZERO;
    while !nothing_left() && stage.truth.elapsed() < limit {
        if sprung.as_mut().is_some_and(|told| told.try_recv().is_ok()) {
            (killed, sprung) = (true, None);
            stage.kill(&process);
            stage.pass(SUCCESSOR).await;
            successor = Some(stage.start_operator()?);
        }
        stage.pass(Duration::from_millis(100)).await;
        if !stage.machines().is_empty() {
            unmanned = stage.truth.elapsed().saturating_sub(begun);
        }
    }
    drop(successor);
    let whole = stage.truth.elapsed().saturating_sub(begun);
    let last_up = stage
        .events_since(since)
        .iter()
        .filter(|event| matches!(event.what, What::Running { .. }))
        .map(|event| stage.since_start(event.at).saturating_sub(begun))
        .max();
    Ok(Deleted {
        whole,
        unmanned,
        clouds: last_up.unwrap_or_default() + TERMINATE,
        effects: process.gate.effects() - effects_before,
        killed,
        left: stage.machines().len(),
    })
}

/// The loop's pool is deleted: machines that exist ten minutes later.
async fn the_loop(seed: u64) -> Result<(usize, usize)> {
    let stage = Stage::spacious(seed)?;
    let keeper = PlainLoop::start(&stage, Size { minimum: 20, maximum: 20 });
    stage.pass(Duration::from_secs(120)).await;
    let before = stage.machines().len();
    keeper.delete();
    stage.pass(Duration::from_secs(600)).await;
    Ok((before, stage.machines().len()))
}

pub(crate) fn measure(Ask { seed, kills }: Ask) -> Result<Measured> {
    let run = |size, launches, kill| in_simulated_time(delete(seed, size, launches, kill));
    let whole = |deleted: &Deleted| deleted.whole;
    let plain = run(LARGE, Launches::Answered, None)?;
    let (before, left) = in_simulated_time(the_loop(seed))?;
    let small = run(SMALL, Launches::Answered, None)?;
    let each: Vec<Deleted> = (0..small.effects)
        .map(|effect| run(SMALL, Launches::Answered, u32::try_from(effect).ok()))
        .collect::<Result<_>>()?;
    let all = u32::try_from(plain.effects).unwrap_or(u32::MAX);
    let kills = kills.min(all);
    let sampled: Vec<Deleted> = (0..kills)
        .map(|part| {
            run(
                LARGE,
                Launches::Answered,
                u32::try_from(u64::from(part) * plain.effects / u64::from(kills)).ok(),
            )
        })
        .collect::<Result<_>>()?;
    let under_way: Vec<Deleted> =
        (0..UNDER_WAY).map(|effect| run(SMALL, Launches::UnderWay, Some(effect))).collect::<Result<_>>()?;
    let figure = |what: String, runs: &[Deleted], until: fn(&Deleted) -> Duration| {
        let worst = runs.iter().map(|run| until(run).saturating_sub(run.clouds)).max().unwrap_or_default();
        let clouds = runs.iter().map(|deleted| deleted.clouds).max().unwrap_or_default();
        let left: usize = runs.iter().map(|deleted| deleted.left).sum();
        let ours =
            format!("{} besides the cloud's {}; {left} machines left", seconds(worst), seconds(clouds));
        (Figure::new(what, ours), worst <= WITHIN && left == 0)
    };
    let aims = |(figure, reached): (Figure, bool)| figure.aims_at("<= 90 s besides, 0 left", reached);
    let lease = format!("{} besides (the Lease)", seconds(SUCCESSOR));
    let killed = each.iter().filter(|deleted| deleted.killed).count();
    let which = if kills == all {
        format!("each of its {all} effects in turn")
    } else {
        format!("{kills} of its {all} effects, evenly")
    };
    let unanswered = format!("pool of {SMALL}, killed while a launch has no answer");
    let figures = vec![
        aims(figure(
            format!("pool of {LARGE}, a tenth of them pending"),
            std::slice::from_ref(&plain),
            whole,
        ))
        .floor("0.5 s besides (ten requests at 10 a second, half of them a second later)")
        .plain_loop(format!("{left} of {before} machines left ten minutes later")),
        aims(figure(
            format!("pool of {SMALL}, killed after each of its {killed} effects in turn"),
            &each,
            whole,
        ))
        .floor(lease.clone()),
        aims(figure(format!("pool of {LARGE}, killed after {which}"), &sampled, whole)).floor(lease.clone()),
        aims(figure(format!("{unanswered}: machines"), &under_way, |run| run.unmanned)).floor(lease),
        figure(format!("{unanswered}: objects"), &under_way, whole)
            .0
            .floor("about 360 s besides (forgetAfter)"),
    ];
    let how = format!(
        "Nine in ten serve, the rest is PENDING for {} s and cannot be terminated before. The time is from the pool's \
         deletion until pool, SpotInstances and machines are gone, and the worst run counts; what the cloud takes for \
         itself is the last boot and {} s to terminate. A killed operator is followed by another {} s later, when its \
         Lease is over. A launch whose answer nobody has recorded may still turn into a machine: its SpotInstance, and \
         with it the pool, is kept until forgetAfter (420 s) is over, by design.",
        SLOW_BOOT.as_secs(),
        TERMINATE.as_secs(),
        SUCCESSOR.as_secs()
    );
    Ok(Measured { figures, how })
}

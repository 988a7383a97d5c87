//! Machines of a large pool vanish one by one, while others use the account too: how soon RunInstances arrives at the
//! cloud for each, and with how many calls.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use sim::cvm::{Settings, What};

use crate::Ask;
use crate::figures::{Figure, Measured, percentile, percentiles};
use crate::plain_loop::{PlainLoop, Size};
use crate::stage::{Stage, in_simulated_time};

const POOL: i32 = 2000;
const LOSSES: usize = 250;
/// What others use of the account's budget.
const OTHERS: f64 = 0.3;
const LOOK_EVERY: Duration = Duration::from_secs(2);
const PAGE: u64 = 100;
const CALLS_A_SECOND: f64 = 40.0;
const P99: Duration = Duration::from_secs(3);
/// The pool of the plain loop, which sees no more than a page of 20.
const LOOPS_POOL: usize = 16;
const LOOPS_LOSSES: usize = 120;

struct Ours {
    latencies: Vec<Duration>,
    calls: BTreeMap<String, u64>,
    floor: u64,
    throttled: u64,
    asked: usize,
}

fn calls_by_kind(stage: &Stage) -> BTreeMap<String, u64> {
    stage.cloud.with(|cloud| {
        let calls = cloud.ledger().calls().iter();
        let others = calls.filter(|(action, _)| *action != "DescribeInstances");
        let others = others.map(|(action, codes)| (action.clone(), codes.values().sum()));
        let looks = cloud.ledger().looks().iter().map(|(asked, count)| {
            let what = match asked.as_str() {
                "ids" => "by id",
                "all" => "pages of the whole account",
                "instance-name" => "by name",
                _ => "pages by tag",
            };
            (what.to_owned(), *count)
        });
        others.chain(looks).collect()
    })
}

fn throttled(stage: &Stage) -> u64 {
    ["DescribeInstances", "RunInstances", "TerminateInstances", "DescribeZoneInstanceConfigInfos"]
        .iter()
        .map(|action| stage.answers(action, Some("RequestLimitExceeded")))
        .sum()
}

/// When each machine vanished, and when something that `asks` came in, since that event.
fn moments(stage: &Stage, since: u64, asks: fn(&What) -> bool) -> (Vec<Duration>, Vec<Duration>) {
    let events = stage.events_since(since);
    let at = |wanted: fn(&What) -> bool| {
        let found = events.iter().filter(|event| wanted(&event.what));
        found.map(|event| stage.since_start(event.at)).collect()
    };
    (at(|what| matches!(what, What::Gone { .. })), at(asks))
}

/// The first request answers the first loss, and so on: no pairing has a smaller worst case.
fn paired(lost: &[Duration], asked: &[Duration]) -> Vec<Duration> {
    lost.iter().zip(asked).map(|(lost, asked)| asked.saturating_sub(*lost)).collect()
}

async fn ours(seed: u64) -> Result<Ours> {
    let stage = Stage::spacious(seed)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let key = stage.create_pool("large", (POOL, POOL), |_| {})?;
    stage.start_operator()?;
    let hour = Duration::from_secs(3600);
    stage.until("2,000 machines that serve", hour, || stage.ready(&key) == POOL).await?;
    // What was launched last is past its windows.
    stage.pass(Duration::from_secs(120)).await;
    stage.cloud.with(|cloud| {
        let settings = Settings { others_use: OTHERS, ..cloud.settings().clone() };
        cloud.set_settings(settings);
    });
    let (since, before, throttled_before) = (stage.last_event(), calls_by_kind(&stage), throttled(&stage));
    let begun = stage.truth.elapsed();
    let mut victims = stage.serving();
    victims.shuffle(&mut rng);
    let mut windows = std::collections::BTreeSet::new();
    for victim in victims.iter().take(LOSSES) {
        stage.cloud.with(|cloud| cloud.vanish(victim))?;
        windows.insert(stage.truth.elapsed().saturating_sub(begun).as_secs() / LOOK_EVERY.as_secs());
        stage.pass(Duration::from_millis(rng.random_range(1000..1500))).await;
    }
    let asks: fn(&What) -> bool =
        |what| matches!(what, What::Received(caller) if caller.action == "RunInstances");
    stage
        .until("a request for each loss", Duration::from_secs(60), || {
            moments(&stage, since, asks).1.len() >= LOSSES
        })
        .await?;
    let took = stage.truth.elapsed().saturating_sub(begun);
    let mut calls = calls_by_kind(&stage);
    for (action, count) in &mut calls {
        *count -= before.get(action).copied().unwrap_or(0);
    }
    let throttled = throttled(&stage) - throttled_before;
    stage.until("the pool to be whole", Duration::from_secs(300), || stage.ready(&key) == POOL).await?;
    let (lost, asked) = moments(&stage, since, asks);
    let looks = (took.as_secs_f64() / LOOK_EVERY.as_secs_f64()).floor() as u64;
    let pages = (POOL as u64).div_ceil(PAGE);
    // Every page of every look, one question by id in each look that misses something, one request for each loss.
    let floor = looks * pages + windows.len() as u64 + LOSSES as u64;
    Ok(Ours { latencies: paired(&lost, &asked), calls, floor, throttled, asked: asked.len() })
}

/// Looks back to back at the rate that others leave, one more question by id, and the request's way.
fn floor(seed: u64) -> Vec<Duration> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let law = |p50: f64, p99: f64| LogNormal::new(p50.ln(), (p99 / p50).ln() / 2.326_347_874).ok();
    let (Some(look), Some(run)) = (law(0.12, 0.4), law(0.6, 1.5)) else { return Vec::new() };
    let pages = (POOL as u64).div_ceil(PAGE) as f64;
    let whole = (pages + 1.0) / (CALLS_A_SECOND * (1.0 - OTHERS));
    let mut one = || {
        let waits = rng.random_range(0.0..whole);
        let (page, by_id) = (look.sample(&mut rng), look.sample(&mut rng));
        Duration::from_secs_f64(waits + page + by_id + run.sample(&mut rng) / 2.0)
    };
    (0..10_000).map(|_| one()).collect()
}

/// Machines of the plain loop vanish one by one: how soon a new one is made for each.
async fn the_loop(seed: u64) -> Result<Vec<Duration>> {
    let stage = Stage::spacious(seed)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let size = Size { minimum: LOOPS_POOL, maximum: LOOPS_POOL };
    let _keeper = PlainLoop::start(&stage, size);
    stage.pass(Duration::from_secs(120)).await;
    let since = stage.last_event();
    for _ in 0..LOOPS_LOSSES {
        let machines = stage.machines();
        if let Some((victim, _)) = machines.first() {
            stage.cloud.with(|cloud| cloud.vanish(victim))?;
        }
        stage.pass(Duration::from_millis(rng.random_range(9_000..11_000))).await;
    }
    stage.pass(Duration::from_secs(60)).await;
    let (lost, made) = moments(&stage, since, |what| matches!(what, What::Launched(_)));
    Ok(paired(&lost, &made))
}

/// What the plain loop does with a pool of 2,000 in ten minutes: machines that it has.
async fn the_loops_large_pool(seed: u64) -> Result<usize> {
    let stage = Stage::spacious(seed)?;
    let size = Size { minimum: POOL as usize, maximum: POOL as usize };
    let _keeper = PlainLoop::start(&stage, size);
    stage.pass(Duration::from_secs(600)).await;
    Ok(stage.machines().len())
}

pub(crate) fn measure(Ask { seed, .. }: Ask) -> Result<Measured> {
    let Ours { latencies, calls, floor: calls_floor, throttled, asked } = in_simulated_time(ours(seed))?;
    let the_loop = in_simulated_time(the_loop(seed))?;
    let large = in_simulated_time(the_loops_large_pool(seed))?;
    let p99 = percentile(&latencies, 99).unwrap_or(Duration::MAX);
    let total: u64 = calls.values().sum();
    let ratio = total as f64 / calls_floor as f64;
    let by_kind: Vec<String> = calls
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(action, count)| format!("{count} {action}"))
        .collect();
    let shown = [50, 99, 100];
    let figures = vec![
        Figure::new("lost -> RunInstances at the cloud", percentiles(&latencies, &shown))
            .floor(percentiles(&floor(seed), &[50, 99]))
            .plain_loop(format!("{} (pool of {LOOPS_POOL})", percentiles(&the_loop, &shown)))
            .aims_at("p99 <= 3 s", p99 <= P99),
        Figure::new("requests for losses", format!("{asked} for {LOSSES}"))
            .floor(LOSSES.to_string())
            .plain_loop(format!("pool of 2,000: {large} machines after 10 minutes"))
            .aims_at("one each", asked == LOSSES),
        Figure::new("calls", format!("{total} ({}), {ratio:.3} x floor", by_kind.join(", ")))
            .floor(calls_floor.to_string())
            .aims_at("<= 1.05 x floor", ratio <= 1.05),
        Figure::new("RequestLimitExceeded, others using 30 %", throttled.to_string())
            .floor("0")
            .aims_at("0", throttled == 0),
    ];
    let how = format!(
        "A pool of {POOL} that serves; {LOSSES} machines that sweeps have seen vanish 1.0 to 1.5 s apart, in an order \
         drawn from the seed. The floor of the time looks back to back at the rate that others leave, asks once more by \
         id and sends at once; the floor of the calls is every page of a look every {} s, one question by id in each \
         look that misses something, and one request for each loss. The loop asks for all that is missing in one \
         request and reads one page of 20: it cannot hold a pool of 2,000 at all.",
        LOOK_EVERY.as_secs()
    );
    Ok(Measured { figures, how })
}

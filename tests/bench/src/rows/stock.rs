//! Everything is sold out for a long time, and then a machine can be had: what waiting costs, and how soon it is bought.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::cvm::{Lie, Settings, Span, What, World, ZoneInformation};
use spotpool_operator::crd::Candidate;

use super::candidates::{all_candidates, set_stock};
use crate::Ask;
use crate::figures::{Figure, Measured, percentile, percentiles};
use crate::line::Asked;
use crate::plain_loop::{PlainLoop, Size};
use crate::stage::{Stage, in_simulated_time};

const LASTS: Duration = Duration::from_secs(3 * 3600);
const HOUR: Duration = Duration::from_secs(3600);
/// The longest pause between two requests: the back-off of a candidate is at most 60 s, and 60 requests an hour are
/// spread so that it is 120 s when many were refused. And the answer.
const STEP: Duration = Duration::from_secs(122);
/// Such a pause for each of the 24: nothing tells which of them has stock, and an hour's refusals are used up.
const EACH_IN_TURN: Duration = Duration::from_secs(24 * 120);
const WHEN_TOLD: Duration = Duration::from_secs(20);
const MOST_REFUSED: usize = 60;

/// The pool that may have any of the 24.
const LARGE: i32 = 50;

/// Sold out for as long as that, in seconds.
const SHORTEST: u64 = 300;
const LONGEST: u64 = 4800;

#[derive(Default)]
struct Waited {
    /// From the stock's return to the machine.
    returns: Vec<Duration>,
    /// The most refusals within an hour, of any pool.
    refused: usize,
}

/// The most of these times that lie within an hour.
fn most_in_an_hour(times: &[Duration]) -> usize {
    let from = |(first, begin): (usize, &Duration)| {
        times[first..].iter().take_while(|time| time.saturating_sub(*begin) < HOUR).count()
    };
    times.iter().enumerate().map(from).max().unwrap_or(0)
}

/// The cloud refused the request; that one came too soon says nothing of the stock.
fn is_refused(asked: &Asked) -> bool {
    asked.refused.as_deref().is_some_and(|code| code != "RequestLimitExceeded")
}

/// One pool for each of 24 kinds of machine, each sold out and returning in its own time.
async fn ours(seed: u64, information: ZoneInformation) -> Result<Waited> {
    let settings = Settings { zone_information: information, stock_returns: false, ..Settings::default() };
    let world = World::wide();
    let candidates = all_candidates(&world);
    let stage = Stage::build(seed, settings, world)?;
    for (index, candidate) in candidates.iter().enumerate() {
        set_stock(&stage, candidate, 0)?;
        stage.create_pool(&format!("pool-{index}"), (1, 1), |spec| {
            spec.candidates = Some(vec![candidate.clone()]);
        })?;
    }
    stage.start_operator()?;
    let returns: Mutex<Vec<Duration>> = Mutex::default();
    let stage = &stage;
    let each = candidates.iter().enumerate().map(|(index, candidate)| {
        let rng = ChaCha8Rng::seed_from_u64(seed ^ (index as u64) << 32);
        comes_and_goes(stage, candidate, rng, &returns)
    });
    // They go on for ever.
    let _ = tokio::time::timeout(LASTS, futures::future::join_all(each)).await;
    let mut refused: BTreeMap<(String, String), Vec<Duration>> = BTreeMap::new();
    for asked in stage.log.launches() {
        if is_refused(&asked) {
            refused.entry((asked.instance_type, asked.zone)).or_default().push(asked.answered);
        }
    }
    let refused = refused.values().map(|times| most_in_an_hour(times)).max().unwrap_or(0);
    Ok(Waited { returns: returns.into_inner().unwrap_or_else(PoisonError::into_inner), refused })
}

async fn comes_and_goes(
    stage: &Stage,
    candidate: &Candidate,
    mut rng: ChaCha8Rng,
    returns: &Mutex<Vec<Duration>>,
) {
    let mine = || -> Option<String> {
        stage.cloud.with(|cloud| {
            let mut existing = cloud.existing();
            let mine = existing.find(|machine| {
                machine.instance_type == candidate.instance_type
                    && machine.zone == candidate.availability_zone
                    && machine.made_by.is_some()
            });
            mine.map(|machine| machine.id.clone())
        })
    };
    loop {
        stage.pass(Duration::from_millis(rng.random_range(SHORTEST * 1000..LONGEST * 1000))).await;
        let returned = stage.truth.elapsed();
        // The candidate is one of the world's.
        let _ = set_stock(stage, candidate, 1);
        while mine().is_none() {
            stage.pass(Duration::from_millis(50)).await;
        }
        let waited = stage.truth.elapsed().saturating_sub(returned);
        returns.lock().unwrap_or_else(PoisonError::into_inner).push(waited);
        stage.pass(Duration::from_secs(120)).await;
        if let Some(id) = mine() {
            let _ = stage.cloud.with(|cloud| cloud.vanish(&id));
        }
    }
}

/// A pool that may have any of the 24, all of them sold out; then one of them can be had, as many as are wanted.
async fn one_pool(seed: u64, information: ZoneInformation) -> Result<(Waited, Vec<Duration>)> {
    let settings = Settings { zone_information: information, stock_returns: false, ..Settings::default() };
    let mut world = World::wide();
    for zone in world.regions.values_mut().flat_map(|region| region.zones.values_mut()) {
        zone.spot_quota = 100_000;
    }
    let candidates = all_candidates(&world);
    let stage = Stage::build(seed, settings, world)?;
    stage.cloud.with(|cloud| cloud.set_instance_quota(crate::stage::ACCOUNT, 1000))?;
    for candidate in &candidates {
        set_stock(&stage, candidate, 0)?;
    }
    stage.create_pool("choosy", (LARGE, LARGE), |spec| spec.candidates = Some(candidates.clone()))?;
    stage.start_operator()?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut first, mut whole) = (Vec::new(), Vec::new());
    while stage.truth.elapsed() < LASTS {
        stage.pass(Duration::from_millis(rng.random_range(SHORTEST * 1000..LONGEST * 1000))).await;
        let returned = &candidates[rng.random_range(0..candidates.len())];
        set_stock(&stage, returned, LARGE.unsigned_abs())?;
        let begun = stage.truth.elapsed();
        for (enough, waited) in [(1, &mut first), (LARGE.unsigned_abs() as usize, &mut whole)] {
            stage
                .until(&format!("machine {enough} of {LARGE}"), HOUR, || stage.machines().len() >= enough)
                .await?;
            waited.push(stage.truth.elapsed().saturating_sub(begun));
        }
        stage.pass(Duration::from_secs(120)).await;
        for (id, _) in stage.machines() {
            stage.cloud.with(|cloud| cloud.vanish(&id))?;
        }
    }
    let refused = stage.log.launches().into_iter().filter(is_refused);
    let times: Vec<Duration> = refused.map(|asked| asked.answered).collect();
    Ok((Waited { returns: first, refused: most_in_an_hour(&times) }, whole))
}

/// The loop's only kind of machine, sold out and returning.
async fn the_loop(seed: u64) -> Result<Waited> {
    let stage = Stage::build(seed, Settings { stock_returns: false, ..Settings::default() }, World::wide())?;
    let all = all_candidates(&World::wide());
    let own = |candidate: &&Candidate| {
        candidate.instance_type == "GN7.2XLARGE32" && candidate.availability_zone == "ap-singapore-2"
    };
    let Some(candidate) = all.iter().find(own) else { anyhow::bail!("the loop's machine is not sold") };
    set_stock(&stage, candidate, 0)?;
    let _keeper = PlainLoop::start(&stage, Size { minimum: 1, maximum: 1 });
    let returns = Arc::new(Mutex::default());
    let rng = ChaCha8Rng::seed_from_u64(seed);
    let _ = tokio::time::timeout(LASTS * 8, comes_and_goes(&stage, candidate, rng, &returns)).await;
    let events = stage.events_since(0);
    let refused = events.iter().filter(|event| matches!(event.what, What::Refused { .. }));
    let times: Vec<Duration> = refused.map(|event| stage.since_start(event.at)).collect();
    let returns = returns.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Waited { returns, refused: most_in_an_hour(&times) })
}

pub(crate) fn measure(Ask { seed, .. }: Ask) -> Result<Measured> {
    let lying = |lie| ZoneInformation { lie: Some(lie), ..ZoneInformation::default() };
    let late = Span::between(Duration::from_secs(10), Duration::from_secs(60));
    let tellings = || {
        [
            ("true", ZoneInformation::default(), true),
            ("10 to 60 s late", ZoneInformation { lag: late, ..ZoneInformation::default() }, false),
            ("everything is in stock", lying(Lie::Sell), false),
            ("everything is sold out", lying(Lie::SoldOut), false),
        ]
    };
    let the_loop = in_simulated_time(the_loop(seed))?;
    let shown = [50, 95, 100];
    let mut figures = Vec::new();
    for (name, information, told) in tellings() {
        let Waited { returns, refused } = in_simulated_time(ours(seed, information))?;
        let p95 = percentile(&returns, 95).unwrap_or(Duration::MAX);
        let (to_reach, limit) = if told {
            ("p95 <= 20 s", WHEN_TOLD)
        } else {
            ("p95 <= one step (60 s, 120 s when the hour's refusals are used up)", STEP)
        };
        figures.push(
            Figure::new(format!("information: {name}: refused in any hour, at most"), refused.to_string())
                .floor("0")
                .plain_loop(the_loop.refused.to_string())
                .aims_at("<= 60", refused <= MOST_REFUSED),
        );
        figures.push(
            Figure::new(
                format!("information: {name}: stock returns -> machine"),
                format!("{} ({} times)", percentiles(&returns, &shown), returns.len()),
            )
            .floor("p50 0.42 s (one question, one request on its way)")
            .plain_loop(percentiles(&the_loop.returns, &shown))
            .aims_at(to_reach, p95 <= limit),
        );
    }
    for (name, information, told) in tellings() {
        let (Waited { returns, refused }, whole) = in_simulated_time(one_pool(seed, information))
            .with_context(|| format!("one pool, information: {name}"))?;
        let of_pool = |what: &str| format!("pool of {LARGE} with all 24, information: {name}: {what}");
        figures.push(
            Figure::new(of_pool("refused in any hour, at most"), refused.to_string())
                .floor("0")
                .aims_at("<= 60", refused <= MOST_REFUSED),
        );
        let soon = Figure::new(
            of_pool("stock returns -> first machine"),
            format!("{} ({} times)", percentiles(&returns, &shown), returns.len()),
        );
        let p95 = percentile(&returns, 95).unwrap_or(Duration::MAX);
        figures.push(if told {
            soon.floor("p50 0.42 s (one question, one request on its way)")
                .aims_at("p95 <= 20 s", p95 <= WHEN_TOLD)
        } else {
            soon.floor("24 minutes at most (60 requests an hour, each of the 24 in turn)").aims_at(
                "p95 <= 48 minutes (a step of the hour's refusals for each of the 24)",
                p95 <= EACH_IN_TURN,
            )
        });
        figures.push(Figure::new(of_pool("stock returns -> all of them"), percentiles(&whole, &shown)));
    }
    let how = format!(
        "24 pools of one machine, each of a type and a zone of its own, sold out for {} to {} minutes again and again \
         over {} hours; then one machine can be had. After that one pool of {LARGE} that may have any of the 24: sold out \
         for as long, then {LARGE} of one kind can be had.",
        SHORTEST / 60,
        LONGEST / 60,
        LASTS.as_secs() / 3600
    );
    Ok(Measured { figures, how })
}

//! The same hour and a quarter for ours and for the plain loop: five machines of somebody else's in the account, losses, a
//! lost answer while listings lag, a listing that comes back empty, a larger pool, and its end.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use sim::cvm::{Fault, FaultRule, Loss, Settings, Span, Stranger, What, World};
use spotpool_operator::ports::PoolKey;

use crate::Ask;
use crate::figures::{Figure, Measured};
use crate::plain_loop::{PlainLoop, Size};
use crate::stage::{Stage, in_simulated_time};

const STRANGERS: usize = 5;
const SMALL: usize = 3;
const LARGE: usize = 25;
/// Before this nobody can have filled the pool; the seconds are not counted.
const FILLED: Duration = Duration::from_secs(120);
const GROWS: Duration = Duration::from_secs(3000);
const ENDS: Duration = Duration::from_secs(3900);
const OVER: Duration = Duration::from_secs(4800);

/// Who keeps the pool.
enum Keeper {
    Ours(PoolKey),
    Loop(PlainLoop),
}

impl Keeper {
    fn start(stage: &Stage, ours: bool) -> Result<Self> {
        if ours {
            let size = SMALL as i32;
            let key = stage.create_pool("pool", (size, size), |_| {})?;
            stage.start_operator()?;
            Ok(Self::Ours(key))
        } else {
            Ok(Self::Loop(PlainLoop::start(stage, Size { minimum: SMALL, maximum: SMALL })))
        }
    }

    fn grow(&self, stage: &Stage) -> Result<()> {
        match self {
            Self::Ours(key) => {
                stage.store.edit_pool(key, |spec| {
                    (spec.minimum, spec.maximum) = (LARGE as i32, LARGE as i32);
                })?;
            }
            Self::Loop(keeper) => keeper.edit(Size { minimum: LARGE, maximum: LARGE }),
        }
        Ok(())
    }

    fn delete(&self, stage: &Stage) -> Result<()> {
        match self {
            Self::Ours(key) => stage.store.delete_pool(key)?,
            Self::Loop(keeper) => keeper.delete(),
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Hour {
    strangers_killed: usize,
    doubles: usize,
    calls: u64,
    below: u64,
    left: usize,
}

fn wanted(since: Duration) -> usize {
    if since < GROWS {
        SMALL
    } else if since < ENDS {
        LARGE
    } else {
        0
    }
}

async fn hour(seed: u64, ours: bool) -> Result<Hour> {
    let stage = Stage::build(seed, Settings::default(), World::sample())?;
    let mut strangers = BTreeSet::new();
    for _ in 0..STRANGERS {
        strangers.insert(stage.cloud.with(|cloud| cloud.add_stranger(&Stranger::default()))?);
    }
    let keeper = Keeper::start(&stage, ours)?;
    let mut below = 0;
    // Before its deadline is over nobody can have grown the pool.
    let counts = |now: Duration| now >= FILLED && now < ENDS && !(GROWS..GROWS + FILLED).contains(&now);
    for second in 1..OVER.as_secs() {
        stage.pass(Duration::from_secs(1)).await;
        happens(&stage, &keeper, second)?;
        let now = Duration::from_secs(second);
        below += u64::from(counts(now) && stage.answering() < wanted(now));
    }
    let mut outcome = Hour { below, calls: stage.calls(), left: stage.machines().len(), ..Hour::default() };
    let mut living = BTreeSet::new();
    for event in stage.events_since(0) {
        let since = stage.since_start(event.at);
        match event.what {
            What::Launched(launch) if launch.caller.is_some() => {
                outcome.doubles += usize::from(living.len() >= wanted(since));
                living.insert(launch.instance_id);
            }
            What::TerminationAccepted { instance_id, .. } => {
                outcome.strangers_killed += usize::from(strangers.contains(&instance_id));
                living.remove(&instance_id);
            }
            What::Gone { instance_id, .. } | What::LaunchFailed { instance_id } => {
                living.remove(&instance_id);
            }
            _ => {}
        }
    }
    Ok(outcome)
}

/// What happens in this second.
fn happens(stage: &Stage, keeper: &Keeper, second: u64) -> Result<()> {
    let lag = |longest: u64| {
        stage.cloud.with(|cloud| {
            let lag = Span::exactly(Duration::from_secs(longest));
            let settings = Settings { visibility_lag: lag, ..cloud.settings().clone() };
            cloud.set_settings(settings);
        });
    };
    match second {
        // Listings lag by a minute, an answer gets lost, and a machine vanishes.
        600 => {
            lag(60);
            let lost = FaultRule::new(Fault::LostAnswer { loss: Loss::Silence }).on("RunInstances").times(1);
            stage.cloud.with(|cloud| cloud.add_fault(lost));
            vanish(stage)?;
        }
        1200 => lag(0),
        1500 => {
            let empty = FaultRule::new(Fault::EmptyListing).on("DescribeInstances").times(1);
            stage.cloud.with(|cloud| cloud.add_fault(empty));
        }
        1800 | 2000 | 2200 | 2400 | 2600 | 2800 => vanish(stage)?,
        _ if second == GROWS.as_secs() => keeper.grow(stage)?,
        3300 | 3400 | 3500 | 3600 | 3700 => vanish(stage)?,
        _ if second == ENDS.as_secs() => keeper.delete(stage)?,
        _ => {}
    }
    Ok(())
}

/// The oldest machine that a call made vanishes, if there is one.
fn vanish(stage: &Stage) -> Result<()> {
    if let Some((victim, _)) = stage.machines().first() {
        stage.cloud.with(|cloud| cloud.vanish(victim))?;
    }
    Ok(())
}

pub(crate) fn measure(Ask { seed, .. }: Ask) -> Result<Measured> {
    let ours = in_simulated_time(hour(seed, true))?;
    let plain = in_simulated_time(hour(seed, false))?;
    let figure = |what: &str, of: fn(&Hour) -> u64| {
        Figure::new(what, of(&ours).to_string()).plain_loop(of(&plain).to_string())
    };
    let none = |what: &str, of: fn(&Hour) -> u64| figure(what, of).floor("0").aims_at("0", of(&ours) == 0);
    let figures = vec![
        none("strangers' machines killed, of 5", |hour| hour.strangers_killed as u64),
        none("machines bought beyond what was wanted", |hour| hour.doubles as u64),
        figure("calls to the cloud", |hour| hour.calls),
        figure("seconds with fewer serving than the minimum", |hour| hour.below),
        none("machines left 15 minutes after the pool's deletion", |hour| hour.left as u64),
    ];
    let how = format!(
        "{STRANGERS} machines of somebody else's; a pool of {SMALL}, after {} minutes of {LARGE}, after {} minutes \
         deleted. Listings lag by a minute from the 10th to the 20th, when one answer to RunInstances gets lost and a \
         machine vanishes; one listing comes back empty in the 25th; 11 more machines vanish one by one.",
        GROWS.as_secs() / 60,
        ENDS.as_secs() / 60
    );
    Ok(Measured { figures, how })
}

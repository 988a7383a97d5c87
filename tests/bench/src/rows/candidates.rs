//! One machine is wanted, 24 candidates are named, one has stock: how many requests it takes to find it.

use std::time::Duration;

use anyhow::{Context, Result};
use sim::cvm::{Lie, Settings, Span, Stock, World, ZoneInformation};
use spotpool_operator::crd::Candidate;

use crate::Ask;
use crate::figures::{Figure, Measured, seconds};
use crate::plain_loop::{PlainLoop, Size};
use crate::stage::{Stage, in_simulated_time};

/// How true what the cloud advertises is, and how many requests may be made then.
struct Telling {
    name: &'static str,
    information: ZoneInformation,
    most: usize,
}

fn tellings() -> Vec<Telling> {
    let lying = |lie| ZoneInformation { lie: Some(lie), ..ZoneInformation::default() };
    let lag = Span::exactly(Duration::from_secs(3600));
    vec![
        Telling { name: "true", information: ZoneInformation::default(), most: 3 },
        Telling {
            name: "an hour old (all of it in stock)",
            information: ZoneInformation { lag, ..ZoneInformation::default() },
            most: 24,
        },
        Telling { name: "the opposite of the truth", information: lying(Lie::Opposite), most: 24 },
        Telling { name: "everything is in stock", information: lying(Lie::Sell), most: 24 },
        Telling { name: "everything is sold out", information: lying(Lie::SoldOut), most: 24 },
        Telling { name: "nothing is said", information: lying(Lie::Absent), most: 24 },
    ]
}

/// Four types in six zones.
pub(crate) fn all_candidates(world: &World) -> Vec<Candidate> {
    let Some(region) = world.regions.get(crate::stage::REGION) else { return Vec::new() };
    let types: Vec<&String> =
        world.types.iter().filter(|(_, kind)| kind.gpu > 0).map(|(name, _)| name).collect();
    let in_zone = |(zone, here): (&String, &sim::cvm::Zone)| {
        let candidate = |instance_type: &&String| Candidate {
            instance_type: (*instance_type).clone(),
            availability_zone: zone.clone(),
            subnet_id: here.default_subnet.clone(),
        };
        types.iter().map(candidate).collect::<Vec<_>>()
    };
    region.zones.iter().flat_map(in_zone).collect()
}

/// Sets the stock of one candidate.
pub(crate) fn set_stock(stage: &Stage, candidate: &Candidate, count: u32) -> Result<()> {
    let (zone, instance_type) = (candidate.availability_zone.clone(), candidate.instance_type.clone());
    stage.cloud.with(|cloud| cloud.set_stock(&Stock { zone, instance_type, count }))?;
    Ok(())
}

struct Found {
    requests: usize,
    /// From the wish to the machine, without the time that the answers took.
    own_time: Duration,
    whole: Duration,
}

async fn find(seed: u64, information: ZoneInformation, position: usize) -> Result<Found> {
    let (settings, world) =
        (Settings { zone_information: information, ..Settings::default() }, World::wide());
    let candidates = all_candidates(&world);
    let stage = Stage::build(seed, settings, world)?;
    for (index, candidate) in candidates.iter().enumerate() {
        set_stock(&stage, candidate, if index == position { 5 } else { 0 })?;
    }
    let key = stage.create_pool("choosy", (0, 1), |spec| spec.candidates = Some(candidates))?;
    stage.start_operator()?;
    stage.pass(Duration::from_secs(30)).await;
    let wished = stage.truth.elapsed();
    stage.store.edit_pool(&key, |spec| spec.minimum = 1)?;
    let granted = || stage.log.launches().into_iter().find(|asked| asked.refused.is_none());
    stage.until("a machine", Duration::from_secs(3600), || granted().is_some()).await?;
    let granted = granted().context("just seen")?;
    let asked = stage.log.launches();
    let answers: Duration = asked.iter().map(|asked| asked.answered.saturating_sub(asked.sent)).sum();
    let whole = granted.answered.saturating_sub(wished);
    let own_time = whole.saturating_sub(answers + stage.log.spent_on_stock());
    Ok(Found { requests: asked.len(), own_time, whole })
}

/// What the loop, which knows one type in one zone, has after ten minutes: machines and requests.
async fn the_loop(seed: u64) -> Result<(usize, u64)> {
    let world = World::wide();
    let candidates = all_candidates(&world);
    let stage = Stage::build(seed, Settings::default(), world)?;
    for (index, candidate) in candidates.iter().enumerate() {
        set_stock(&stage, candidate, if index == candidates.len() - 1 { 5 } else { 0 })?;
    }
    let _keeper = PlainLoop::start(&stage, Size { minimum: 1, maximum: 1 });
    stage.pass(Duration::from_secs(600)).await;
    Ok((stage.machines().len(), stage.answers("RunInstances", None)))
}

pub(crate) fn measure(Ask { seed, .. }: Ask) -> Result<Measured> {
    let positions = all_candidates(&World::wide()).len();
    let (machines, requests) = in_simulated_time(the_loop(seed))?;
    let the_loop = format!("{machines} machines, {requests} requests in 10 minutes");
    let mut figures = Vec::new();
    for Telling { name, information, most } in tellings() {
        let found: Vec<Found> = (0..positions)
            .map(|position| in_simulated_time(find(seed + position as u64, information, position)))
            .collect::<Result<_>>()?;
        let requests: Vec<usize> = found.iter().map(|found| found.requests).collect();
        let (fewest, greatest) =
            (requests.iter().min().copied().unwrap_or(0), requests.iter().max().copied().unwrap_or(0));
        let own = found.iter().map(|found| found.own_time).max().unwrap_or_default();
        let whole = found.iter().map(|found| found.whole).max().unwrap_or_default();
        figures.push(
            Figure::new(
                format!("information: {name}: RunInstances"),
                format!("{fewest} to {greatest}, stock in each of {positions} in turn"),
            )
            .floor(if most == 3 { "1".to_owned() } else { format!("{positions} at worst") })
            .plain_loop(the_loop.clone())
            .aims_at(format!("<= {most}"), greatest <= most),
        );
        figures.push(
            Figure::new(
                format!("information: {name}: wish -> granted"),
                format!("{} at most besides the answers ({} with them)", seconds(own), seconds(whole)),
            )
            .floor("0 besides the answers")
            .aims_at("<= 3 s besides the answers", own <= Duration::from_secs(3)),
        );
    }
    let how = format!(
        "4 types in 6 zones, all sold out but one; each of the {positions} has the stock in turn. A pool that is idle is \
         asked for its first machine. The answers are those to RunInstances and to the question what is in stock. The \
         loop knows one type in one zone, as blogs do."
    );
    Ok(Measured { figures, how })
}

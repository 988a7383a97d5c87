//! The model server of one machine dies for good while the machine runs on.

use std::time::Duration;

use anyhow::{Context, Result};
use sim::cvm::{ModelServer, Settings, World};

use crate::Ask;
use crate::figures::{Figure, Measured, seconds};
use crate::plain_loop::{PlainLoop, Size};
use crate::stage::{Stage, in_simulated_time};

const WATCHED: Duration = Duration::from_secs(600);
/// Three probes that fail, 5 s apart, then a request on its way, a boot and the shortest load, as the stand-in is set.
const FLOOR: Duration = Duration::from_millis(10_000 + 300 + 5_000 + 1_000);

#[derive(Default)]
struct Course {
    /// Seconds with fewer that answer than if nobody had done anything.
    worse: u64,
    /// Seconds with fewer than the pool asks for.
    below: u64,
    whole_after: Option<Duration>,
    ended: u64,
}

/// Watches the pool for ten minutes from the moment at which the first machine's model server dies.
async fn watch(stage: &Stage, sick: &str, behaviour: ModelServer, size: usize) -> Result<Course> {
    stage.cloud.with(|cloud| cloud.set_model_server(sick, behaviour))?;
    let begun = stage.truth.elapsed();
    let ended_before = stage.answers("TerminateInstances", Some("OK"));
    let mut course = Course::default();
    for _ in 0..WATCHED.as_secs() {
        stage.pass(Duration::from_secs(1)).await;
        let answering = stage.answering();
        course.worse += u64::from(answering + 1 < size);
        course.below += u64::from(answering < size);
        let whole = course.whole_after.filter(|_| answering >= size);
        let now = stage.truth.elapsed().saturating_sub(begun);
        course.whole_after = whole.or((answering >= size).then_some(now));
    }
    course.ended = stage.answers("TerminateInstances", Some("OK")) - ended_before;
    Ok(course)
}

async fn ours(seed: u64, size: i32, behaviour: ModelServer) -> Result<(Course, usize)> {
    let stage = Stage::build(seed, Settings::default(), World::sample())?;
    let key = stage.create_pool("sick", (size, size), |_| {})?;
    stage.start_operator()?;
    stage.until("all to serve", Duration::from_secs(600), || stage.ready(&key) == size).await?;
    stage.pass(Duration::from_secs(120)).await;
    let sick = stage.serving().first().cloned().context("nobody serves")?;
    let course = watch(&stage, &sick, behaviour, size as usize).await?;
    Ok((course, stage.machines().len()))
}

async fn the_loop(seed: u64, size: usize, behaviour: ModelServer) -> Result<Course> {
    let stage = Stage::build(seed, Settings::default(), World::sample())?;
    let _keeper = PlainLoop::start(&stage, Size { minimum: size, maximum: size });
    stage.pass(Duration::from_secs(120)).await;
    let (sick, _) = stage.machines().first().cloned().context("the loop has no machine")?;
    watch(&stage, &sick, behaviour, size).await
}

pub(crate) fn measure(Ask { seed, .. }: Ask) -> Result<Measured> {
    let mut figures = Vec::new();
    for size in [1, 2, 10] {
        for (name, behaviour) in [("dies", ModelServer::Die), ("hangs", ModelServer::Hang)] {
            let (course, machines) = in_simulated_time(ours(seed, size, behaviour))?;
            let the_loop = in_simulated_time(the_loop(seed, size as usize, behaviour))?;
            let replaced = course.whole_after.is_some() && machines == size as usize && course.ended == 1;
            let after = course.whole_after.map_or_else(|| "never".to_owned(), seconds);
            let never = |after: Option<Duration>| after.map_or_else(|| "never".to_owned(), seconds);
            figures.push(
                Figure::new(
                    format!("pool of {size}, one {name}: all serve again after"),
                    format!("{after}, {} machine sent away, {machines} at rest", course.ended),
                )
                .floor(format!("{} (three probes 5 s apart, and a boot)", seconds(FLOOR)))
                .plain_loop(never(the_loop.whole_after))
                .aims_at("replaced", replaced),
            );
            figures.push(
                Figure::new(
                    format!("pool of {size}, one {name}: seconds worse than without us"),
                    format!("{} ({} s below {size})", course.worse, course.below),
                )
                .floor("0")
                .plain_loop(format!("{} ({} s below {size})", the_loop.worse, the_loop.below))
                .aims_at("0", course.worse == 0),
            );
        }
    }
    let how = format!(
        "The pool serves; the model server of its first machine refuses connections, or takes them and is silent, for \
         good. Once a second for {} minutes the model servers of all machines are asked, whatever the operator believes.",
        WATCHED.as_secs() / 60
    );
    Ok(Measured { figures, how })
}

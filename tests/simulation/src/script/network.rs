//! What happens to calls on their way.

use std::time::Duration;

use sim::cvm::{Fault, Loss, Span};

use super::Scene;
use crate::kind::Kind;
use crate::site::Step;
use crate::weather::{Mishap, StoreFate};

const LAUNCH: &[Step] = &[Step::Run];
const CHANGES: &[Step] = &[Step::Run, Step::Terminate];
const LOOKS: &[Step] = &[Step::Sweep, Step::WideLook, Step::LookByName, Step::LookById];
const ALL: &[Step] =
    &[Step::Run, Step::Terminate, Step::Sweep, Step::WideLook, Step::LookByName, Step::LookById];
const WRITES: &[Step] = &[
    Step::PoolFinalizer,
    Step::Raise,
    Step::PoolStatus,
    Step::Create,
    Step::Attempt,
    Step::Outcome,
    Step::Record,
    Step::InstanceStatus,
    Step::Release,
    Step::Delete,
];
const LAUNCH_WRITES: &[Step] = &[Step::Raise, Step::Create, Step::Attempt, Step::Outcome, Step::Record];
const STORE: &[Step] = &[
    Step::ReadPool,
    Step::List,
    Step::ReadInstance,
    Step::ReadSecret,
    Step::PoolFinalizer,
    Step::Raise,
    Step::PoolStatus,
    Step::Create,
    Step::Attempt,
    Step::Outcome,
    Step::Record,
    Step::InstanceStatus,
    Step::Release,
    Step::Delete,
    Step::Publish,
];

/// Every way in which a request takes effect and its sender does not learn of it.
pub(super) fn losses() -> Vec<Fault> {
    vec![
        Fault::LostAnswer { loss: Loss::Silence },
        Fault::LostAnswer { loss: Loss::Reset },
        Fault::LostAnswer { loss: Loss::Reset },
        Fault::FailAfterCommit { code: "InternalError".to_owned() },
        // A code that nobody wrote down, told after something was made.
        Fault::FailAfterCommit { code: "OperationDenied.ComesTomorrow".to_owned() },
        Fault::HttpError { status: 502, committed: true },
        Fault::CutAnswer,
        Fault::EmptyAnswer,
        Fault::HollowAnswer,
        Fault::LostRequest { loss: Loss::Reset },
    ]
}

/// A launch takes effect and nobody hears of it.
pub(super) async fn lost_answer(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let steps = if scene.chance(0.8) { LAUNCH } else { CHANGES };
    let times = scene.pick(&[1, 1, 2, 3]);
    scene.rule(Kind::LostAnswer, steps, Mishap::Cloud(losses()), 1.0, Duration::from_secs(150), times);
    scene.provoke(&pool);
}

/// A request takes effect later than anybody likes.
pub(super) async fn late_commit(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    // Most within what the launch protocol assumes; some beyond it, and then the damage has to be undone.
    let longest = scene.pick(&[15, 28, 28, 60]);
    let delay = Span::between(Duration::from_secs(longest / 2), Duration::from_secs(longest));
    let mut faults = vec![Fault::LateCommit { delay }, Fault::LateRequest { delay }];
    if scene.chance(0.3) {
        faults.push(Fault::SlowAnswer { delay });
    }
    let steps = if scene.chance(0.8) { LAUNCH } else { CHANGES };
    let times = scene.pick(&[1, 1, 2]);
    scene.rule(Kind::LateCommit, steps, Mishap::Cloud(faults), 1.0, Duration::from_secs(150), times);
    scene.provoke(&pool);
}

/// Something on the way delivers a request twice, within seconds: no definite answer covers a copy that
/// arrives minutes later.
pub(super) async fn doubled_request(mut scene: Scene) {
    let Some(pool) = scene.pool() else { return };
    let delay =
        Span::between(Duration::from_millis(10), Duration::from_millis(scene.pick(&[100, 1000, 4000])));
    let faults = vec![Fault::DoubledRequest { delay }];
    scene.rule(Kind::DoubledRequest, CHANGES, Mishap::Cloud(faults), 1.0, Duration::from_secs(120), 2);
    scene.provoke(&pool);
}

/// The account has too many calls.
pub(super) async fn throttling(mut scene: Scene) {
    let code = scene.pick(&["RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded"]);
    let (steps, chance) = scene.pick(&[(ALL, 0.5), (ALL, 0.95), (CHANGES, 0.9)]);
    let lasts = scene.secs(5, 60);
    scene.tell("", || format!("calls are throttled for {} s", lasts.as_secs()));
    let faults = vec![Fault::Refuse { code: code.to_owned() }];
    scene.rule(Kind::Throttling, steps, Mishap::Cloud(faults), chance, lasts, u32::MAX);
    if let Some(pool) = scene.pool() {
        scene.provoke(&pool);
    }
}

/// The way from the operators to the model servers is cut.
pub(super) async fn blind_prober(mut scene: Scene) {
    let crashes = scene.chance(0.4);
    let time = scene.secs(if crashes { 200 } else { 20 }, 600);
    scene.count(Kind::BlindProber, "", || format!("no model server can be asked for {} s", time.as_secs()));
    scene.world.home().around.weather.blind(time);
    // Who takes over has asked nobody yet, and finds what was started beside machines that have long been silent.
    if crashes {
        scene.wait(100, 180).await;
        super::leaders::crash(scene).await;
    }
}

/// Looks that end half way, or that lack what they should have.
pub(super) async fn cut_page(mut scene: Scene) {
    let lasts = scene.secs(3, 90);
    let chance = scene.pick(&[0.3, 0.8, 1.0, 1.0]);
    let faults = vec![
        Fault::CutAnswer,
        Fault::EmptyPage,
        Fault::ShortPage { missing: scene.pick(&[1, 2, 50]) },
        Fault::HttpError { status: 504, committed: false },
        Fault::EmptyAnswer,
        Fault::HollowAnswer,
        Fault::DoubledEntries,
    ];
    scene.tell("", || format!("looks are cut for {} s", lasts.as_secs()));
    scene.rule(Kind::CutPage, LOOKS, Mishap::Cloud(faults), chance, lasts, u32::MAX);
    if scene.chance(0.3) {
        // A listing that is empty and says so: only asking by id tells the truth.
        let lie = Mishap::Cloud(vec![Fault::EmptyListing]);
        scene.rule(Kind::CutPage, &[Step::Sweep], lie, 0.7, lasts, u32::MAX);
    }
    if scene.chance(0.5)
        && let Some(pool) = scene.pool()
    {
        scene.wait(0, 5).await;
        scene.provoke(&pool);
    }
}

/// The API server answers late, or not at all.
pub(super) async fn store_trouble(mut scene: Scene) {
    let lasts = scene.secs(3, 60);
    let late = StoreFate::Late(Duration::from_secs(scene.pick(&[3, 12, 60])));
    let (kind, steps, fate) = scene.pick(&[
        (Kind::LostWrite, WRITES, StoreFate::LoseAnswer),
        (Kind::LostWrite, LAUNCH_WRITES, StoreFate::LoseAnswer),
        (Kind::LateWrite, WRITES, late),
        (Kind::LateWrite, LAUNCH_WRITES, late),
        (Kind::StoreOutage, STORE, StoreFate::Outage),
    ]);
    let chance = scene.pick(&[0.2, 0.5, 1.0]);
    scene.tell("", || format!("the API server for {} s: {fate:?}", lasts.as_secs()));
    scene.rule(kind, steps, Mishap::Store(fate), chance, lasts, u32::MAX);
    if let Some(pool) = scene.pool() {
        scene.wait(0, 3).await;
        scene.provoke(&pool);
    }
}

//! The spans of one operator: a tree per pass, one per launch and one per sweep.
//!
//! They are of level debug, so that log lines of level info look as if there were none; whoever listens (a
//! collector, `RUST_LOG=debug`) gets all of them, and while nobody does, a span costs one comparison. What stands
//! in a span are names, counts, codes and RequestIds: nothing of a spec but those, and never a key.

use std::fmt::Display;

use kube::ResourceExt;
use tracing::{Span, debug_span, field};

use crate::crd::SpotInstance;
use crate::plan::{Plan, Step};
use crate::ports::PoolKey;

/// One pass over a pool: the root of a tree.
pub(crate) fn pass(pool: &PoolKey) -> Span {
    debug_span!(
        parent: None,
        "pass",
        pool.namespace = pool.namespace,
        pool.name = pool.name,
        plan.statuses = field::Empty,
        plan.create = field::Empty,
        plan.launch = field::Empty,
        plan.delete = field::Empty,
        plan.terminate = field::Empty,
        plan.release = field::Empty,
        plan.hold = field::Empty,
        machines.wanted = field::Empty,
        machines.counted = field::Empty,
        machines.ready = field::Empty,
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
    )
}

/// Notes on the pass how much of what was decided.
pub(crate) fn decided(pass: &Span, plan: &Plan) {
    if pass.is_disabled() {
        return;
    }
    let steps = |wanted: fn(&Step) -> bool| plan.instances.iter().filter(|entry| wanted(&entry.step)).count();
    pass.record("plan.statuses", plan.instances.iter().filter(|entry| entry.status.is_some()).count());
    pass.record("plan.create", plan.raise.as_ref().map_or(0, |raise| raise.create.len()));
    pass.record("plan.launch", plan.launch.as_ref().map_or(0, |chosen| chosen.numbers.len()));
    pass.record("plan.delete", steps(|step| matches!(step, Step::Delete(_))));
    pass.record(
        "plan.terminate",
        steps(|step| matches!(step, Step::Terminate(_) | Step::TerminateAndRelease(_))),
    );
    pass.record("plan.release", steps(|step| matches!(step, Step::Release)));
    if let Some(hold) = &plan.hold {
        pass.record("plan.hold", hold.reason);
    }
    pass.record("machines.wanted", plan.tally.wanted);
    pass.record("machines.counted", plan.tally.counted);
    pass.record("machines.ready", plan.tally.ready);
}

/// One launch, from the written attempt to the recorded answer: a tree of its own, since no pass waits for it,
/// linked to the pass that started it.
pub(crate) fn flight(pool: &PoolKey, instance: &SpotInstance) -> Span {
    let span = debug_span!(
        parent: None,
        "launch",
        pool.namespace = pool.namespace,
        pool.name = pool.name,
        instance = instance.name_any(),
        outcome = field::Empty,
        code = field::Empty,
        request_id = field::Empty,
    );
    span.follows_from(Span::current());
    span
}

/// One look at an account for all its pools.
pub(crate) fn sweep(region: &str) -> Span {
    debug_span!(
        parent: None,
        "sweep",
        region,
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
    )
}

/// One call to the API server.
pub(crate) fn store_call(verb: &'static str, kind: &str, namespace: &str, name: &str) -> Span {
    debug_span!(
        "kubernetes",
        otel.kind = "client",
        otel.name = format!("{verb} {kind}"),
        verb,
        kind,
        namespace,
        name,
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
    )
}

/// Marks a span as failed.
pub(crate) fn failed(span: &Span, error: &dyn Display) {
    if !span.is_disabled() {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", error.to_string());
    }
}

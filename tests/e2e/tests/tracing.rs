//! Traces: one tree per pass, launches linked to it, and a collector that is of no consequence.

use std::collections::BTreeSet;
use std::net::TcpListener;

use e2e::{SOON, World};
use serde_json::Value;
use testkit::{ControlPlane, SeenSpan};

/// The spans that are parts of `parent`, by name, in the order of their names.
fn parts<'a>(spans: &'a [SeenSpan], parent: &SeenSpan) -> Vec<&'a SeenSpan> {
    let mut parts: Vec<_> = spans
        .iter()
        .filter(|span| span.trace == parent.trace && span.parent.as_ref() == Some(&parent.id))
        .collect();
    parts.sort_by(|one, other| one.name.cmp(&other.name));
    parts
}

fn names<'a>(spans: &[&'a SeenSpan]) -> BTreeSet<&'a str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn part<'a>(spans: &'a [SeenSpan], parent: &SeenSpan, name: &str) -> &'a SeenSpan {
    let parts = parts(spans, parent);
    parts.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {parts:#?}"))
}

/// An operator that is told to stop, and the spans that it sent up to its end. It sends none before that, since
/// its batches wait for a minute.
async fn spans_of_a_life(world: &mut World) -> Vec<SeenSpan> {
    let operator = world.operator.take().unwrap();
    assert_eq!(world.collector.spans().unwrap(), [], "spans came before the end");
    let ended = operator.process.stop(SOON).await.unwrap();
    assert!(ended.success(), "{ended}");
    world.collector.spans().unwrap()
}

#[tokio::test]
async fn a_pass_is_one_tree_of_spans_and_its_launches_are_linked_to_it() {
    let control_plane = ControlPlane::shared().await.unwrap();
    let mut world = World::prepare(control_plane.cluster(), "traced", &[], false).await.unwrap();
    world.spans_every_millis = "60000";
    world.start_operator(&[]).await.unwrap();
    world.filled("traced", 1, 1).await.unwrap();
    let spans = spans_of_a_life(&mut world).await;
    assert!(spans.iter().all(|span| span.service == "spotpool-operator"));

    let passes: Vec<_> = spans.iter().filter(|span| span.name == "pass").collect();
    for pass in &passes {
        assert_eq!(pass.parent, None, "a pass is a root");
        assert_eq!(pass.attribute("pool.namespace"), world.people.namespace);
        assert_eq!(pass.attribute("pool.name"), "traced");
        let steps = names(&parts(&spans, pass));
        assert!(steps.is_superset(&["observe", "plan", "act"].into()), "{steps:?}");
    }
    let creating =
        passes.iter().find(|pass| pass.attribute("plan.create") == "1").expect("a pass that makes a wish");
    assert_eq!(creating.attribute("machines.ready"), "0");
    let reads = names(&parts(&spans, part(&spans, creating, "observe")));
    assert_eq!(reads, ["get Namespace", "get SpotPool", "list SpotInstance"].into());
    let act = part(&spans, creating, "act");
    let writes = names(&parts(&spans, act));
    assert!(writes.is_superset(&["create SpotInstance", "replace status of SpotPool"].into()), "{writes:?}");
    let status = passes.iter().flat_map(|pass| parts(&spans, pass)).find(|span| {
        span.name == "status" && names(&parts(&spans, span)).contains("replace status of SpotPool")
    });
    assert!(status.is_some(), "no pass wrote the pool's status");

    let launch = spans.iter().find(|span| span.name == "launch").expect("a launch");
    assert_eq!(launch.parent, None, "no pass waits for a launch");
    assert_eq!(launch.attribute("instance"), "traced-1");
    assert_eq!(launch.attribute("outcome"), "Made");
    let linked: Vec<_> =
        passes.iter().filter(|pass| launch.links.iter().any(|(trace, _)| *trace == pass.trace)).collect();
    assert_eq!(linked.len(), 1, "it is linked to the pass that started it");
    let call = part(&spans, launch, "cvm");
    assert_eq!(call.attribute("action"), "RunInstances");
    let ledger = world.cloud.ledger(0).await.unwrap();
    let received = ledger.iter().find(|event| event.action.as_deref() == Some("RunInstances")).unwrap();
    let request_id = received.rest.get("request_id").or_else(|| received.rest["caller"].get("request_id"));
    assert_eq!(request_id.and_then(Value::as_str), Some(call.attribute("request_id")), "{received:?}");

    let sweep = spans.iter().find(|span| span.name == "sweep").expect("a sweep");
    assert_eq!(names(&parts(&spans, sweep)), ["cvm"].into());
}

/// A pass that fails says so in its tree.
#[tokio::test]
async fn a_refused_call_is_a_failed_span_with_the_clouds_code() {
    let mut world = World::begin("traced-refusal").await.unwrap();
    let wrong = world.manifest("refused", 1, 1).unwrap().with("spec.imageId", "img-00000000");
    world.people.create::<spotpool_operator::crd::SpotPool>(&wrong).await.unwrap();
    world.people.condition("refused", "Stalled", "True", SOON).await.unwrap();
    let operator = world.operator.take().unwrap();
    operator.process.stop(SOON).await.unwrap();
    let spans = world.collector.spans().unwrap();
    let launch = spans.iter().find(|span| span.attribute("outcome") == "Refused").expect("a refused launch");
    assert!(launch.attribute("code").contains("Image"), "{launch:?}");
    let call = part(&spans, launch, "cvm");
    assert!(call.failed, "{call:?}");
    assert_eq!(call.attribute("request_id"), launch.attribute("request_id"));
}

#[tokio::test]
async fn a_collector_that_hangs_delays_nothing_and_is_mentioned_once() {
    // It accepts every connection, by its backlog, and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("--otlp-endpoint=http://{}", hanging.local_addr().unwrap());
    let mut world = World::begin_with("hanging", &[], &[&endpoint]).await.unwrap();
    world.filled("hanging", 2, 2).await.unwrap();
    let told = "traces do not arrive";
    let mentions = |world: &World| {
        world.operator.as_ref().map_or(0, |operator| operator.process.log().matches(told).count())
    };
    world
        .until("the first batch to be given up", SOON, async || Ok((mentions(&world) > 0).then_some(())))
        .await
        .unwrap();
    // Meanwhile the queue has filled and batches were lost; a lost machine is replaced as ever.
    let lost = world.ours().await.unwrap()[0].id.clone();
    world.cloud.vanish(&lost).await.unwrap();
    world
        .until("a replacement", SOON, async || Ok((world.ever_made().await? == 3).then_some(())))
        .await
        .unwrap();
    world.settled(2).await.unwrap();
    assert_eq!(mentions(&world), 1, "it is said once");

    // The last batch is given five seconds, and the process ends.
    let operator = world.operator.take().unwrap();
    let ended = operator.process.stop(SOON).await.unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test]
async fn an_operator_whose_collector_is_away_works_and_ends_as_ever() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("--otlp-endpoint=http://{nobody}");
    let mut world = World::begin_with("away", &[], &[&endpoint]).await.unwrap();
    world.filled("away", 1, 1).await.unwrap();
    let operator = world.operator.take().unwrap();
    let log = operator.process.log_file().to_owned();
    let ended = operator.process.stop(SOON).await.unwrap();
    assert!(ended.success(), "{ended}");
    let log = std::fs::read_to_string(log).unwrap();
    assert_eq!(log.matches("traces do not arrive").count(), 1, "it is said once");
}

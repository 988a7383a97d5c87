//! A converged pool costs nothing: no write, no Event, and one look at the cloud for all pools.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::World;
use serde_json::json;
use spotpool_operator::crd::SpotPool;
use testkit::ControlPlane;

const POOLS: usize = 4;
/// With eight machines of the pools, more than a page.
const UNCLAIMED: usize = 112;
const LISTED: u64 = 120;
const SWEEPS: u64 = 300;
const MEASURED_WITHIN: Duration = Duration::from_secs(180);

/// Everything that anybody wrote to the API server, by verb and resource; Leases are the elector's business,
/// and the rest is Kubernetes' own.
async fn writes(world: &World) -> BTreeMap<String, u64> {
    let text = world.people.cluster.kubectl_stdout(["get", "--raw", "/metrics"]).unwrap();
    let mut writes = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let (verb, resource, group) = (label("verb"), label("resource"), label("group"));
        let ours = ["demo.aiops.org", "events.k8s.io"].contains(&group.as_str()) || resource == "events";
        if ours && ["POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"].contains(&verb.as_str()) {
            let count: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
            *writes.entry(format!("{verb} {resource} {}", label("subresource"))).or_default() += count as u64;
        }
    }
    writes
}

/// Pages of DescribeInstances, by what they asked.
async fn looks(world: &World) -> BTreeMap<String, u64> {
    serde_json::from_value(world.cloud.get("looks").await.unwrap()).unwrap()
}

async fn writing_calls(world: &World) -> u64 {
    let mut all = 0;
    for action in ["RunInstances", "TerminateInstances"] {
        all += world.cloud.calls(action).await.unwrap();
    }
    all
}

#[tokio::test]
async fn a_converged_pool_writes_nothing_and_one_sweep_serves_all_pools() {
    // Its own API server: its count of writes is the measure.
    let server = ControlPlane::start().await.unwrap();
    server.cluster().install_crds().unwrap();
    let mut world = World::prepare(server.cluster(), "thrift", &["--latency", "off"], true).await.unwrap();
    world.start_operator(&["--sweep-interval=100ms"]).await.unwrap();
    for pool in 0..POOLS {
        let name = format!("thrifty-{pool}");
        world.people.create::<SpotPool>(&world.manifest(&name, 2, 2).unwrap()).await.unwrap();
    }
    let machines = world.settled(2 * POOLS).await.unwrap();
    // More than a page to list: machines with this cluster's tag that belong to nobody.
    let cluster_id = &machines[0].spec.cluster_id;
    for n in 0..UNCLAIMED {
        let unclaimed =
            json!({"name": format!("unclaimed-{n}"), "tags": {"demo.aiops.org/cluster": cluster_id}});
        world.cloud.post("instances", &unclaimed).await.unwrap();
    }
    for pool in 0..POOLS {
        world.ready(&format!("thrifty-{pool}")).await.unwrap();
    }
    // What the new machines lead to (an Event, a condition) is written before the count begins.
    world.sweeps_later(20).await.unwrap();

    let (written, looked, begun) = (writes(&world).await, looks(&world).await, world.sweeps().await.unwrap());
    let called = writing_calls(&world).await;
    let end = world
        .until("300 sweeps", MEASURED_WITHIN, async || {
            Ok(Some(world.sweeps().await?).filter(|&now| now >= begun + SWEEPS))
        })
        .await
        .unwrap();
    let (written_after, looked_after) = (writes(&world).await, looks(&world).await);

    assert_eq!(written, written_after, "writes to the API server");
    assert_eq!(writing_calls(&world).await, called, "writing calls to the cloud");
    let pages: u64 = looked_after
        .iter()
        .filter(|(asked, _)| asked.contains("tag") || *asked == "ids")
        .map(|(asked, count)| count - looked.get(asked).unwrap_or(&0))
        .sum();
    let swept = end - begun;
    // A sweep under way at either end may be counted on one side only.
    let allowed = (swept + 1) as f64 * LISTED.div_ceil(100) as f64 * 1.05;
    assert!(pages as f64 <= allowed, "{pages} pages in {swept} sweeps: {looked:?} -> {looked_after:?}");
    assert!(pages >= swept, "the measure itself must work: {looked_after:?}");
    println!("{swept} sweeps of {LISTED} machines for {POOLS} pools took {pages} pages and wrote nothing");
}

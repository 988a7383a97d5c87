//! Probes, metrics and the ends of a process that is used wrongly.

use e2e::{SOON, World};
use testkit::{Launch, own};

async fn ask(world: &World, path: &str) -> reqwest::Response {
    let address = world.operator.as_ref().unwrap().address();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("http://{address}{path}")).send().await.unwrap()
}

#[tokio::test]
async fn probes_and_metrics_tell_how_it_goes() {
    let world = World::begin("metrics").await.unwrap();
    world.filled("measured", 1, 1).await.unwrap();
    assert!(ask(&world, "/healthz").await.status().is_success());
    assert_eq!(ask(&world, "/readyz").await.text().await.unwrap().trim(), "leading");

    let metrics = ask(&world, "/metrics").await;
    let kind = metrics.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = metrics.text().await.unwrap();
    assert!(text.trim_end().ends_with("# EOF"));
    for sample in [
        "spotpool_sweeps_total{",
        "spotpool_launches_total{",
        "spotpool_machines{",
        "spotpool_reconciles_total{",
    ] {
        assert!(text.contains(sample), "{sample} is missing:\n{text}");
    }
    // Labels are bounded: nothing that is made anew with every machine is one.
    let machine = &world.ours().await.unwrap()[0].id;
    assert!(!text.contains(machine.as_str()) && !text.contains("measured-1"), "{text}");
}

#[tokio::test]
async fn an_operator_without_an_api_server_says_what_it_looked_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = Launch::new(own::build(own::OPERATOR).unwrap(), directory.path().join("log"))
        .args(["--metrics-addr=127.0.0.1:0", "--log-format=text"])
        .env("KUBECONFIG", directory.path().join("absent"))
        .spawn()
        .unwrap();
    let ended = process.wait(SOON).await.unwrap();
    assert!(!ended.success());
    assert!(process.log().contains("KUBECONFIG"), "{}", process.log());
}

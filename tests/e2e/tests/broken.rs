//! An object that the operator cannot read never stalls the others.

use e2e::{Manifest, SOON, World};
use serde_json::{Value, json};
use spotpool_operator::crd::SpotPool;
use testkit::ControlPlane;

/// A CRD whose schema lets anything pass, as one of a later version might let pass what this operator does
/// not know.
fn relax(world: &World, crd: &str) {
    let schema = "/spec/versions/0/schema/openAPIV3Schema";
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let patch = json!([{"op": "replace", "path": schema, "value": anything}]).to_string();
    world.people.kubectl(&["patch", "crd", crd, "--type=json", "--patch", &patch]).unwrap();
}

/// Past kube's types, which would refuse it on this side.
fn create(world: &World, manifest: &Manifest) {
    let file = world.directory().join("broken.json");
    std::fs::write(&file, manifest.value().to_string()).unwrap();
    world.people.kubectl(&["create", "--filename", file.to_str().unwrap()]).unwrap();
}

#[tokio::test]
async fn a_pool_that_cannot_be_read_is_said_so_and_the_others_go_on() {
    let server = ControlPlane::start().await.unwrap();
    server.cluster().install_crds().unwrap();
    let mut world = World::prepare(server.cluster(), "unreadable", &[], true).await.unwrap();
    relax(&world, "spotpools.demo.aiops.org");
    relax(&world, "spotinstances.demo.aiops.org");
    create(&world, &world.manifest("a-broken", 1, 1).unwrap().with("spec.minimum", "two"));
    let shapeless = Manifest::spot_instance("b-broken-1")
        .with("metadata.labels", json!({"demo.aiops.org/pool": "b-broken"}))
        .with("spec", Value::Null);
    create(&world, &world.manifest("b-broken", 1, 1).unwrap());
    create(&world, &shapeless);
    world.start_operator(&[]).await.unwrap();

    world.people.create::<SpotPool>(&world.manifest("healthy", 1, 1).unwrap()).await.unwrap();
    world.ready("healthy").await.unwrap();
    let operator = world.operator.as_mut().unwrap();
    for broken in ["a-broken", "b-broken-1"] {
        operator.process.wait_for_line(&format!("{broken} cannot be understood"), SOON).await.unwrap();
    }
    // A SpotInstance that cannot be read may stand for a machine: its pool launches nothing.
    assert_eq!(world.ours().await.unwrap().len(), 1);
}

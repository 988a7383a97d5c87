//! An object that the operator cannot read never stalls the others.

use e2e::{Manifest, SOON, World};
use serde_json::{Value, json};
use spotpool_operator::crd::SpotPool;
use testkit::ControlPlane;

/// A CRD whose schema lets anything pass, as one of a later version might let pass what this operator does
/// not know; but for the field by which SpotInstances are selected.
fn relax(world: &World, crd: &str) {
    let anything = |properties: Value| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": properties});
    let name = json!({"name": {"type": "string"}});
    let any = anything(json!({"spec": anything(json!({"pool": anything(name)}))}));
    let schema = "/spec/versions/0/schema/openAPIV3Schema";
    let patch = json!([{"op": "replace", "path": schema, "value": any}]).to_string();
    world.people.kubectl(&["patch", "crd", crd, "--type=json", "--patch", &patch]).unwrap();
}

/// Past kube's types, which would refuse it on this side.
fn create(world: &World, manifest: &Manifest) {
    let file = world.directory().join("broken.json");
    std::fs::write(&file, manifest.value().to_string()).unwrap();
    world.people.kubectl(&["create", "--filename", file.to_str().unwrap()]).unwrap();
}

#[tokio::test]
async fn a_pool_that_cannot_be_read_or_makes_no_sense_is_said_so_and_the_others_go_on() {
    let server = ControlPlane::start().await.unwrap();
    server.cluster().install_crds().unwrap();
    let mut world = World::prepare(server.cluster(), "unreadable", &[], true).await.unwrap();
    relax(&world, "spotpools.demo.aiops.org");
    relax(&world, "spotinstances.demo.aiops.org");
    create(&world, &world.manifest("a-broken", 1, 1).unwrap().with("spec.minimum", "two"));
    let shapeless = Manifest::spot_instance("b-broken-1")
        .with("metadata.labels", json!({"demo.aiops.org/pool": "b-broken"}))
        .with("spec", json!({"pool": {"name": "b-broken"}, "n": "the first"}));
    create(&world, &world.manifest("b-broken", 1, 1).unwrap());
    create(&world, &shapeless);
    create(&world, &world.manifest("c-senseless", 3, 1).unwrap());
    world.start_operator(&[]).await.unwrap();

    world.people.create::<SpotPool>(&world.manifest("healthy", 1, 1).unwrap()).await.unwrap();
    world.ready("healthy").await.unwrap();
    let meanwhile = "; until it can be read, nothing is launched, replaced or terminated for this pool";
    for (pool, broken) in [("a-broken", "SpotPool"), ("b-broken", "SpotInstance")] {
        let of = if broken == "SpotPool" { "a-broken" } else { "b-broken-1" };
        let cannot = format!("{broken} {}/{of} cannot be understood: ", world.people.namespace);
        world.people.warned("SpotPool", pool, &[&cannot, meanwhile], SOON).await.unwrap();
        let described = world.people.kubectl(&["describe", "sp", pool]).unwrap();
        assert!(described.contains("Unreadable") && described.contains(&cannot), "{described}");
    }
    let sentence = "spec.minimum must not be greater than spec.maximum. Until that is over nothing is launched, replaced or \
                    terminated, and the machines that run are left as they are.";
    let unready = "the spec cannot be acted on; see Stalled";
    let conditions =
        [("Stalled", "True", sentence), ("CredentialsValid", "False", sentence), ("Ready", "False", unready)];
    for (kind, status, sentence) in conditions {
        let told = world.people.told("c-senseless", (kind, status), &[sentence], SOON).await.unwrap();
        assert_eq!((told.reason.as_str(), told.message.as_str()), ("InvalidSpec", sentence), "{kind}");
    }
    world.people.warned("SpotPool", "c-senseless", &["Stalled=True: ", sentence], SOON).await.unwrap();
    let sense = json!({"spec": {"minimum": 0}});
    world.people.edit::<SpotPool>("c-senseless", &sense).await.unwrap();
    world.people.condition("c-senseless", "Stalled", "False", SOON).await.unwrap();
    // A SpotInstance that cannot be read may stand for a machine: its pool launches nothing.
    assert_eq!(world.ours().await.unwrap().len(), 1);
}

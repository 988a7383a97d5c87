//! What the API server takes, fills in and refuses by the CRDs alone.

use e2e::{Manifest, People, refusal};
use serde_json::{Value, json};
use spotpool_operator::crd::{SpotInstance, SpotPool};
use testkit::{ControlPlane, own};

async fn people(prefix: &str) -> People {
    People::arrive(ControlPlane::shared().await.unwrap().cluster(), prefix).await.unwrap()
}

/// kube's types would refuse some of these before the API server sees them.
async fn create_raw(people: &People, manifest: &Manifest) -> anyhow::Result<Value> {
    let kind = kube::api::ApiResource::erase::<SpotPool>(&());
    let client = people.cluster.client().await?;
    let api = kube::Api::<kube::api::DynamicObject>::namespaced_with(client, &people.namespace, &kind);
    let object = manifest.parse()?;
    let made = api.create(&kube::api::PostParams::default(), &object).await?;
    Ok(serde_json::to_value(made)?)
}

#[tokio::test]
async fn the_sample_manifests_apply_unchanged() {
    let people = people("samples").await;
    let samples = own::root().join("deploy/samples");
    let applied = people.kubectl(&["apply", "--filename", samples.to_str().unwrap()]).unwrap();
    for object in [
        "spotpool.demo.aiops.org/spotpool-sample created",
        "secret/tencent-credentials created",
        "spotpool.demo.aiops.org/spotpool-secret created",
        "spotpool.demo.aiops.org/spotpool-default-network created",
    ] {
        assert!(applied.contains(object), "{applied}");
    }
}

#[tokio::test]
async fn the_manifests_of_the_guide_are_taken_as_they_stand() {
    let people = people("guide").await;
    let guide = std::fs::read_to_string(own::root().join("docs/guide.md")).unwrap();
    let blocks = guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    let manifests: Vec<&str> = blocks.map(|(manifest, _)| manifest).collect();
    assert!(!manifests.is_empty());
    for manifest in manifests {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), manifest).unwrap();
        let applied = people.kubectl(&["apply", "--filename", file.path().to_str().unwrap()]).unwrap();
        assert!(applied.contains(" created"), "{applied}");
    }
}

#[tokio::test]
async fn what_a_manifest_leaves_out_is_filled_in() {
    let people = people("defaults").await;
    people.create::<SpotPool>(&Manifest::pool("defaults").unwrap()).await.unwrap();
    let shown = people.kubectl(&["get", "sp", "defaults", "--output=json"]).unwrap();
    let spec = &serde_json::from_str::<Value>(&shown).unwrap()["spec"];
    assert_eq!(
        (&spec["instance"], &spec["health"], &spec["network"]),
        (
            &json!({"systemDisk": {"type": "CLOUD_BSSD", "sizeGiB": 100}, "publicBandwidthMbps": 1}),
            &json!({"port": 11434, "path": "/api/tags", "interval": "5s", "failureThreshold": 3, "startupTimeout": "15m"}),
            &json!({}),
        )
    );
}

fn candidate(subnet: &str) -> Value {
    json!({"instanceType": "GN7.2XLARGE32", "availabilityZone": "ap-singapore-2", "subnetId": subnet})
}

#[tokio::test]
async fn a_wrong_manifest_is_refused_with_a_sentence_that_names_field_and_rule() {
    let people = people("wrong").await;
    let good = || Manifest::pool("wrong").unwrap();
    let secret = json!({"name": "cloud"});
    let without_address = |address: &str| {
        good().with("spec.instance.publicBandwidthMbps", 0).with("spec.network.address", address)
    };
    // What a rule says stands here as people read it; what only the schema refuses is in the API server's words.
    let one_kind = "give exactly one kind of credentials: spec.credentialsSecretRef, or both spec.secretId and spec.secretKey";
    let charge = "spec.instanceChargeType must be SPOTPAID or POSTPAID_BY_HOUR; PREPAID machines are bought by the month and \
                  cannot be given back";
    let network = "spec.subnetId and spec.vpcId must both be DEFAULT (the zone's default network) or both name a network";
    let interval = "spec.health.interval must be a duration from 100ms to 60m, such as 5s, 500ms or 1m30s";
    let startup = "spec.health.startupTimeout must be a duration from 10s to 24h, such as 90s, 15m or 1h30m";
    let cases = [
        (good().with("spec.minimum", 3), "spec.minimum must not be greater than spec.maximum"),
        (good().with("spec.minimum", -1), "spec.minimum must not be negative"),
        (good().with("spec.minimum", -2).with("spec.maximum", -1), "spec.maximum must not be negative"),
        (good().with("spec.maximum", 5001), "spec.maximum must not be greater than 5000"),
        (good().with("spec.replicas", -1), "spec.replicas must not be negative"),
        (good().without("spec.secretId").without("spec.secretKey"), one_kind),
        (good().without("spec.secretKey"), one_kind),
        (good().with("spec.credentialsSecretRef", secret), one_kind),
        (good().with("spec.instanceChargeType", "PREPAID"), charge),
        (good().with("spec.instanceChargeType", "SPOT"), charge),
        (good().with("spec.subnetId", "DEFAULT"), network),
        (good().with("spec.vpcId", "DEFAULT"), network),
        (
            good().with("spec.candidates", json!([])),
            "spec.candidates must name at least one candidate, or be left out",
        ),
        (
            good().with("spec.candidates", json!([candidate("DEFAULT")])),
            "the subnetId of each of spec.candidates must be DEFAULT if spec.vpcId is DEFAULT, and name a subnet of it \
             otherwise",
        ),
        (good().with("spec.candidates", json!([candidate("")])), "spec.candidates[0].subnetId"),
        (
            good().with("metadata.name", "a".repeat(53)),
            "metadata.name must be at most 52 characters, since the names of its SpotInstances are made from it",
        ),
        (
            good().with("spec.instance.tags", json!({"demo.aiops.org/pool": "mine"})),
            "spec.instance.tags must not use keys that start with demo.aiops.org/, which the operator owns",
        ),
        (good().with("spec.instance.systemDisk.sizeGiB", 5), "spec.instance.systemDisk.sizeGiB"),
        (
            good().with("spec.instance.userData", "\u{5b57}".repeat(5000)),
            "spec.instance.userData must be at most 12288 bytes",
        ),
        (
            without_address("Public"),
            "spec.network.address is Public, but with spec.instance.publicBandwidthMbps 0 a machine has no public \
             address: raise the bandwidth, or leave the address out or make it Private",
        ),
        (good().with("spec.health.port", 0), "spec.health.port"),
        (good().with("spec.health.path", "api/tags"), "spec.health.path must begin with /"),
        (
            good().with("spec.health.path", "/a b"),
            "spec.health.path must begin with / and hold neither spaces",
        ),
        (good().with("spec.region", "ap singa\npore"), "spec.region must be lower-case letters"),
        (good().with("spec.health.interval", "soon"), interval),
        (good().with("spec.health.interval", "1h"), interval),
        (good().with("spec.health.interval", "61m"), interval),
        (good().with("spec.health.failureThreshold", 0), "spec.health.failureThreshold"),
        (good().with("spec.health.startupTimeout", "2s"), startup),
        (good().with("spec.health.startupTimeout", "25h"), startup),
        (good().with("spec.network.address", "Both"), "spec.network.address"),
        (good().without("spec.region"), "spec.region: Required value"),
        (good().without("spec.imageId"), "spec.imageId: Required value"),
    ];
    for (manifest, sentence) in cases {
        let refused = refusal(create_raw(&people, &manifest).await).unwrap();
        assert!(refused.contains(sentence), "expected: {sentence}\nrefused: {refused}");
    }
    // At the bounds, and where no public address is asked for.
    let fine = [good().with("spec.health.interval", "60m"), without_address("Private")];
    for (manifest, name) in fine.into_iter().zip(["hourly-asked", "private"]) {
        create_raw(&people, &manifest.with("metadata.name", name)).await.unwrap();
    }
}

#[tokio::test]
async fn a_name_of_52_characters_and_both_networks_at_default_are_accepted() {
    let people = people("accepted").await;
    let name = "a".repeat(52);
    people.create::<SpotPool>(&Manifest::pool(&name).unwrap()).await.unwrap();
    let manifest =
        Manifest::pool("default").unwrap().with("spec.subnetId", "DEFAULT").with("spec.vpcId", "DEFAULT");
    people.create::<SpotPool>(&manifest).await.unwrap();
    let manifest = Manifest::pool("hourly").unwrap().with("spec.instanceChargeType", "POSTPAID_BY_HOUR");
    people.create::<SpotPool>(&manifest).await.unwrap();
}

#[tokio::test]
async fn minimum_and_maximum_may_be_edited_and_the_region_may_not() {
    let people = people("edits").await;
    people.create::<SpotPool>(&Manifest::pool("edits").unwrap()).await.unwrap();

    people.edit::<SpotPool>("edits", &json!({"spec": {"minimum": 1, "maximum": 5}})).await.unwrap();
    let crossed = people.edit::<SpotPool>("edits", &json!({"spec": {"maximum": 0}})).await;
    let refused = refusal(crossed).unwrap();
    assert!(refused.contains("spec.minimum must not be greater than spec.maximum"), "{refused}");

    let moved = people.edit::<SpotPool>("edits", &json!({"spec": {"region": "ap-tokyo"}})).await;
    let refused = refusal(moved).unwrap();
    assert!(refused.contains("spec.region cannot be changed"), "{refused}");
}

#[tokio::test]
async fn the_spec_of_a_spot_instance_cannot_be_changed() {
    let people = people("immutable").await;
    let manifest = Manifest::spot_instance("by-hand-7");
    people.create::<SpotInstance>(&manifest).await.unwrap();
    let changed = people.edit::<SpotInstance>("by-hand-7", &json!({"spec": {"n": 8}})).await;
    let refused = refusal(changed).unwrap();
    assert!(refused.contains("spec of a SpotInstance cannot be changed"), "{refused}");
}

#[tokio::test]
async fn explain_tells_what_each_field_is_for() {
    let people = people("explain").await;
    let explained = people.kubectl(&["explain", "spotpool.spec"]).unwrap();
    for field in ["minimum", "credentialsSecretRef", "instanceChargeType", "kongGatewayIP", "health"] {
        assert!(explained.contains(field), "{field} is missing:\n{explained}");
    }
    assert!(!explained.contains("<no description>"), "{explained}");
    let kind = people.kubectl(&["explain", "sp"]).unwrap();
    assert!(kind.contains("whatever the cloud takes back"), "{kind}");
    let instance = people.kubectl(&["explain", "si.spec"]).unwrap();
    assert!(!instance.contains("<no description>"), "{instance}");
}

#[tokio::test]
async fn the_columns_read_well_before_anything_has_happened() {
    let people = people("columns").await;
    people.create::<SpotPool>(&Manifest::pool("columns").unwrap()).await.unwrap();
    people.create::<SpotInstance>(&Manifest::spot_instance("columns-1")).await.unwrap();
    let heads = |text: &str| text.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let pools = people.kubectl(&["get", "sp"]).unwrap();
    assert_eq!(heads(&pools), "NAME READY SIZE MIN MAX AGE");
    let instances = people.kubectl(&["get", "si"]).unwrap();
    assert_eq!(heads(&instances), "NAME POOL PHASE TYPE ZONE IP AGE");
    let all = people.kubectl(&["get", "aiops"]).unwrap();
    assert!(all.contains("spotpool.demo.aiops.org/columns"), "{all}");
}

#[tokio::test]
async fn the_deployment_is_accepted_where_the_role_is() {
    let cluster = ControlPlane::shared().await.unwrap().cluster();
    cluster.install_operator_role().await.unwrap();
    let manifest = own::root().join("deploy/operator.yaml");
    let manifest = manifest.to_str().unwrap();
    let applied =
        cluster.kubectl_stdout(["apply", "--dry-run=server", "--validate=strict", "--filename", manifest]);
    let applied = applied.unwrap();
    assert!(applied.contains("deployment.apps/spotpool-operator created"), "{applied}");
    assert!(applied.contains("service/spotpool-operator created"), "{applied}");
}

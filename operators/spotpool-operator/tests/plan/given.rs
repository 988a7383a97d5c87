//! Things to plan with.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use spotpool_operator::crd::instance::PoolReference;
use spotpool_operator::crd::{
    Attempt, AttemptOutcome, Candidate, ChargeType, INSTANCE_FINALIZER, POOL_FINALIZER, POOL_LABEL,
    SpotInstance, SpotInstanceSpec, SpotPool, SpotPoolStatus,
};
use spotpool_operator::identity::{CLUSTER_TAG, INSTANCE_TAG, POOL_TAG, instance_name};
use spotpool_operator::plan::Rules;
use spotpool_operator::span::later;
use spotpool_operator::valid::ValidPool;
use spotpool_operator::{Guards, Windows};
use tencent_cvm::{Instance, InstanceId, InstanceState, Tag};

pub(crate) const CLUSTER: &str = "11111111-0000-4000-8000-000000000000";
pub(crate) const POOL_UID: &str = "22222222-0000-4000-8000-000000000000";

pub(crate) fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// So many seconds after the start.
pub(crate) fn at(seconds: u64) -> Timestamp {
    later(start(), Duration::from_secs(seconds))
}

pub(crate) fn rules() -> Rules {
    Rules {
        cluster_id: CLUSTER.to_owned(),
        windows: Windows::new(Duration::from_secs(60)),
        guards: Guards::ALL,
    }
}

pub(crate) fn pool(minimum: i32, maximum: i32) -> SpotPool {
    let spec = serde_json::json!({
        "secretId": "AKIDFAKE", "secretKey": "fakeSecretKey", "region": "ap-singapore",
        "availabilityZone": "ap-singapore-2", "instanceType": "GN7.2XLARGE32", "minimum": minimum, "maximum": maximum,
        "subnetId": "subnet-gfrv79s2", "vpcId": "vpc-86f66zht", "securityGroupIds": ["sg-aglabemo"],
        "imageId": "img-5gn3j31i", "instanceChargeType": "SPOTPAID",
    });
    let mut pool = SpotPool::new("pool", serde_json::from_value(spec).unwrap());
    pool.metadata.namespace = Some("default".to_owned());
    pool.metadata.uid = Some(POOL_UID.to_owned());
    pool.metadata.generation = Some(1);
    pool.metadata.finalizers = Some(vec![POOL_FINALIZER.to_owned()]);
    pool.status = Some(SpotPoolStatus::default());
    pool
}

/// Of the template of [`pool`], whatever its size.
static TEMPLATE_HASH: LazyLock<String> =
    LazyLock::new(|| ValidPool::try_from(&pool(1, 1)).unwrap().template.hash());

pub(crate) fn instance(n: i64) -> SpotInstance {
    let spec = SpotInstanceSpec {
        pool: PoolReference { name: "pool".to_owned(), uid: POOL_UID.to_owned() },
        cluster_id: CLUSTER.to_owned(),
        n,
        charge_type: ChargeType::Spotpaid,
        region: "ap-singapore".to_owned(),
        template_hash: TEMPLATE_HASH.clone(),
        template_hash_version: 1,
        adopted: None,
    };
    let mut instance = SpotInstance::new(&format!("pool-{n}"), spec);
    instance.metadata = ObjectMeta {
        name: Some(format!("pool-{n}")),
        namespace: Some("default".to_owned()),
        uid: Some(format!("{n:08x}-0000-4000-8000-333333333333")),
        labels: Some([(POOL_LABEL.to_owned(), "pool".to_owned())].into()),
        finalizers: Some(vec![INSTANCE_FINALIZER.to_owned()]),
        ..ObjectMeta::default()
    };
    instance
}

pub(crate) fn attempt(number: i64, token: &str, sent_at: Timestamp, outcome: AttemptOutcome) -> Attempt {
    Attempt {
        number,
        candidate: candidate(),
        token: token.to_owned(),
        body_hash: "hash".to_owned(),
        sent_at: Time(sent_at),
        stock_asked_at: None,
        outcome,
        code: None,
        message: None,
        request_id: None,
    }
}

/// The one candidate of [`pool`].
pub(crate) fn candidate() -> Candidate {
    Candidate {
        instance_type: "GN7.2XLARGE32".to_owned(),
        availability_zone: "ap-singapore-2".to_owned(),
        subnet_id: "subnet-gfrv79s2".to_owned(),
    }
}

/// The machine that a SpotInstance made.
pub(crate) fn machine(instance: &SpotInstance, id: &str, state: InstanceState) -> Instance {
    let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    Instance {
        id: InstanceId::new(id),
        name: instance_name(instance),
        state: Some(state),
        zone: Some("ap-singapore-2".to_owned()),
        instance_type: Some("GN7.2XLARGE32".to_owned()),
        charge_type: Some("SPOTPAID".to_owned()),
        private_ips: vec!["10.0.0.1".to_owned()],
        public_ips: vec!["127.0.0.2".to_owned()],
        tags: vec![
            tag(CLUSTER_TAG, CLUSTER),
            tag(POOL_TAG, POOL_UID),
            tag(INSTANCE_TAG, instance.metadata.uid.as_deref().unwrap_or_default()),
        ],
        created_time: None,
        restrict_state: None,
        isolated_source: None,
        stop_charging_mode: None,
        latest_operation: None,
        latest_operation_state: None,
        latest_operation_error: None,
    }
}

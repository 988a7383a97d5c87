//! A pool as people write it, and a SpotInstance as the operator makes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::api::ObjectMeta;
use spotpool_operator::crd::instance::PoolReference;
use spotpool_operator::crd::pool::{CredentialsSecretRef, HealthSettings, InstanceSettings, NetworkSettings};
use spotpool_operator::crd::{
    Attempt, AttemptOutcome, Candidate, ChargeType, INSTANCE_FINALIZER, POOL_LABEL, Phase, SpotInstance,
    SpotInstanceSpec, SpotInstanceStatus, SpotPool, SpotPoolSpec, whole_seconds,
};

/// A pool of one to two machines, held at two, with its key in the Secret `cloud`.
pub fn sample_pool(namespace: &str, name: &str) -> SpotPool {
    let spec = SpotPoolSpec {
        secret_id: None,
        secret_key: None,
        credentials_secret_ref: Some(CredentialsSecretRef { name: "cloud".to_owned() }),
        region: "ap-singapore".to_owned(),
        availability_zone: "ap-singapore-2".to_owned(),
        instance_type: "GN7.2XLARGE32".to_owned(),
        minimum: 1,
        maximum: 2,
        candidates: None,
        replicas: Some(2),
        paused: false,
        subnet_id: "subnet-gfrv79s2".to_owned(),
        vpc_id: "vpc-86f66zht".to_owned(),
        security_group_ids: vec!["sg-aglabemo".to_owned()],
        image_id: "img-5gn3j31i".to_owned(),
        instance_charge_type: ChargeType::Spotpaid,
        kong_gateway_ip: None,
        instance: InstanceSettings::default(),
        network: NetworkSettings::default(),
        health: HealthSettings::default(),
    };
    let metadata = ObjectMeta {
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    SpotPool { metadata, spec, status: None }
}

/// The SpotInstance number `n` of this pool (as it was read, with its uid).
pub fn sample_instance(pool: &SpotPool, n: i64) -> SpotInstance {
    let pool_name = pool.metadata.name.clone().unwrap_or_default();
    let metadata = ObjectMeta {
        namespace: pool.metadata.namespace.clone(),
        name: Some(format!("{pool_name}-{n}")),
        labels: Some(BTreeMap::from([(POOL_LABEL.to_owned(), pool_name.clone())])),
        finalizers: Some(vec![INSTANCE_FINALIZER.to_owned()]),
        ..ObjectMeta::default()
    };
    let spec = SpotInstanceSpec {
        pool: PoolReference { name: pool_name, uid: pool.metadata.uid.clone().unwrap_or_default() },
        cluster_id: "the-cluster".to_owned(),
        n,
        charge_type: pool.spec.instance_charge_type,
        region: pool.spec.region.clone(),
        template_hash: "0123456789abcdef".to_owned(),
        template_hash_version: 1,
        adopted: None,
    };
    SpotInstance { metadata, spec, status: None }
}

/// A status with one attempt of each outcome.
pub(super) fn sample_status() -> SpotInstanceStatus {
    let outcomes = [
        AttemptOutcome::Refused,
        AttemptOutcome::NotSent,
        AttemptOutcome::Errored,
        AttemptOutcome::Closed,
        AttemptOutcome::Unknown,
    ];
    let attempts = (1..).zip(outcomes).map(|(number, outcome)| sample_attempt(number, outcome)).collect();
    SpotInstanceStatus {
        phase: Phase::Launching,
        instance_name: Some("sp-abcdefghijklmnop-1abcdef".to_owned()),
        attempts,
        attempted: 5,
        ..SpotInstanceStatus::default()
    }
}

fn sample_attempt(number: i64, outcome: AttemptOutcome) -> Attempt {
    Attempt {
        number,
        candidate: Candidate {
            instance_type: "GN7.2XLARGE32".to_owned(),
            availability_zone: "ap-singapore-2".to_owned(),
            subnet_id: "subnet-gfrv79s2".to_owned(),
        },
        token: format!("token-{number}"),
        body_hash: "fedcba9876543210".to_owned(),
        sent_at: whole_seconds(Timestamp::UNIX_EPOCH),
        stock_asked_at: Some(whole_seconds(Timestamp::UNIX_EPOCH)),
        outcome,
        code: Some("LimitExceeded.SpotQuota".to_owned()),
        message: None,
        request_id: None,
    }
}

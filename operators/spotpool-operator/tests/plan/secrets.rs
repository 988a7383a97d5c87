//! A key is not lost while machines need it: which Secret is held, and when it is let go. And what a namespace that
//! is being deleted means.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::ObjectMeta;
use spotpool_operator::conditions::{kind, reason};
use spotpool_operator::crd::pool::CredentialsSecretRef;
use spotpool_operator::crd::{POOL_FINALIZER, SpotInstance, SpotPool};
use spotpool_operator::identity::AccountId;
use spotpool_operator::plan::secrets::secret_finalizer;
use spotpool_operator::plan::{AccountSeen, CloudSeen, Observed, SecretHold, plan};
use spotpool_operator::status::status;
use spotpool_operator::sweep::Snapshot;
use tencent_cvm::{AppId, SecretId};

use crate::given::{at, instance, pool, rules};
use crate::model::Model;

/// A pool of one whose key is in the Secret `cloud`, with these Secrets held.
fn keyed(held: &[&str]) -> SpotPool {
    let mut pool = pool(1, 1);
    (pool.spec.secret_id, pool.spec.secret_key) = (None, None);
    pool.spec.credentials_secret_ref = Some(CredentialsSecretRef { name: "cloud".to_owned() });
    let status = pool.status.as_mut().unwrap();
    (status.held_secrets, status.launched) = (held.iter().map(|&name| name.to_owned()).collect(), 1);
    pool
}

fn leaving(mut pool: SpotPool) -> SpotPool {
    pool.metadata.deletion_timestamp = Some(Time(at(0)));
    pool
}

fn finalizers(names: &[&str]) -> Option<ObjectMeta> {
    let finalizers = names.iter().map(|&name| name.to_owned()).collect();
    Some(ObjectMeta { name: Some("cloud".to_owned()), finalizers: Some(finalizers), ..ObjectMeta::default() })
}

/// The pool's own finalizer on a Secret.
const OWN: &str = "demo.aiops.org/spotpool-pool";

fn seen(pool: SpotPool, instances: Vec<SpotInstance>, secret: Option<ObjectMeta>) -> Observed {
    let mut model = Model::new(pool, 0);
    model.instances = instances;
    Observed { secret, ..model.observe() }
}

fn hold(seen: &Observed) -> SecretHold {
    plan(seen, &rules(), at(1000)).secrets
}

fn take(name: &str) -> SecretHold {
    SecretHold { take: Some(name.to_owned()), release: Vec::new() }
}

fn release(names: &[&str]) -> SecretHold {
    SecretHold { take: None, release: names.iter().map(|&name| name.to_owned()).collect() }
}

#[test]
fn each_pool_has_a_finalizer_of_its_own() {
    assert_eq!(secret_finalizer("pool"), OWN);
    assert!(
        secret_finalizer(&"x".repeat(52)).rsplit('/').next().unwrap().len() <= 63,
        "or the API server refuses it"
    );
}

#[test]
fn a_secret_is_held_before_anything_is_launched_and_as_long_as_anything_needs_it() {
    let nothing = SecretHold::default();
    let others = finalizers(&["somebody/else"]);
    let rows = [
        ("nothing is launched yet", seen(keyed(&[]), vec![], others.clone()), take("cloud")),
        ("held already", seen(keyed(&["cloud"]), vec![], finalizers(&[OWN])), nothing.clone()),
        ("held, and the status was lost", seen(keyed(&[]), vec![], finalizers(&[OWN])), take("cloud")),
        ("said to be held, and made anew", seen(keyed(&["cloud"]), vec![instance(1)], others), take("cloud")),
        ("it is not there", seen(keyed(&["cloud"]), vec![instance(1)], None), nothing.clone()),
        (
            "the pool is leaving and something is left",
            seen(leaving(keyed(&["cloud"])), vec![instance(1)], finalizers(&[OWN])),
            nothing,
        ),
        (
            "the pool is leaving and nothing is left",
            seen(leaving(keyed(&["cloud"])), vec![], finalizers(&[OWN])),
            release(&["cloud"]),
        ),
    ];
    for (row, seen, want) in rows {
        assert_eq!(hold(&seen), want, "{row}");
    }
}

#[test]
fn one_that_was_deleted_takes_no_new_finalizer() {
    let mut secret = finalizers(&["somebody/else"]).unwrap();
    secret.deletion_timestamp = Some(Time(at(0)));
    assert_eq!(hold(&seen(keyed(&[]), vec![instance(1)], Some(secret))), SecretHold::default());
}

#[test]
fn a_pool_that_wants_nothing_and_has_nothing_lets_its_secret_go() {
    let mut none = keyed(&["cloud"]);
    (none.spec.minimum, none.spec.replicas) = (0, None);
    assert_eq!(hold(&seen(none.clone(), vec![], finalizers(&[OWN]))), release(&["cloud"]));
    assert_eq!(hold(&seen(none, vec![instance(1)], finalizers(&[OWN]))), SecretHold::default());
}

#[test]
fn the_pool_itself_goes_after_its_hold() {
    for (held, goes) in [(&["cloud"][..], false), (&[][..], true)] {
        let mut pool = leaving(keyed(held));
        pool.metadata.finalizers = Some(vec![POOL_FINALIZER.to_owned()]);
        let seen = seen(pool, vec![], None);
        assert_eq!(plan(&seen, &rules(), at(1000)).remove_finalizer, goes, "{held:?}");
    }
}

/// A pass under a key of the account, with a SpotInstance that was asked for in account `of`.
fn under(account: u64, of: u64) -> Observed {
    let mut one = instance(1);
    let status = one.status.get_or_insert_default();
    let label = |id: u64| AccountId::new(&SecretId::new(format!("AKIDFAKE{id}")), Some(AppId::new(id)));
    (status.account, status.instance_id) = (Some(label(of).label()), Some("ins-1".to_owned()));
    let cloud = AccountSeen {
        id: label(account),
        now: Some(at(1000)),
        snapshot: Some(Arc::new(Snapshot { begun: Some(at(1000)), ..Snapshot::default() })),
        ..AccountSeen::default()
    };
    Observed {
        cloud: CloudSeen::Account(Box::new(cloud)),
        ..seen(keyed(&["former", "cloud"]), vec![one], finalizers(&[OWN]))
    }
}

#[test]
fn a_secret_that_was_named_before_is_let_go_when_its_successor_knows_the_machines() {
    assert_eq!(hold(&under(1, 1)), release(&["former"]));
    assert_eq!(hold(&under(2, 1)), SecretHold::default(), "the former key alone opens the machines' account");
}

#[test]
fn a_deleted_secret_that_is_held_works_on_and_says_so() {
    let mut secret = finalizers(&[OWN]).unwrap();
    secret.deletion_timestamp = Some(Time(at(0)));
    let mut seen = under(1, 1);
    seen.secret = Some(secret);
    let plan = plan(&seen, &rules(), at(1000));
    assert_eq!(plan.hold, None);
    let told = status(seen.pool.object().unwrap(), &seen, &plan, at(1000));
    let valid = told.conditions.iter().find(|condition| condition.type_ == kind::CREDENTIALS_VALID).unwrap();
    assert_eq!((valid.status.as_str(), valid.reason.as_str()), ("True", reason::SECRET_DELETED));
    for words in ["Secret cloud", "spec.credentialsSecretRef", "delete the pool"] {
        assert!(valid.message.contains(words), "{}", valid.message);
    }
}

#[test]
fn nothing_is_launched_in_a_namespace_that_is_being_deleted() {
    let seen = Observed { namespace_leaving: true, ..seen(pool(2, 2), vec![instance(1)], None) };
    let plan = plan(&seen, &rules(), at(1000));
    assert!(plan.raise.is_none() && plan.launch.is_none());
    let told = status(seen.pool.object().unwrap(), &seen, &plan, at(1000));
    let stalled = told.conditions.iter().find(|condition| condition.type_ == kind::STALLED).unwrap();
    assert_eq!((stalled.status.as_str(), stalled.reason.as_str()), ("True", reason::NAMESPACE_LEAVING));
}

#[test]
fn nothing_is_launched_with_the_key_of_a_secret_that_was_deleted_before_it_was_held() {
    let mut secret = finalizers(&["demo.aiops.org/spotpool-another"]).unwrap();
    secret.deletion_timestamp = Some(Time(at(0)));
    let pool = keyed(&[]);
    let seen = seen(pool, Vec::new(), Some(secret));
    let plan = plan(&seen, &rules(), at(1000));
    assert!(plan.raise.is_none() && plan.launch.is_none() && plan.secrets == SecretHold::default());
    let told = status(seen.pool.object().unwrap(), &seen, &plan, at(1000));
    let valid = told.conditions.iter().find(|condition| condition.type_ == kind::CREDENTIALS_VALID).unwrap();
    assert_eq!((valid.status.as_str(), valid.reason.as_str()), ("False", reason::SECRET_DELETED));
    assert!(valid.message.contains("nothing is launched with its key"), "{}", valid.message);
}

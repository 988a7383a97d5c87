//! The judge sees each invariant broken when it is, told by the ledger's and the store's own events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use sim::cvm::{Caller, Event, Launch, What, Why};
use simulation::contract::{sample_instance, sample_pool};
use simulation::judge::{Expected, Invariant, Judge};
use simulation::store::{Actor, MemStore, ObjectKey, Request};
use simulation::trace::Trace;
use simulation::truth::Truth;
use spotpool_operator::crd::{
    ADOPT_ANNOTATION, AdoptedMachine, Attempt, AttemptOutcome, Candidate, KEEP_MACHINES_ANNOTATION, Phase,
    SpotInstance, SpotPool, SpotPoolSpec, whole_seconds,
};
use spotpool_operator::identity::{CLUSTER_TAG, INSTANCE_TAG, POOL_TAG, instance_name};
use spotpool_operator::ports::PoolKey;

const CLUSTER: &str = "the-cluster";
const OPERATOR: Actor = Actor::Process(1);

/// A cluster with one pool of one machine at most, and its judge.
struct Court {
    judge: Arc<Judge>,
    store: MemStore,
    pool: SpotPool,
}

impl Court {
    fn open() -> Self {
        let truth = Truth::starting(Timestamp::UNIX_EPOCH);
        let judge = Arc::new(Judge::new(truth, Arc::new(Trace::new(truth, false))));
        judge.add_cluster(CLUSTER);
        let store = MemStore::new(CLUSTER, Arc::new(truth));
        let ear = Arc::clone(&judge);
        store.observe(Arc::new(move |commit| ear.on_store(CLUSTER, commit)));
        let mut pool = sample_pool("models", "anna");
        (pool.spec.minimum, pool.spec.maximum, pool.spec.replicas) = (1, 1, None);
        let mut pool = store.create_pool(&pool).expect("created");
        pool.metadata.finalizers = Some(vec!["demo.aiops.org/machines".to_owned()]);
        store.handle(OPERATOR, &Request::ReplacePool(Box::new(pool.clone()))).expect("written");
        Self { judge, store, pool }
    }

    fn wish(&self, n: i64) -> SpotInstance {
        let wish = sample_instance(&self.pool, n);
        self.store.handle(OPERATOR, &Request::CreateInstance(Box::new(wish.clone()))).expect("created");
        self.read(&wish)
    }

    fn read(&self, instance: &SpotInstance) -> SpotInstance {
        let all = self.store.all_instances();
        all.into_iter().find(|other| other.name_any() == instance.name_any()).expect("there")
    }

    /// Writes a status as the operator does.
    fn write(
        &self,
        instance: &SpotInstance,
        change: impl FnOnce(&mut spotpool_operator::crd::SpotInstanceStatus),
    ) -> SpotInstance {
        let mut next = self.read(instance);
        change(next.status.get_or_insert_default());
        self.store.handle(OPERATOR, &Request::ReplaceInstanceStatus(Box::new(next))).expect("written");
        self.read(instance)
    }

    fn attempt(&self, instance: &SpotInstance, token: &str) -> SpotInstance {
        self.write(instance, |status| {
            status.attempted += 1;
            status.attempts.push(attempt(status.attempted, token));
        })
    }

    fn happens(&self, what: What) {
        self.judge.on_cloud(&Event { seq: 1, at: Timestamp::UNIX_EPOCH, what });
    }

    /// The cloud makes a machine of this name and token.
    fn makes(&self, id: &str, instance: &SpotInstance, token: &str) {
        let tags = [
            (CLUSTER_TAG, CLUSTER.to_owned()),
            (POOL_TAG, instance.spec.pool.uid.clone()),
            (INSTANCE_TAG, instance.uid().expect("a uid")),
        ];
        let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        self.places(id, &instance_name(instance), tags, Some(caller("RunInstances", Some(token))));
    }

    fn places(&self, id: &str, name: &str, tags: Vec<(String, String)>, caller: Option<Caller>) {
        self.happens(What::Launched(Box::new(Launch {
            instance_id: id.to_owned(),
            account: "shared".to_owned(),
            region: "ap-singapore".to_owned(),
            zone: "ap-singapore-2".to_owned(),
            instance_type: "GN7.2XLARGE32".to_owned(),
            charge_type: "SPOTPAID".to_owned(),
            name: name.to_owned(),
            tags,
            caller,
        })));
    }

    fn terminates(&self, id: &str) {
        let caller = caller("TerminateInstances", None);
        self.happens(What::TerminationAccepted { instance_id: id.to_owned(), caller });
    }

    /// One SpotInstance with its machine, all in order.
    fn settled(&self, n: i64, id: &str) -> SpotInstance {
        let wish = self.wish(n);
        self.attempt(&wish, "token");
        self.makes(id, &wish, "token");
        self.write(&wish, |status| status.instance_id = Some(id.to_owned()))
    }

    /// Marked for deletion.
    fn leaves(&self, instance: &SpotInstance) {
        let mark = Request::DeleteInstance(Box::new(self.read(instance)));
        self.store.handle(OPERATOR, &mark).expect("marked");
    }

    /// Its finalizer goes, and it with it.
    fn released(&self, instance: &SpotInstance) {
        let mut last = self.read(instance);
        last.metadata.finalizers = None;
        self.store.handle(OPERATOR, &Request::ReplaceInstance(Box::new(last))).expect("released");
    }

    fn finds(&self) -> Option<Invariant> {
        self.judge.violation().map(|violation| violation.invariant)
    }
}

fn caller(action: &str, token: Option<&str>) -> Caller {
    Caller {
        action: action.to_owned(),
        request_id: "req".to_owned(),
        secret_id: "AKIDFAKE".to_owned(),
        token: token.map(str::to_owned),
    }
}

fn attempt(number: i64, token: &str) -> Attempt {
    Attempt {
        number,
        candidate: Candidate {
            instance_type: "GN7.2XLARGE32".to_owned(),
            availability_zone: "ap-singapore-2".to_owned(),
            subnet_id: "subnet-gfrv79s2".to_owned(),
        },
        token: token.to_owned(),
        body_hash: "hash".to_owned(),
        sent_at: whole_seconds(Timestamp::UNIX_EPOCH),
        stock_asked_at: None,
        outcome: AttemptOutcome::Unknown,
        code: None,
        message: None,
        request_id: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_launch_and_a_farewell_in_order_break_nothing() {
    let court = Court::open();
    let mine = court.settled(1, "ins-1");
    court.leaves(&mine);
    court.terminates("ins-1");
    court.happens(What::Gone { instance_id: "ins-1".to_owned(), why: Why::Terminated });
    court.released(&mine);
    assert_eq!(court.finds(), None);
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_an_attempt_is_found() {
    let court = Court::open();
    let wish = court.wish(1);
    court.makes("ins-1", &wish, "token");
    assert_eq!(court.finds(), Some(Invariant::IntentFirst));
}

#[tokio::test(start_paused = true)]
async fn a_second_machine_of_one_name_is_found_unless_the_network_doubled_the_request() {
    for (doubled, found) in [(false, Some(Invariant::NeverTwice)), (true, None)] {
        let court = Court::open();
        let mine = court.settled(1, "ins-1");
        if doubled {
            court.judge.doubled(&instance_name(&mine));
        }
        court.makes("ins-2", &mine, "token");
        assert_eq!(court.finds(), found);
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_above_the_maximum_or_the_need_is_found() {
    for (maximum, found) in [(1, Invariant::NeverOver), (2, Invariant::NeverNeedless)] {
        let court = Court::open();
        let key = PoolKey::new("models", "anna");
        court.store.edit_pool(&key, |spec| spec.maximum = maximum).expect("edited");
        court.settled(1, "ins-1");
        court.settled(2, "ins-2");
        assert_eq!(court.finds(), Some(found));
    }
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_asks_again_and_again_is_found() {
    let court = Court::open();
    let wish = court.wish(1);
    court.attempt(&wish, "token");
    let caller = caller("RunInstances", Some("token"));
    let refuse = || {
        let code = "ResourceInsufficient.SpecifiedInstanceType".to_owned();
        court.happens(What::Refused { caller: caller.clone(), code });
    };
    for _ in 0..2 {
        (0..60).for_each(|_| refuse());
        assert_eq!(court.finds(), None);
        tokio::time::advance(Duration::from_secs(3600)).await;
    }
    (0..61).for_each(|_| refuse());
    assert_eq!(court.finds(), Some(Invariant::FewRefusals));
}

#[tokio::test(start_paused = true)]
async fn a_machine_for_a_pool_that_left_before_its_wish_is_found() {
    let court = Court::open();
    court.store.delete_pool(&PoolKey::new("models", "anna")).expect("leaving");
    tokio::time::advance(Duration::from_secs(1)).await;
    court.settled(1, "ins-1");
    assert_eq!(court.finds(), Some(Invariant::NotForAGonePool));
}

#[tokio::test(start_paused = true)]
async fn a_machine_in_a_namespace_that_goes_is_found() {
    let court = Court::open();
    court.judge.on_leaving_namespace(&[court.pool.uid().expect("a uid")]);
    tokio::time::advance(Duration::from_secs(60)).await;
    court.settled(1, "ins-1");
    assert_eq!(court.finds(), Some(Invariant::NotInALeavingNamespace));
}

#[tokio::test(start_paused = true)]
async fn one_that_serves_goes_first_only_when_nobody_was_shown_that_it_runs_again() {
    let shown = br#"{"Response":{"InstanceSet":[{"InstanceId":"ins-1","InstanceState":"RUNNING"}]}}"#;
    let not_yet = br#"{"Response":{"InstanceSet":[{"InstanceId":"ins-1","InstanceState":"STARTING"}]}}"#;
    for (key, answer, found) in [
        ("AKIDFAKE", &shown[..], Some(Invariant::ServesFirst)),
        ("AKIDFAKE", &not_yet[..], None),
        ("AKIDFAKEOTHER", &shown[..], None),
    ] {
        let court = Court::open();
        let secret = ObjectKey::new("models", "cloud");
        let data = BTreeMap::from([("secretId".to_owned(), "AKIDFAKE".to_owned())]);
        court.store.put_secret(&secret, &data).expect("written");
        let mine = court.settled(1, "ins-1");
        court.write(&mine, |status| {
            (status.phase, status.address) = (Phase::Ready, Some("10.0.0.1".to_owned()));
        });
        for state in ["STOPPED", "RUNNING"] {
            court.happens(What::StateChanged { instance_id: "ins-1".to_owned(), state });
        }
        court.judge.on_look(key, answer);
        tokio::time::advance(Duration::from_secs(300)).await;
        court.store.delete_instance_by_hand(&ObjectKey::new("models", "anna-1")).expect("marked");
        court.judge.on_answer("10.0.0.1");
        court.write(&mine, |status| {
            (status.phase, status.reason) = (Phase::Terminating, Some("Deleted".to_owned()));
        });
        assert_eq!(court.finds(), found, "{key} {}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_was_to_live_is_found_unless_its_pools_finalizer_was_taken_off() {
    for (dropped, found) in [(false, Some(Invariant::LetsLive)), (true, None)] {
        let court = Court::open();
        let key = PoolKey::new("models", "anna");
        let mine = court.settled(1, "ins-1");
        court.store.annotate_pool(&key, KEEP_MACHINES_ANNOTATION, Some("true")).expect("annotated");
        court.judge.on_leaving_namespace(&[court.pool.uid().expect("a uid")]);
        if dropped {
            court.store.drop_pool(&key).expect("dropped");
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        court.leaves(&mine);
        court.terminates("ins-1");
        assert_eq!(court.finds(), found, "dropped: {dropped}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_was_to_live_goes_with_the_pool_that_has_taken_it_over() {
    // The numbers give other uids each, and with them another order of the two SpotInstances.
    for n in 1..=8 {
        let court = Court::open();
        let key = PoolKey::new("models", "anna");
        let theirs = court.settled(1, "ins-1");
        court.store.annotate_pool(&key, KEEP_MACHINES_ANNOTATION, Some("true")).expect("annotated");
        court.store.delete_pool(&key).expect("deleted");
        tokio::time::advance(Duration::from_secs(60)).await;
        court.leaves(&theirs);
        court.released(&theirs);

        let bert = court.store.create_pool(&sample_pool("models", "bert")).expect("created");
        let key = PoolKey::new("models", "bert");
        court.store.annotate_pool(&key, ADOPT_ANNOTATION, Some("ins-1")).expect("annotated");
        let mut adoption = sample_instance(&bert, n);
        adoption.spec.adopted = Some(AdoptedMachine {
            instance_id: "ins-1".to_owned(),
            instance_name: instance_name(&theirs),
            pool_tag: Some(theirs.spec.pool.uid.clone()),
            instance_tag: theirs.uid(),
        });
        court.store.handle(OPERATOR, &Request::CreateInstance(Box::new(adoption.clone()))).expect("created");
        court.write(&adoption, |status| status.instance_id = Some("ins-1".to_owned()));
        court.leaves(&adoption);
        court.terminates("ins-1");
        let found = court.judge.violation().map(|violation| violation.text);
        assert_eq!(found, None, "number {n}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_too_many_that_serves_is_found_where_another_does_not() {
    for (goes, found) in [("anna-1", Some(Invariant::ServesLast)), ("anna-2", None)] {
        let court = Court::open();
        let size = |machines| {
            let key = PoolKey::new("models", "anna");
            let edit = |spec: &mut SpotPoolSpec| (spec.minimum, spec.maximum) = (machines, machines);
            court.store.edit_pool(&key, edit).expect("edited");
        };
        size(2);
        for (n, id, address, phase) in
            [(1, "ins-1", "10.0.0.1", Phase::Ready), (2, "ins-2", "10.0.0.2", Phase::NotReady)]
        {
            let instance = court.settled(n, id);
            court.write(&instance, |status| {
                (status.phase, status.address) = (phase, Some(address.to_owned()));
            });
        }
        tokio::time::advance(Duration::from_secs(300)).await;
        court.judge.on_answer("10.0.0.1");
        size(1);
        let victim = court.store.all_instances().into_iter().find(|instance| instance.name_any() == goes);
        court.write(&victim.expect("there"), |status| {
            (status.phase, status.reason) = (Phase::Terminating, Some("Surplus".to_owned()));
        });
        assert_eq!(court.finds(), found, "{goes} goes");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stranger_is_found_and_that_of_a_machine_that_should_stay() {
    let court = Court::open();
    court.places("ins-theirs", "database", Vec::new(), None);
    court.terminates("ins-theirs");
    assert_eq!(court.finds(), Some(Invariant::NeverAStranger), "on record nowhere");

    let court = Court::open();
    let mine = court.settled(1, "ins-1");
    court.places("ins-theirs", "database", Vec::new(), None);
    let key = simulation::store::ObjectKey::new("models", mine.name_any());
    let point = |status: &mut spotpool_operator::crd::SpotInstanceStatus| {
        status.instance_id = Some("ins-theirs".to_owned());
    };
    court.store.edit_instance_status(&key, point).expect("edited");
    court.terminates("ins-theirs");
    assert_eq!(court.finds(), Some(Invariant::NeverAStranger), "on record, but of another name");

    let court = Court::open();
    court.settled(1, "ins-1");
    court.terminates("ins-1");
    assert_eq!(court.finds(), Some(Invariant::NeverUnasked));
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_that_goes_before_its_machine_is_found() {
    let court = Court::open();
    let mine = court.settled(1, "ins-1");
    court.leaves(&mine);
    court.terminates("ins-1");
    court.released(&mine);
    assert_eq!(court.finds(), Some(Invariant::NothingLost), "accepted is not gone");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_changes_is_found_and_one_of_anothers_machine() {
    let court = Court::open();
    let mine = court.settled(1, "ins-1");
    court.judge.doubled(&instance_name(&mine));
    court.makes("ins-2", &mine, "token");
    court.write(&mine, |status| status.instance_id = Some("ins-2".to_owned()));
    assert_eq!(court.finds(), Some(Invariant::WrittenOnce));

    let court = Court::open();
    let wish = court.wish(1);
    court.places("ins-theirs", "database", Vec::new(), None);
    court.write(&wish, |status| status.instance_id = Some("ins-theirs".to_owned()));
    assert_eq!(court.finds(), Some(Invariant::RecordedAStranger));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_for_what_has_a_machine_is_found() {
    let court = Court::open();
    let mine = court.settled(1, "ins-1");
    court.attempt(&mine, "another");
    assert_eq!(court.finds(), Some(Invariant::AskedInVain));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_goes_before_its_spot_instances_is_found() {
    let court = Court::open();
    court.settled(1, "ins-1");
    let key = PoolKey::new("models", "anna");
    court.store.delete_pool(&key).expect("leaving");
    let mut last = SpotPool::clone(&court.store.peek_pool(&key).expect("there"));
    last.metadata.finalizers = None;
    court.store.handle(OPERATOR, &Request::ReplacePool(Box::new(last))).expect("gone");
    assert_eq!(court.finds(), Some(Invariant::NothingLeftBehind));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_restless_at_rest_is_found() {
    let court = Court::open();
    let pools = court.store.all_pools();
    court.judge.at_rest(&Expected { pools, written_lately: None });
    assert_eq!(court.finds(), Some(Invariant::WholeAtRest), "a pool of one without a machine");

    let court = Court::open();
    let restless = Some("process 1 wrote pool anna, 3 s before the end".to_owned());
    court.judge.at_rest(&Expected { pools: Vec::new(), written_lately: restless });
    assert_eq!(court.finds(), Some(Invariant::QuietAtRest));
}

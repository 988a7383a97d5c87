//! Whatever a pass may read, and what must hold of the plan for it. The input is bytes, so that a fuzzer can write
//! them: `fuzz/fuzz_targets/plan.rs` is made of this file and of [`crate::given`], and [`crate::hostile`] feeds it what
//! was found worth keeping.
//!
//! Nothing here keeps to what the operator itself would write: statuses are edited by hand, times are at the end of
//! time, machines carry half of another's tags, looks contradict each other.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use spotpool_operator::conditions::reason;
use spotpool_operator::crd::pool::{Boots, Care, LaunchBackOff, RefusalScope};
use spotpool_operator::crd::{
    Attempt, AttemptOutcome, Candidate, ExtraMachine, KEEP_MACHINES_ANNOTATION, Phase, SpotInstance,
    SpotInstanceStatus, SpotPool, SpotPoolStatus,
};
use spotpool_operator::identity::{AccountId, CLUSTER_TAG, INSTANCE_TAG, POOL_TAG, instance_name};
use spotpool_operator::plan::admit::{Admission, admit};
use spotpool_operator::plan::advertised::Advert;
use spotpool_operator::plan::seen::{NameLook, Told};
use spotpool_operator::plan::{
    AccountSeen, Advertised, CloudSeen, Observed, Plan, PoolSeen, Step, plan, reads,
};
use spotpool_operator::probes::ProbeView;
use spotpool_operator::status::status;
use spotpool_operator::sweep::{Snapshot, Trouble};
use spotpool_operator::valid::ValidPool;
use tencent_cvm::{Action, AppId, Instance, InstanceId, InstanceState, IsolatedSource, SecretId, classify};

use crate::given::{at, candidate, instance, machine, pool, rules};

const CODES: [&str; 8] = [
    "ResourceInsufficient.SpecifiedInstanceType",
    "LimitExceeded.UserSpotQuota",
    "InvalidParameterValue.InsufficientPrice",
    "ResourceInsufficient.CloudDiskSoldOut",
    "AuthFailure.SecretIdNotFound",
    "InvalidAccount.InsufficientBalance",
    "Unheard.Of",
    "",
];
const STATES: [&str; 12] = [
    "PENDING",
    "LAUNCH_FAILED",
    "RUNNING",
    "STARTING",
    "REBOOTING",
    "STOPPING",
    "STOPPED",
    "SHUTDOWN",
    "TERMINATING",
    "RESCUE_MODE",
    "HOVERING",
    "",
];
const OUTCOMES: [AttemptOutcome; 6] = [
    AttemptOutcome::Unknown,
    AttemptOutcome::Made,
    AttemptOutcome::Refused,
    AttemptOutcome::NotSent,
    AttemptOutcome::Errored,
    AttemptOutcome::Closed,
];
const PHASES: [Phase; 6] =
    [Phase::Launching, Phase::Booting, Phase::Ready, Phase::NotReady, Phase::Draining, Phase::Terminating];

/// A replacement may stand beside machines that do not answer, and beside one that was deleted by hand.
const BESIDE: usize = 2;

static POOL: LazyLock<SpotPool> = LazyLock::new(|| pool(1, 3));

/// Plans for what `input` stands for, and judges the plan.
pub(crate) fn check(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let Ok((seen, now)) = observed(&mut source) else { return };
    let rules = rules();
    let _ = reads::wanted(&seen, &rules);
    let plan = plan(&seen, &rules, now);
    for entry in &plan.instances {
        match &entry.step {
            Step::Terminate(ids) => {
                ids.iter().for_each(|id| may_be_terminated(id, &entry.instance, &seen, &plan));
            }
            Step::TerminateAndRelease(_) => panic!("only with a guard off"),
            Step::LetLive => {
                let goes = |pool: &ValidPool| pool.leaving || seen.namespace_leaving;
                assert!(seen.pool.valid().is_some_and(|pool| pool.keeps_machines && goes(pool)));
            }
            Step::Release => nothing_is_forgotten(entry.status.as_ref(), &entry.instance, &seen),
            Step::Keep | Step::Delete(_) => {}
        }
    }
    launches_are_in_order(&seen, &plan);
    if let Some(object) = seen.pool.object() {
        let _ = status(object, &seen, &plan, now);
    }
    if let (Some(pool), Some(account), Some(chosen)) = (seen.pool.valid(), seen.cloud.account(), &plan.launch)
        && let Admission::Go(_, launches) =
            admit(pool, &seen.pool, &seen.instances, chosen, &seen.in_flight, account, &rules)
    {
        assert!(launches.len() <= pool.most + BESIDE);
        for launch in launches {
            assert!(chosen.numbers.contains(&launch.instance.spec.n));
            assert!(launch.instance.metadata.deletion_timestamp.is_none(), "one that leaves never sends");
        }
    }
}

/// Read by id in this very pass, and name and all three tags are the SpotInstance's.
fn may_be_terminated(id: &InstanceId, instance: &SpotInstance, seen: &Observed, plan: &Plan) {
    let account = seen.cloud.account().expect("nothing is terminated without an account");
    let Some(Some(machine)) = account.fresh.get(id) else { panic!("{id} was not read afresh") };
    assert_eq!(machine.name, instance_name(instance), "{id}");
    assert_eq!(machine.tag(CLUSTER_TAG), Some(rules().cluster_id.as_str()), "{id}");
    assert_eq!(machine.tag(POOL_TAG), Some(instance.spec.pool.uid.as_str()), "{id}");
    assert_eq!(machine.tag(INSTANCE_TAG), Some(instance.metadata.uid.as_deref().unwrap_or_default()), "{id}");
    // What is elsewhere does not keep what was asked for here from going.
    let known = instance.status.as_ref().is_some_and(|status| status.account.is_some());
    let held = |reason: &str| reason != reason::ANOTHER_ACCOUNT || !known;
    let held = plan.hold.as_ref().is_some_and(|hold| held(hold.reason));
    assert!(!held, "nothing is terminated while writes hold");
    assert_eq!(seen.pool.valid().map(|pool| &pool.region), Some(&instance.spec.region));
}

/// No machine that stands there, beyond doubt the SpotInstance's, is let go of.
fn nothing_is_forgotten(status: Option<&SpotInstanceStatus>, instance: &SpotInstance, seen: &Observed) {
    let Some(account) = seen.account_of(instance, &rules()) else { return };
    let Some(status) = status.or(instance.status.as_ref()) else { return };
    let extra = status.extra.iter().map(|extra| extra.instance_id.as_str());
    for id in status.instance_id.as_deref().into_iter().chain(extra) {
        let Some(Some(machine)) = account.fresh.get(&InstanceId::new(id)) else { continue };
        let tagged = |key, value: &str| machine.tag(key) == Some(value);
        let ours = machine.name == instance_name(instance)
            && tagged(CLUSTER_TAG, &instance.spec.cluster_id)
            && tagged(POOL_TAG, &instance.spec.pool.uid)
            && tagged(INSTANCE_TAG, instance.metadata.uid.as_deref().unwrap_or_default());
        assert!(!ours, "{id} stands there and is forgotten");
    }
}

fn launches_are_in_order(seen: &Observed, plan: &Plan) {
    if let Some(raise) = &plan.raise {
        let pool = seen.pool.valid().expect("numbers are given by a pool");
        assert!(!pool.leaving && plan.hold.is_none());
        assert!(raise.to >= pool.launched && raise.create.len() <= pool.most + BESIDE);
    }
    let Some(chosen) = &plan.launch else { return };
    assert!(!seen.namespace_leaving);
    let pool = seen.pool.valid().expect("launches are for a pool");
    assert!(plan.hold.is_none() && !pool.leaving && !pool.paused);
    assert!((1..=pool.most + BESIDE).contains(&chosen.numbers.len()), "{chosen:?}");
    assert!(pool.candidates.contains(&chosen.candidate));
}

/// Everything one pass may read.
fn observed(u: &mut Unstructured<'_>) -> Result<(Observed, Timestamp)> {
    let pool = pool_seen(u)?;
    let count = u.int_in_range(0..=5)?;
    let instances = (1..=count).map(|number| spot_instance(u, number)).collect::<Result<Vec<_>>>()?;
    let cloud = cloud(u, &instances)?;
    let mut seen = Observed {
        pool,
        namespace_leaving: u.ratio(1, 16)?,
        secret: if u.ratio(1, 2)? { Some(ObjectMeta::default()) } else { None },
        instances,
        cloud,
        probes: BTreeMap::new(),
        in_flight: Default::default(),
        told: BTreeMap::new(),
    };
    for uid in seen.instances.iter().filter_map(|instance| instance.metadata.uid.clone()) {
        if u.ratio(1, 8)? {
            seen.in_flight.insert(uid.clone());
        }
        if u.ratio(1, 2)? {
            let view = probe(u)?;
            seen.probes.insert(uid, view);
        }
    }
    if u.ratio(1, 8)? {
        let told = Told {
            again_in: if u.ratio(1, 2)? { u.arbitrary()? } else { Duration::ZERO },
            refused: if u.ratio(1, 2)? { Some(trouble(u)?) } else { None },
        };
        seen.told.insert(id(u)?, told);
    }
    Ok((seen, time(u)?))
}

fn probe(u: &mut Unstructured<'_>) -> Result<ProbeView> {
    Ok(ProbeView {
        ok: u.arbitrary()?,
        failures: u.arbitrary()?,
        text: "text".to_owned(),
        answered_ago: if u.ratio(1, 2)? { Some(u.arbitrary()?) } else { None },
        others_answered_ago: if u.ratio(1, 2)? { Some(u.arbitrary()?) } else { None },
        out_for: if u.ratio(1, 2)? { Some(u.arbitrary()?) } else { None },
    })
}

fn pool_seen(u: &mut Unstructured<'_>) -> Result<PoolSeen> {
    if u.ratio(1, 16)? {
        return Ok(PoolSeen::Gone);
    }
    let mut pool = POOL.clone();
    (pool.spec.minimum, pool.spec.maximum) = (size(u)?, size(u)?);
    pool.spec.replicas = if u.ratio(1, 4)? { Some(size(u)?) } else { None };
    pool.spec.paused = u.ratio(1, 8)?;
    if u.ratio(1, 2)? {
        let count = u.int_in_range(0..=4)?;
        pool.spec.candidates = Some((0..count).map(|_| a_candidate(u)).collect::<Result<_>>()?);
    }
    if u.ratio(1, 4)? {
        pool.metadata.deletion_timestamp = Some(Time(time(u)?));
    }
    if u.ratio(1, 8)? {
        pool.metadata.finalizers = None;
    }
    if u.ratio(1, 8)? {
        pool.metadata.annotations = Some([(KEEP_MACHINES_ANNOTATION.to_owned(), "true".to_owned())].into());
    }
    if u.ratio(1, 16)? {
        pool.metadata.uid = Some("another".to_owned());
    }
    pool.status = if u.ratio(1, 8)? { None } else { Some(pool_status(u)?) };
    Ok(match ValidPool::try_from(&pool) {
        Ok(valid) => PoolSeen::There(Box::new(pool), Box::new(valid)),
        Err(invalid) => PoolSeen::Invalid(Box::new(pool), invalid),
    })
}

fn pool_status(u: &mut Unstructured<'_>) -> Result<SpotPoolStatus> {
    let entries = u.int_in_range(0..=3)?;
    Ok(SpotPoolStatus {
        launched: if u.ratio(7, 8)? { u.int_in_range(0..=8)? } else { u.arbitrary()? },
        launch_back_off: (0..entries).map(|_| back_off(u)).collect::<Result<_>>()?,
        refusal_budget_whole_at: if u.ratio(1, 4)? { Some(Time(time(u)?)) } else { None },
        care: if u.ratio(1, 2)? { care(u)? } else { Care::default() },
        ..SpotPoolStatus::default()
    })
}

fn care(u: &mut Unstructured<'_>) -> Result<Care> {
    let mut some_time = || Ok(if u.ratio(1, 4)? { Some(Time(time(u)?)) } else { None });
    let (last_sent_away, blind_since) = (some_time()?, some_time()?);
    let (seeing_since, boot_budget_whole_at) = (some_time()?, some_time()?);
    let boots = Boots { template_hash: String::new(), answered: u.arbitrary()?, failed: u.arbitrary()? };
    Ok(Care {
        replacement: if u.ratio(1, 2)? { Some(u.int_in_range(0..=8)?) } else { None },
        last_sent_away,
        blind_since,
        seeing_since,
        boots: u.ratio(1, 2)?.then_some(boots),
        boot_budget_whole_at,
    })
}

fn back_off(u: &mut Unstructured<'_>) -> Result<LaunchBackOff> {
    let candidate = a_candidate(u)?;
    let about = RefusalScope {
        instance_type: u.arbitrary::<bool>()?.then_some(candidate.instance_type),
        availability_zone: u.arbitrary::<bool>()?.then_some(candidate.availability_zone),
        subnet_id: u.arbitrary::<bool>()?.then_some(candidate.subnet_id),
        ..RefusalScope::default()
    };
    Ok(LaunchBackOff {
        about,
        failures: u.arbitrary()?,
        last_failure: Time(time(u)?),
        until: Time(time(u)?),
        early: u.arbitrary()?,
        stock_asked_at: u.arbitrary::<bool>()?.then(|| time(u)).transpose()?.map(Time),
        template_hash: None,
        code: (*u.choose(&CODES)?).to_owned(),
        request_id: None,
        message: None,
    })
}

fn spot_instance(u: &mut Unstructured<'_>, number: i64) -> Result<SpotInstance> {
    let mut instance = instance(number);
    if u.ratio(1, 16)? {
        instance.spec.n = u.arbitrary()?;
    }
    if u.ratio(1, 16)? {
        instance.spec.pool.uid = "another".to_owned();
    }
    if u.ratio(1, 16)? {
        instance.spec.cluster_id = "another".to_owned();
    }
    if u.ratio(1, 16)? {
        instance.spec.region = "ap-elsewhere".to_owned();
    }
    if u.ratio(1, 32)? {
        instance.metadata.uid = None;
    }
    if u.ratio(1, 4)? {
        instance.metadata.deletion_timestamp = Some(Time(time(u)?));
    }
    if u.ratio(1, 16)? {
        instance.metadata.finalizers = None;
    }
    instance.status = if u.ratio(1, 8)? { None } else { Some(instance_status(u)?) };
    Ok(instance)
}

fn instance_status(u: &mut Unstructured<'_>) -> Result<SpotInstanceStatus> {
    let (extra, attempts) = (u.int_in_range(0..=2)?, u.int_in_range(0..=3)?);
    let extra_machine = |u: &mut Unstructured<'_>| {
        Ok(ExtraMachine { instance_id: id(u)?.to_string(), recorded_at: Time(time(u)?) })
    };
    Ok(SpotInstanceStatus {
        phase: *u.choose(&PHASES)?,
        since: if u.ratio(1, 2)? { Some(Time(time(u)?)) } else { None },
        reason: u.ratio(1, 8)?.then(|| "LaunchFailed".to_owned()),
        instance_id: if u.ratio(3, 4)? { Some(id(u)?.to_string()) } else { None },
        account: if u.ratio(1, 4)? { Some((*u.choose(&["1", "2"])?).to_owned()) } else { None },
        recorded_at: if u.ratio(7, 8)? { Some(Time(time(u)?)) } else { None },
        seen_at: if u.ratio(1, 2)? { Some(Time(time(u)?)) } else { None },
        extra: (0..extra).map(|_| extra_machine(u)).collect::<Result<_>>()?,
        attempts: (0..attempts).map(|_| an_attempt(u)).collect::<Result<_>>()?,
        attempted: if u.ratio(7, 8)? { 3 } else { u.arbitrary()? },
        cloud_state: u.ratio(1, 2)?.then(|| "RUNNING".to_owned()),
        address: u.ratio(1, 2)?.then(|| "127.0.0.2".to_owned()),
        ..SpotInstanceStatus::default()
    })
}

fn an_attempt(u: &mut Unstructured<'_>) -> Result<Attempt> {
    let (sent_at, outcome) = (time(u)?, *u.choose(&OUTCOMES)?);
    Ok(Attempt {
        candidate: a_candidate(u)?,
        code: if u.ratio(1, 2)? { Some((*u.choose(&CODES)?).to_owned()) } else { None },
        ..crate::given::attempt(u.int_in_range(0..=3)?, "token", sent_at, outcome)
    })
}

fn cloud(u: &mut Unstructured<'_>, instances: &[SpotInstance]) -> Result<CloudSeen> {
    if u.ratio(1, 16)? {
        return Ok(CloudSeen::NoKey { reason: reason::REFUSED, message: "no key".to_owned() });
    }
    let mut snapshot =
        Snapshot { begun: if u.ratio(7, 8)? { Some(time(u)?) } else { None }, ..Snapshot::default() };
    let mut account = AccountSeen {
        id: AccountId::new(&SecretId::new("AKIDFAKE"), u.ratio(3, 4)?.then(|| AppId::new(1))),
        inline_key: u.arbitrary()?,
        now: if u.ratio(15, 16)? { Some(time(u)?) } else { None },
        trouble: if u.ratio(1, 8)? { Some(trouble(u)?) } else { None },
        ..AccountSeen::default()
    };
    for _ in 0..u.int_in_range(0..=8)? {
        let machine = a_machine(u, instances)?;
        if u.ratio(3, 4)? {
            snapshot.machines.insert(machine.id.clone(), machine.clone());
        }
        if u.ratio(1, 2)? {
            account.fresh.insert(machine.id.clone(), Some(machine.clone()));
        }
        if u.ratio(1, 4)? {
            let owner = instances.iter().find(|instance| instance_name(instance) == machine.name);
            if let Some(uid) = owner.and_then(|owner| owner.metadata.uid.clone()) {
                let begun = time(u)?;
                let look = account.by_name.entry(uid).or_insert(NameLook { begun, machines: Vec::new() });
                look.machines.push(machine);
            }
        }
    }
    for _ in 0..u.int_in_range(0..=4)? {
        snapshot.absent.insert(id(u)?);
        if u.ratio(1, 4)? {
            account.fresh.insert(id(u)?, None);
        }
    }
    if u.ratio(7, 8)? {
        account.snapshot = Some(Arc::new(snapshot));
    }
    if u.ratio(1, 2)? {
        account.advertised = Some(advertised(u)?);
    }
    Ok(CloudSeen::Account(Box::new(account)))
}

fn advertised(u: &mut Unstructured<'_>) -> Result<Advertised> {
    let advert = |u: &mut Unstructured<'_>| {
        let Candidate { instance_type, availability_zone, .. } = a_candidate(u)?;
        Ok(Advert { instance_type, availability_zone, in_stock: u.arbitrary()?, since: time(u)? })
    };
    let count = u.int_in_range(0..=3)?;
    let adverts = (0..count).map(|_| advert(u)).collect::<Result<_>>()?;
    Ok(Advertised { again_at: time(u)?, asked_at: time(u)?, adverts })
}

fn trouble(u: &mut Unstructured<'_>) -> Result<Trouble> {
    let code = *u.choose(&CODES)?;
    Ok(Trouble {
        class: u.ratio(3, 4)?.then(|| classify(Action::DescribeInstances, code)),
        code: Some(code.to_owned()),
        request_id: None,
        text: "text".to_owned(),
        lasted: Duration::from_secs(u.arbitrary::<u16>()?.into()),
    })
}

/// One that a SpotInstance made, or one that is that but for something.
fn a_machine(u: &mut Unstructured<'_>, instances: &[SpotInstance]) -> Result<Instance> {
    let stranger = instance(9);
    let owner = if instances.is_empty() || u.ratio(1, 8)? { &stranger } else { u.choose(instances)? };
    let state = InstanceState::from((*u.choose(&STATES)?).to_owned());
    let mut machine = machine(owner, id(u)?.as_str(), state);
    match u.int_in_range(0..=15)? {
        0 => machine.name = "somebody-elses-database".to_owned(),
        1 => machine.name.push('x'),
        2 => machine.tags.clear(),
        3 => drop(machine.tags.pop()),
        4 => "another".clone_into(&mut machine.tags[0].value),
        5 => "another".clone_into(&mut machine.tags[1].value),
        6 => "another".clone_into(&mut machine.tags[2].value),
        7 => machine.state = None,
        8 => machine.isolated_source = Some(IsolatedSource::Arrear),
        9 => (machine.private_ips, machine.public_ips) = Default::default(),
        _ => {}
    }
    Ok(machine)
}

fn a_candidate(u: &mut Unstructured<'_>) -> Result<Candidate> {
    let zone = *u.choose(&["ap-singapore-2", "ap-singapore-3", ""])?;
    Ok(Candidate { availability_zone: zone.to_owned(), ..candidate() })
}

fn id(u: &mut Unstructured<'_>) -> Result<InstanceId> {
    Ok(InstanceId::new(format!("ins-{}", u.int_in_range(0..=7_u8)?)))
}

fn size(u: &mut Unstructured<'_>) -> Result<i32> {
    if u.ratio(15, 16)? { u.int_in_range(0..=6) } else { u.arbitrary() }
}

/// Mostly within half an hour, at times at either end of time.
fn time(u: &mut Unstructured<'_>) -> Result<Timestamp> {
    Ok(match u.int_in_range(0..=31_u8)? {
        0 => Timestamp::MIN,
        1 => Timestamp::MAX,
        2 => Timestamp::from_second(u.arbitrary()?).unwrap_or_default(),
        _ => at(u.int_in_range(0..=1800_u64)?),
    })
}

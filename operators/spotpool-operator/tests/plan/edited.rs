//! What becomes of SpotInstances when somebody edits the pool's spec.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use spotpool_operator::crd::pool::AddressKind;
use spotpool_operator::crd::{AttemptOutcome, ChargeType, Phase, SpotInstance, SpotPool};
use spotpool_operator::identity::{body_hash, is_same_body, request};
use spotpool_operator::plan::{Memory, Step, plan};
use spotpool_operator::valid::ValidPool;

use crate::candidates::of;
use crate::given::{at, attempt, candidate, instance, pool, rules};
use crate::launches::{SOLD_OUT, learn, refused};
use crate::model::Model;

const NOT_SOLD_SO: &str = "UnsupportedOperation.NoInstanceTypeSupportSpot";
const DISK_SOLD_OUT: &str = "ResourceInsufficient.CloudDiskSoldOut";

fn valid(pool: &SpotPool) -> ValidPool {
    ValidPool::try_from(pool).unwrap()
}

/// A pool whose only machine is sold out, then edited and in stock again: its SpotInstance at the end.
fn after(edit: fn(&mut SpotPool)) -> (SpotInstance, ValidPool) {
    let mut model = Model::new(pool(1, 1), 0);
    for _ in 0..3 {
        model.pass();
        model.wait(2);
    }
    assert_eq!(model.living(), 0, "it is sold out");
    edit(model.pool.as_mut().unwrap());
    model.stock = 1;
    model.wait(60);
    model.settle();
    assert_eq!((model.living(), model.instances.len()), (1, 1));
    (model.instances[0].clone(), valid(model.pool.as_ref().unwrap()))
}

#[test]
fn a_wish_of_another_spec_gives_way_to_one_of_the_present_spec() {
    type Edit = fn(&mut SpotPool);
    let edits: [(&str, Edit); 3] = [
        ("another price", |pool| pool.spec.instance_charge_type = ChargeType::PostpaidByHour),
        ("another image", |pool| "img-corrected".clone_into(&mut pool.spec.image_id)),
        ("another disk", |pool| "CLOUD_PREMIUM".clone_into(&mut pool.spec.instance.system_disk.disk_type)),
    ];
    for (what, edit) in edits {
        let (made, pool) = after(edit);
        assert_eq!(made.spec.n, 2, "{what}");
        assert_eq!(made.spec.charge_type, pool.template.charge_type, "{what}");
        assert_eq!(made.spec.template_hash, pool.template.hash(), "{what}");
    }
    let (made, _) = after(|pool| pool.spec.maximum = 2);
    assert_eq!(made.spec.n, 1, "a size is nothing that a machine is made from");
}

#[test]
fn what_the_present_spec_was_not_refused_it_may_have() {
    let mut edited = pool(1, 1);
    edited.spec.instance_charge_type = ChargeType::PostpaidByHour;
    let refusal = of(candidate(), refused(1, 0, NOT_SOLD_SO));
    // Learnt before the edit, after it, or both.
    let before = learn(&Memory::default(), std::slice::from_ref(&refusal), &valid(&pool(1, 1)), 1);
    for memory in [before, Memory::default()] {
        let memory = learn(&memory, std::slice::from_ref(&refusal), &valid(&edited), 2);
        assert!(memory.backs_off_until(&candidate(), &valid(&pool(1, 1))).is_some());
        assert!(
            memory.backs_off_until(&candidate(), &valid(&edited)).is_none(),
            "nobody asked at that price"
        );
    }

    let mut edited = pool(1, 1);
    "CLOUD_PREMIUM".clone_into(&mut edited.spec.instance.system_disk.disk_type);
    let memory = learn(&Memory::default(), &[refused(1, 0, DISK_SOLD_OUT)], &valid(&edited), 2);
    assert!(memory.backs_off_until(&candidate(), &valid(&edited)).is_none(), "another disk was sold out");

    let mut edited = pool(1, 1);
    "img-corrected".clone_into(&mut edited.spec.image_id);
    let memory = learn(&Memory::default(), &[refused(1, 0, "InvalidImageId.NotFound")], &valid(&edited), 2);
    assert!(memory.backs_off_until(&candidate(), &valid(&edited)).is_none(), "another image was wrong");
    let memory = learn(&Memory::default(), &[refused(1, 0, SOLD_OUT)], &valid(&edited), 0);
    assert!(memory.backs_off_until(&candidate(), &valid(&edited)).is_some(), "sold out is sold out");
}

#[test]
fn a_request_for_what_is_no_candidate_any_more_is_not_repeated() {
    let (before, wish) = (valid(&pool(1, 1)), instance(1));
    let mut open = attempt(1, "token", at(0), AttemptOutcome::Unknown);
    open.body_hash = body_hash(&request(&before, &wish, &candidate(), "token"));
    assert!(is_same_body(&before, &wish, &open));
    let mut other = pool(1, 1);
    "GN7.5XLARGE80".clone_into(&mut other.spec.instance_type);
    assert!(!is_same_body(&valid(&other), &wish, &open));
    let mut other = pool(1, 1);
    other.spec.instance_charge_type = ChargeType::PostpaidByHour;
    assert!(!is_same_body(&valid(&other), &wish, &open), "nor at another price");
}

#[test]
fn an_address_that_the_cloud_has_taken_back_is_asked_no_more() {
    for (kind, address, phase) in [
        (None, Some("10.0.0.1"), Phase::Ready),
        (Some(AddressKind::Private), Some("10.0.0.1"), Phase::Ready),
        (Some(AddressKind::Public), None, Phase::NotReady),
    ] {
        let mut asked = pool(1, 1);
        asked.spec.network.address = kind;
        let mut model = Model::new(asked, 1);
        model.settle();
        model.machines.values_mut().for_each(|machine| machine.public_ips.clear());
        model.pass();
        let status = model.instances[0].status.clone().unwrap();
        assert_eq!(status.public_ip, None);
        assert_eq!((status.address.as_deref(), status.phase), (address, phase), "{kind:?}");
    }
}

#[test]
fn a_copy_made_by_hand_is_let_go_when_somebody_deletes_it() {
    let mut model = Model::new(pool(1, 1), 1);
    model.settle();
    let mut copy = instance(7);
    model.instances.push(copy.clone());
    let planned = plan(&model.observe(), &rules(), at(0));
    assert_eq!(planned.hand_made, ["pool-7"]);
    copy.metadata.deletion_timestamp = Some(Time(at(0)));
    *model.instances.last_mut().unwrap() = copy;
    let planned = plan(&model.observe(), &rules(), at(0));
    let released: Vec<i64> = planned
        .instances
        .iter()
        .filter(|entry| entry.step == Step::Release)
        .map(|entry| entry.instance.spec.n)
        .collect();
    assert_eq!((released, planned.hand_made.len()), (vec![7], 0));
}

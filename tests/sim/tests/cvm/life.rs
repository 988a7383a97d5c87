//! States over time, TerminateInstances, reclaims, model servers, the bill.

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sim::cvm::{
    Cloud, Fault, FaultRule, ModelServer, ProbeAnswer, RECLAIM_NOTICE, Span, State, Stranger, What, Why,
};

use crate::caller::{call, code, launch, launch_body, listed, noon, quiet_config, state};

fn at(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

fn terminate(cloud: &mut Cloud, now: Timestamp, ids: &[&str]) -> Value {
    call(cloud, now, "TerminateInstances", &json!({"InstanceIds": ids}))
}

fn shown(cloud: &mut Cloud, now: Timestamp, id: &str) -> Value {
    call(cloud, now, "DescribeInstances", &json!({"InstanceIds": [id]}))["InstanceSet"][0].clone()
}

#[test]
fn a_machine_boots_runs_and_is_gone_after_its_termination() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    let pending = shown(&mut cloud, at(4), &id);
    assert_eq!(pending["InstanceState"], "PENDING");
    assert_eq!(pending["PublicIpAddresses"], Value::Null, "no address yet");
    assert_eq!(pending["LatestOperationState"], "OPERATING");
    let running = shown(&mut cloud, at(5), &id);
    assert_eq!(running["InstanceState"], "RUNNING");
    assert_eq!(running["PublicIpAddresses"].as_array().unwrap().len(), 1);
    assert_eq!(running["LatestOperationState"], "SUCCESS");
    assert_eq!(code(&terminate(&mut cloud, at(60), &[&id])), "");
    assert_eq!(shown(&mut cloud, at(61), &id)["InstanceState"], "TERMINATING");
    assert_eq!(listed(&mut cloud, at(62), &json!({})), Vec::<String>::new());
    let machine = cloud.machine(&id).unwrap();
    assert_eq!((machine.state, machine.why_gone), (State::Gone, Some(Why::Terminated)));
    assert!(machine.ended_by.is_some());
}

#[test]
fn changes_happen_at_their_own_time_however_late_one_looks() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    cloud.advance(at(3600));
    let running =
        cloud.ledger().events().iter().find(|event| matches!(event.what, What::Running { .. })).unwrap();
    assert_eq!(running.at, at(5));
    assert_eq!(cloud.machine(&id).unwrap().running_at, Some(at(5)));
    cloud.advance(at(10));
    assert_eq!(cloud.now(), at(3600), "time never goes back");
}

#[test]
fn one_bad_id_refuses_the_whole_batch() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let up = launch(&mut cloud, noon(), "up");
    let pending = launch(&mut cloud, at(20), "pending");
    let too_many: Vec<String> = (0..101).map(|n| format!("ins-{n:08}")).collect();
    let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
    for (ids, expected) in [
        (vec![up.as_str(), "ins-zzzzzzzz"], "InvalidInstanceId.NotFound"),
        (vec![up.as_str(), pending.as_str()], "UnsupportedOperation.InstanceStatePending"),
        (vec![up.as_str(), "nonsense"], "InvalidInstanceId.Malformed"),
        (too_many, "InvalidParameterValue.LimitExceeded"),
        (vec![], "MissingParameter"),
    ] {
        assert_eq!(code(&terminate(&mut cloud, at(21), &ids)), expected, "{ids:?}");
        assert_eq!(state(&mut cloud, at(21), &up), State::Running, "untouched");
    }
    assert_eq!(code(&terminate(&mut cloud, at(22), &[&up, &up])), "", "an id twice is one machine");
}

#[test]
fn mixed_charge_types_refuse_the_whole_batch() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let spot = launch(&mut cloud, noon(), "spot");
    let hourly = cloud.add_stranger(&Stranger::default()).unwrap();
    let answer = terminate(&mut cloud, at(20), &[&spot, &hourly]);
    assert_eq!(code(&answer), "UnsupportedOperation.InstanceMixedPricingModel");
    assert_eq!(cloud.existing().filter(|machine| machine.state == State::Running).count(), 2);
}

#[test]
fn each_state_that_cannot_be_terminated_has_its_code() {
    for (forced, expected) in [
        (State::Running, ""),
        (State::Stopped, ""),
        (State::Pending, "UnsupportedOperation.InstanceStatePending"),
        (State::LaunchFailed, "UnsupportedOperation.InstanceStateLaunchFailed"),
        (State::Starting, "UnsupportedOperation.InstanceStateStarting"),
        (State::Rebooting, "UnsupportedOperation.InstanceStateRebooting"),
        (State::Stopping, "UnsupportedOperation.InstanceStateStopping"),
        (State::Shutdown, "UnsupportedOperation.InstanceStateShutdown"),
        (State::Terminating, "UnsupportedOperation.InstanceStateTerminating"),
        (State::RescueMode, "UnsupportedOperation.InstanceStateRescueMode"),
        (State::ServiceLiveMigrate, "UnsupportedOperation.InstanceStateServiceLiveMigrate"),
        (State::Gone, "InvalidInstanceId.NotFound"),
    ] {
        let mut cloud = Cloud::new(quiet_config(), 1);
        let id = launch(&mut cloud, noon(), "m");
        cloud.advance(at(20));
        cloud.set_state(&id, forced).unwrap();
        assert_eq!(code(&terminate(&mut cloud, at(21), &[&id])), expected, "{forced:?}");
    }
}

#[test]
fn a_machine_of_another_account_cannot_be_terminated() {
    let mut config = quiet_config();
    config.accounts.push(sim::cvm::Account::new("other", sim::cvm::Credential::new("AKIDFAKEother", "k")));
    let mut cloud = Cloud::new(config, 1);
    let theirs = Stranger { account: "other".to_owned(), ..Stranger::default() };
    let theirs = cloud.add_stranger(&theirs).unwrap();
    assert_eq!(code(&terminate(&mut cloud, noon(), &[&theirs])), "InvalidInstanceId.NotFound");
}

#[test]
fn a_prepaid_machine_goes_to_the_recycle_bin_and_stays() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let prepaid = Stranger { charge_type: "PREPAID".to_owned(), ..Stranger::default() };
    let id = cloud.add_stranger(&prepaid).unwrap();
    assert_eq!(code(&terminate(&mut cloud, noon(), &[&id])), "");
    assert_eq!(state(&mut cloud, at(3600), &id), State::Shutdown);
}

#[test]
fn a_launch_may_fail_and_the_machine_disappears_by_itself() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    cloud.add_fault(FaultRule::new(Fault::LaunchFails).times(1));
    let id = launch(&mut cloud, noon(), "m");
    let failed = shown(&mut cloud, at(6), &id);
    assert_eq!(failed["InstanceState"], "LAUNCH_FAILED");
    assert!(failed["LatestOperationErrorMsg"].is_string());
    assert_eq!(state(&mut cloud, at(60), &id), State::Gone);
    assert_eq!(cloud.billing()[0].seconds, 0, "what never ran costs nothing");
}

#[test]
fn a_reclaim_gives_two_minutes_then_stops_shuts_down_and_destroys() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    cloud.advance(at(100));
    cloud.reclaim(&id, RECLAIM_NOTICE).unwrap();
    assert_eq!(cloud.machine(&id).unwrap().reclaim_at, Some(at(220)));
    let life =
        [(219, State::Running), (220, State::Stopping), (222, State::Shutdown), (224, State::Terminating)];
    for (second, expected) in life {
        assert_eq!(state(&mut cloud, at(second), &id), expected, "second {second}");
    }
    assert_eq!(state(&mut cloud, at(226), &id), State::Gone);
    assert_eq!(cloud.machine(&id).unwrap().why_gone, Some(Why::Reclaimed));
}

#[test]
fn a_machine_that_is_terminated_under_notice_goes_at_once_and_only_once() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    cloud.advance(at(100));
    cloud.reclaim(&id, RECLAIM_NOTICE).unwrap();
    assert_eq!(code(&terminate(&mut cloud, at(110), &[&id])), "");
    cloud.advance(at(1000));
    let gone = cloud.ledger().events().iter().filter(|event| matches!(event.what, What::Gone { .. }));
    assert_eq!(gone.count(), 1);
    assert_eq!(cloud.machine(&id).unwrap().why_gone, Some(Why::Terminated));
}

#[test]
fn what_leaves_gives_its_stock_and_its_address_back() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let before = (cloud.stock(), free_addresses(&cloud));
    let ids = [launch(&mut cloud, noon(), "a"), launch(&mut cloud, noon(), "b")];
    assert_ne!((cloud.stock(), free_addresses(&cloud)), before);
    cloud.advance(at(20));
    cloud.vanish(&ids[0]).unwrap();
    cloud.copy(&ids[1]).unwrap();
    terminate(&mut cloud, at(21), &[&ids[1]]);
    cloud.advance(at(30));
    assert_eq!((cloud.stock(), free_addresses(&cloud)), before, "the copy took nothing");
}

fn free_addresses(cloud: &Cloud) -> u32 {
    cloud.world().regions["ap-singapore"].subnets["subnet-gfrv79s2"].free
}

#[test]
fn a_copy_is_like_its_original_in_all_but_id_and_address() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    cloud.advance(at(20));
    let copy = cloud.copy(&id).unwrap();
    let (a, b) = (shown(&mut cloud, at(20), &id), shown(&mut cloud, at(20), &copy));
    for field in [
        "InstanceName",
        "Tags",
        "InstanceType",
        "Placement",
        "VirtualPrivateCloud",
        "ImageId",
        "InstanceState",
    ] {
        assert_eq!(a[field], b[field], "{field}");
    }
    for field in ["InstanceId", "Uuid", "PublicIpAddresses", "PrivateIpAddresses"] {
        assert_ne!(a[field], b[field], "{field}");
    }
    assert!(cloud.machine(&copy).unwrap().made_by.is_none());
}

#[test]
fn the_bill_runs_by_the_second_from_running_to_the_end() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    cloud.advance(at(4));
    assert_eq!(cloud.billing()[0].seconds, 0);
    terminate(&mut cloud, noon() + SignedDuration::from_millis(65_500), &[&id]);
    cloud.advance(at(4000));
    let [line] = &cloud.billing()[..] else { panic!() };
    assert_eq!((line.seconds, line.running), (61, false), "a started second counts");
    assert!((line.cost - 0.38 * 61.0 / 3600.0).abs() < 1e-9);
}

#[test]
fn a_model_server_answers_after_its_load_time_and_misbehaves_as_told() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    let ip = cloud.machine(&id).unwrap().public_ip.unwrap();
    let private = cloud.machine(&id).unwrap().private_ip;
    let probe = |cloud: &mut Cloud, second, ip: Ipv4Addr| cloud.probe(at(second), ip, 11434, "/api/tags");
    assert_eq!(probe(&mut cloud, 4, ip), ProbeAnswer::Unreachable, "still booting");
    assert_eq!(probe(&mut cloud, 5, ip), ProbeAnswer::Refused, "still loading");
    for address in [ip, private] {
        let ProbeAnswer::Answer { status: 200, body } = probe(&mut cloud, 6, address) else { panic!() };
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(body["models"][0]["name"].is_string());
    }
    assert_eq!(cloud.probe(at(6), ip, 8080, "/api/tags"), ProbeAnswer::Refused, "another port");
    assert_eq!(probe(&mut cloud, 6, Ipv4Addr::new(192, 0, 2, 1)), ProbeAnswer::Unreachable);
    for (behaviour, expected) in
        [(ModelServer::Hang, ProbeAnswer::Silence), (ModelServer::Die, ProbeAnswer::Refused)]
    {
        cloud.set_model_server(&id, behaviour).unwrap();
        assert_eq!(probe(&mut cloud, 7, ip), expected);
    }
    cloud.set_model_server(&id, ModelServer::Fail).unwrap();
    assert!(matches!(probe(&mut cloud, 7, ip), ProbeAnswer::Answer { status: 500, .. }));
    cloud.set_model_server(&id, ModelServer::Ok).unwrap();
    cloud.vanish(&id).unwrap();
    assert_eq!(probe(&mut cloud, 8, ip), ProbeAnswer::Unreachable);
}

#[test]
fn termination_of_a_machine_that_does_not_show_yet_does_not_find_it() {
    let mut config = quiet_config();
    config.settings.visibility_lag = Span::secs(30);
    let mut cloud = Cloud::new(config, 1);
    let id = launch(&mut cloud, noon(), "m");
    assert_eq!(code(&terminate(&mut cloud, at(20), &[&id])), "InvalidInstanceId.NotFound");
    assert_eq!(code(&terminate(&mut cloud, at(30), &[&id])), "");
}

#[test]
fn the_sample_pool_of_200_fits_and_not_one_more() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    for half in ["a", "b"] {
        let mut body = launch_body(half, half);
        body["InstanceCount"] = json!(100);
        assert_eq!(code(&call(&mut cloud, noon(), "RunInstances", &body)), "");
    }
    let refused = call(&mut cloud, noon(), "RunInstances", &launch_body("c", "c"));
    assert_eq!(code(&refused), "LimitExceeded.UserSpotQuota");
}

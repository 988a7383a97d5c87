//! A bad week: disks and addresses run out, money and keys do, machines are isolated, prices rise, others call too.

use std::time::Duration;

use serde_json::{Value, json};
use sim::cvm::{Cloud, Credential, Fault, FaultRule, Isolation, State, Stock, World};
use tencent_cvm::{
    Action, Class, Cvm, Error, Filter, InstanceState, IsolatedSource, Scope, SendOptions, classify,
};

use crate::caller::{Request, call, code, follow, launch, launch_body, noon, quiet_config, response_of};
use crate::shipped::{order, world};

fn at(seconds: u64) -> jiff::Timestamp {
    noon() + Duration::from_secs(seconds)
}

/// The code with which a launch is refused, "" when it is not.
fn refusal(cloud: &mut Cloud, change: impl FnOnce(&mut Value)) -> String {
    let mut body = launch_body("m", &format!("token-{}", cloud.ledger().last_seq()));
    change(&mut body);
    code(&call(cloud, noon(), "RunInstances", &body)).to_owned()
}

fn as_is(_: &mut Value) {}

fn with_disk(disk_type: &'static str) -> impl FnOnce(&mut Value) {
    move |body| body["SystemDisk"] = json!({"DiskType": disk_type, "DiskSize": 100})
}

#[test]
fn a_disk_that_is_sold_out_in_a_zone_leaves_other_disks_and_zones_alone() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    cloud.set_disk_sold_out("ap-singapore-2", "CLOUD_BSSD", true).unwrap();
    let refused = refusal(&mut cloud, with_disk("CLOUD_BSSD"));
    assert_eq!(refused, "ResourceInsufficient.CloudDiskSoldOut");
    assert_eq!(classify(Action::RunInstances, &refused).scope(), Scope::Disk);
    assert_eq!(refusal(&mut cloud, with_disk("CLOUD_PREMIUM")), "");
    let elsewhere = refusal(&mut cloud, |body| {
        with_disk("CLOUD_BSSD")(body);
        body["Placement"]["Zone"] = json!("ap-singapore-3");
        body["VirtualPrivateCloud"]["SubnetId"] = json!("subnet-h4kq21mz");
    });
    assert_eq!(elsewhere, "");
    cloud.set_disk_sold_out("ap-singapore-2", "CLOUD_BSSD", false).unwrap();
    assert_eq!(refusal(&mut cloud, with_disk("CLOUD_BSSD")), "");
}

#[test]
fn the_codes_of_what_is_sold_out_can_be_chosen() {
    let mut config = quiet_config();
    config.settings.disk_sold_out_code = "InvalidParameter.InvalidCloudDiskSoldOut".to_owned();
    config.settings.subnet_full_code = "ResourceInsufficient.CidrBlock".to_owned();
    let mut cloud = Cloud::new(config, 1);
    cloud.set_free_addresses("subnet-gfrv79s2", 0).unwrap();
    assert_eq!(refusal(&mut cloud, as_is), "ResourceInsufficient.CidrBlock");
    cloud.set_disk_sold_out("ap-singapore-2", "CLOUD_PREMIUM", true).unwrap();
    assert_eq!(refusal(&mut cloud, as_is), "InvalidParameter.InvalidCloudDiskSoldOut");
}

#[test]
fn a_quota_of_machines_holds_for_its_account_alone() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    cloud.set_instance_quota("main", 1).unwrap();
    assert_eq!(refusal(&mut cloud, as_is), "");
    assert_eq!(refusal(&mut cloud, as_is), "LimitExceeded.InstanceQuota");
    assert!(cloud.set_instance_quota("nobody", 1).is_err());
}

#[test]
fn a_price_that_rises_above_the_bid_refuses_it() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let bid = |body: &mut Value| {
        body["InstanceMarketOptions"] = json!({"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.40"}});
    };
    assert_eq!(refusal(&mut cloud, bid), "");
    cloud.set_price("GN7.2XLARGE32", 1.27, 0.41).unwrap();
    assert_eq!(refusal(&mut cloud, bid), "InvalidParameterValue.InsufficientPrice");
    assert_eq!(refusal(&mut cloud, as_is), "", "without a bid the price of the day is paid");
}

#[tokio::test(start_paused = true)]
async fn machines_of_an_account_that_has_not_paid_stop_and_say_why() {
    let (sim, client) = world(quiet_config(), 1);
    client.run_instances(&order("m"), SendOptions::default()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    sim.with(|cloud| {
        cloud.set_arrears("main", true)?;
        cloud.isolate_for_arrears("main", true)
    })
    .unwrap();

    let refused = client.run_instances(&order("n"), SendOptions::default()).await.unwrap_err();
    assert_eq!(refused.class(), Some(Class::Money));
    let seen = client.describe_instances(&[]).await.unwrap().instances.remove(0);
    assert_eq!(seen.state, Some(InstanceState::Stopped));
    assert_eq!(seen.isolated_source, Some(IsolatedSource::Arrear));
    assert!(seen.is_in_arrears() && seen.is_isolated());

    sim.with(|cloud| cloud.isolate_for_arrears("main", false)).unwrap();
    let seen = client.describe_instances(&[]).await.unwrap().instances.remove(0);
    assert_eq!((seen.state.clone(), seen.is_isolated()), (Some(InstanceState::Running), false));
}

#[test]
fn a_machine_can_be_isolated_for_other_reasons() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let id = launch(&mut cloud, noon(), "m");
    for (source, shown) in
        [(Isolation::Expire, ["EXPIRE", "EXPIRED"]), (Isolation::ManMade, ["MANMADE", "NORMAL"])]
    {
        cloud.advance(at(20));
        cloud.isolate(&id, source).unwrap();
        assert_eq!(cloud.machine(&id).unwrap().state, State::Stopped);
        let answer = call(&mut cloud, at(20), "DescribeInstances", &json!({"InstanceIds": [id]}));
        let seen = &answer["InstanceSet"][0];
        assert_eq!([&seen["IsolatedSource"], &seen["RestrictState"]], shown);
    }
}

#[test]
fn an_expired_session_token_is_refused_and_a_new_one_is_taken() {
    let mut config = quiet_config();
    config.accounts[0].credentials.push(Credential {
        token: Some("fake-session".to_owned()),
        expires_at: Some(at(60)),
        ..Credential::new("AKIDFAKEtemporary", "fakeSecretKeyTemporary")
    });
    let mut cloud = Cloud::new(config, 1);
    let look = |cloud: &mut Cloud, seconds| {
        let mut request = Request::new("DescribeInstances", "{}", at(seconds));
        request.secret_id = "AKIDFAKEtemporary".to_owned();
        request.secret_key = "fakeSecretKeyTemporary".to_owned();
        request.token = Some("fake-session".to_owned());
        code(&response_of(&follow(cloud, at(seconds), request.sign()))).to_owned()
    };
    assert_eq!(look(&mut cloud, 59), "");
    assert_eq!(look(&mut cloud, 60), "AuthFailure.TokenFailure");
    let renewed = Credential {
        token: Some("fake-session".to_owned()),
        ..Credential::new("AKIDFAKEtemporary", "fakeSecretKeyTemporary")
    };
    cloud.add_credential("main", renewed).unwrap();
    assert_eq!(look(&mut cloud, 61), "");
    cloud.expire_credential("AKIDFAKEtemporary").unwrap();
    assert_eq!(look(&mut cloud, 62), "AuthFailure.TokenFailure");
    assert!(cloud.expire_credential("AKIDFAKEnobody").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_key_pair_may_come_to_belong_to_another_account() {
    let (sim, client) = world(quiet_config(), 1);
    client.run_instances(&order("m"), SendOptions::default()).await.unwrap();
    let before = client.describe_account_quota().await.unwrap().app_id;
    sim.with(|cloud| {
        cloud.add_account("other");
        let credential = Credential::new(crate::caller::SECRET_ID, crate::caller::SECRET_KEY);
        cloud.add_credential("other", credential)
    })
    .unwrap();
    let after = client.describe_instances(&[]).await.unwrap();
    assert!(after.instances.is_empty(), "the other account's machines are not ours");
    assert_ne!(client.describe_account_quota().await.unwrap().app_id, before);
    assert_eq!(sim.with(|cloud| cloud.existing().count()), 1, "it runs on");
}

#[tokio::test(start_paused = true)]
async fn a_fault_may_strike_one_candidate_alone() {
    let (sim, client) = world(quiet_config(), 1);
    let price = Fault::Refuse { code: "InvalidParameterValue.InsufficientPrice".to_owned() };
    sim.with(|cloud| cloud.add_fault(FaultRule::new(price).of("GN7.2XLARGE32", "ap-singapore-2")));
    let refused = client.run_instances(&order("m"), SendOptions::default()).await.unwrap_err();
    assert_eq!(refused.class(), Some(Class::Price));
    let mut elsewhere = order("m");
    elsewhere.zone = "ap-singapore-3".to_owned();
    elsewhere.subnet_id = "subnet-h4kq21mz".to_owned();
    client.run_instances(&elsewhere, SendOptions::default()).await.unwrap();
    let mut other = order("n");
    other.instance_type = "GN7.5XLARGE80".to_owned();
    client.run_instances(&other, SendOptions::default()).await.unwrap();
}

#[test]
fn others_of_the_account_use_up_their_share_of_every_second() {
    let mut config = quiet_config();
    config.settings.others_use = 0.3;
    let mut cloud = Cloud::new(config, 1);
    let codes: Vec<String> = (0..30)
        .map(|_| code(&call(&mut cloud, noon(), "DescribeInstances", &json!({}))).to_owned())
        .collect();
    assert!(codes[..28].iter().all(String::is_empty), "28 of 40 are ours");
    assert!(codes[28..].iter().all(|code| code == "RequestLimitExceeded"));
}

#[tokio::test(start_paused = true)]
async fn the_wide_world_has_24_candidates_and_fits_the_sample() {
    let mut config = quiet_config();
    config.world = World::wide();
    let (sim, client) = world(config, 1);
    let types = ["GN7.2XLARGE32", "GN7.5XLARGE80", "PNV4.7XLARGE116", "GN10X.2XLARGE40"];
    let filters = [Filter::any("instance-type", types), Filter::one("instance-charge-type", "SPOTPAID")];
    let offers = client.describe_zone_instance_config_infos(&filters).await.unwrap();
    assert_eq!(offers.len(), 24);
    assert!(offers.iter().all(|offer| offer.in_stock() == Some(true)), "{offers:?}");
    for (made, offer) in offers.iter().enumerate() {
        let mut order = order(&format!("m{made}"));
        order.zone.clone_from(&offer.zone);
        order.instance_type.clone_from(&offer.instance_type);
        (order.vpc_id, order.subnet_id) = ("DEFAULT".to_owned(), "DEFAULT".to_owned());
        client.run_instances(&order, SendOptions::default()).await.unwrap();
    }
    client.run_instances(&order("sample"), SendOptions::default()).await.unwrap();
    assert_eq!(sim.with(|cloud| cloud.existing().count()), 25);
}

#[tokio::test(start_paused = true)]
async fn stock_that_is_gone_is_a_refusal_of_the_offer_alone() {
    let (sim, client) = world(quiet_config(), 1);
    let nothing =
        Stock { zone: "ap-singapore-2".to_owned(), instance_type: "GN7.2XLARGE32".to_owned(), count: 0 };
    sim.with(|cloud| cloud.set_stock_paid_by("SPOTPAID", &nothing)).unwrap();
    let Err(Error::Api { class, .. }) = client.run_instances(&order("m"), SendOptions::default()).await
    else {
        panic!("it was not refused");
    };
    assert_eq!(class.scope(), Scope::Offer);
    let mut on_demand = order("m");
    on_demand.instance_charge_type = "POSTPAID_BY_HOUR".to_owned();
    client.run_instances(&on_demand, SendOptions::default()).await.unwrap();
}

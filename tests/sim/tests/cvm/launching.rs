//! RunInstances.

use serde_json::{Value, json};
use sim::cvm::{Cloud, Latency, Settings, Stock, What};

use crate::caller::{call, code, launch_body, listed, noon, quiet_config};

/// What is done to a cloud before the call.
type Preparation = fn(&mut Cloud);

fn stock_of_the_sample(count: u32) -> Stock {
    Stock { zone: "ap-singapore-2".to_owned(), instance_type: "GN7.2XLARGE32".to_owned(), count }
}

/// The sample's launch with one field set to something else (null: left out).
fn with(field: &str, value: Value) -> Value {
    let mut body = launch_body("m", "t");
    match value {
        Value::Null => {
            body.as_object_mut().unwrap().remove(field);
        }
        value => body[field] = value,
    }
    body
}

fn answer(body: &Value) -> String {
    let mut cloud = Cloud::new(quiet_config(), 1);
    code(&call(&mut cloud, noon(), "RunInstances", body)).to_owned()
}

#[test]
fn the_samples_launch_is_taken() {
    assert_eq!(answer(&launch_body("m", "t")), "");
    assert_eq!(answer(&with("InstanceCount", Value::Null)), "", "one is the default");
    assert_eq!(answer(&with("InstanceName", Value::Null)), "");
    assert_eq!(answer(&with("ClientToken", Value::Null)), "");
}

#[test]
fn each_wrong_field_has_its_own_code() {
    let network =
        |vpc: &str, subnet: &str| with("VirtualPrivateCloud", json!({"VpcId": vpc, "SubnetId": subnet}));
    let zone = |zone: &str| with("Placement", json!({"Zone": zone}));
    let login = |login: Value| with("LoginSettings", login);
    let tags = |tags: Value| with("TagSpecification", json!([{"ResourceType": "instance", "Tags": tags}]));
    let user_data = |size: usize| {
        use base64::Engine;
        with("UserData", json!(base64::prelude::BASE64_STANDARD.encode("x".repeat(size))))
    };
    for (body, expected) in [
        (with("Placement", Value::Null), "MissingParameter"),
        (with("Placement", json!({})), "MissingParameter"),
        (with("ImageId", Value::Null), "MissingParameter"),
        (with("Placement", json!({"Area": "x"})), "UnknownParameter"),
        (zone("ap-singapore-9"), "InvalidZone.MismatchRegion"),
        (zone("ap-guangzhou-6"), "InvalidZone.MismatchRegion"),
        (zone("ap-singapore-3"), "InvalidParameterValue.SubnetIdZoneIdNotMatch"),
        (with("InstanceType", json!("GN99.HUGE")), "InvalidParameterValue.InstanceTypeNotFound"),
        (with("InstanceType", json!("PNV4.7XLARGE116")), "ResourceUnavailable.InstanceType"),
        (with("ImageId", json!("img-00000000")), "InvalidImageId.NotFound"),
        (with("ImageId", json!("my image")), "InvalidImageId.Malformed"),
        (with("SecurityGroupIds", json!(["sg-00000000"])), "InvalidSecurityGroupId.NotFound"),
        (with("SecurityGroupIds", json!(["mine"])), "InvalidSgId.Malformed"),
        (with("InstanceChargeType", json!("CHEAP")), "InvalidParameterValue"),
        (with("InstanceChargeType", json!("PREPAID")), "MissingParameter"),
        (network("vpc-86f66zht", "subnet-00000000"), "InvalidParameterValue.SubnetNotExist"),
        (network("vpc-86f66zht", "mine"), "InvalidParameterValue.SubnetIdMalformed"),
        (network("vpc-00000000", "subnet-gfrv79s2"), "InvalidParameterValue.VpcIdNotExist"),
        (network("vpc-other001", "subnet-gfrv79s2"), "InvalidParameterValue.VpcIdSubnetIdNotMatch"),
        (network("DEFAULT", "subnet-gfrv79s2"), "InvalidParameterValue.VpcIdSubnetIdNotMatch"),
        (network("DEFAULT", "DEFAULT"), ""),
        (with("VirtualPrivateCloud", Value::Null), ""),
        (with("InstanceCount", json!(0)), "InvalidParameterValue.Range"),
        (with("InstanceCount", json!(101)), "InvalidParameterValue.Range"),
        (with("InstanceCount", json!(100)), ""),
        (with("MinCount", json!(1)), "UnsupportedOperation.MinCountUnsupportedRegion"),
        (with("InstanceName", json!("n".repeat(61))), "InvalidInstanceName.TooLong"),
        (with("InstanceName", json!("n".repeat(60))), ""),
        (with("InstanceName", json!("名".repeat(21))), "InvalidInstanceName.TooLong"),
        (with("ClientToken", json!("t".repeat(65))), "InvalidClientToken.TooLong"),
        (with("ClientToken", json!("t".repeat(64))), ""),
        (login(json!({"KeyIds": ["skey-00000000"]})), "InvalidParameterValue.KeyPairNotFound"),
        (login(json!({"KeyIds": ["mine"]})), "InvalidKeyPairId.Malformed"),
        (login(json!({"KeyIds": ["skey-5p8q1xvd"]})), ""),
        (login(json!({"KeyIds": ["skey-5p8q1xvd"], "Password": "x"})), "InvalidParameter.ParameterConflict"),
        (login(json!({"KeepImageLogin": "TRUE", "Password": "x"})), "InvalidParameter.ParameterConflict"),
        (with("UserData", json!("not base64!")), "InvalidParameterValue.InvalidUserDataFormat"),
        (user_data(12 * 1024), ""),
        (user_data(12 * 1024 + 1), "InvalidParameterValue.TooLarge"),
        (with("SystemDisk", json!({"DiskType": "CLOUD_NOPE"})), "InvalidParameter"),
        (
            with("SystemDisk", json!({"DiskType": "CLOUD_BSSD", "DiskSize": 10})),
            "InvalidParameterValue.Range",
        ),
        (tags(json!([{"Key": "", "Value": "v"}])), "FailedOperation.IllegalTagKey"),
        (tags(json!([{"Key": "qcs:x", "Value": "v"}])), "FailedOperation.TagKeyReserved"),
        (
            tags(json!([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}])),
            "InvalidParameterValue.DuplicateTags",
        ),
        (with("InternetAccessible", json!({"PublicIpAssigned": true})), "InvalidParameterCombination"),
        (
            with("InstanceMarketOptions", json!({"SpotOptions": {"MaxPrice": "0.01"}})),
            "InvalidParameterValue.InsufficientPrice",
        ),
        (with("InstanceMarketOptions", json!({"SpotOptions": {"MaxPrice": "2.50"}})), ""),
    ] {
        assert_eq!(answer(&body), expected, "{body}");
    }
}

#[test]
fn the_full_price_is_what_one_gets_without_asking_for_spot() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    call(&mut cloud, noon(), "RunInstances", &with("InstanceChargeType", Value::Null));
    let machine = cloud.existing().next().unwrap();
    assert_eq!((machine.charge_type.as_str(), machine.hourly), ("POSTPAID_BY_HOUR", 1.27));
}

#[test]
fn all_of_a_launch_is_made_or_nothing() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let stock = stock_of_the_sample;
    cloud.set_stock(&stock(3)).unwrap();
    let four = with("InstanceCount", json!(4));
    assert_eq!(
        code(&call(&mut cloud, noon(), "RunInstances", &four)),
        "ResourceInsufficient.SpecifiedInstanceType"
    );
    assert_eq!(cloud.existing().count(), 0);
    assert!(cloud.stock().contains(&stock(3)), "nothing was taken");
    let three = with("InstanceCount", json!(3));
    let response = call(&mut cloud, noon(), "RunInstances", &three);
    assert_eq!(response["InstanceIdSet"].as_array().unwrap().len(), 3);
    assert!(cloud.stock().contains(&stock(0)));
}

#[test]
fn quotas_addresses_and_money_run_out_each_with_its_code() {
    let sold_out = |cloud: &mut Cloud| {
        let code = "LimitExceeded.SpotQuota".to_owned();
        let settings = Settings { sold_out_code: code, latency: Latency::Off, ..Settings::default() };
        cloud.set_settings(settings);
        cloud.set_stock(&stock_of_the_sample(0)).unwrap();
    };
    let cases: [(Preparation, &str); 5] = [
        (|cloud| cloud.set_spot_quota("ap-singapore-2", 15).unwrap(), "LimitExceeded.UserSpotQuota"),
        (
            |cloud| cloud.set_free_addresses("subnet-gfrv79s2", 1).unwrap(),
            "FailedOperation.NoAvailableIpAddressCountInSubnet",
        ),
        (|cloud| cloud.set_arrears("main", true).unwrap(), "InvalidAccount.InsufficientBalance"),
        (sold_out, "LimitExceeded.SpotQuota"),
        (|_| {}, ""),
    ];
    for (prepare, expected) in cases {
        let mut cloud = Cloud::new(quiet_config(), 1);
        prepare(&mut cloud);
        let two = with("InstanceCount", json!(2));
        assert_eq!(code(&call(&mut cloud, noon(), "RunInstances", &two)), expected);
        assert_eq!(cloud.existing().count(), if expected.is_empty() { 2 } else { 0 }, "{expected}");
    }
    let mut config = quiet_config();
    config.accounts[0].instance_quota = 1;
    let mut cloud = Cloud::new(config, 1);
    let two = with("InstanceCount", json!(2));
    assert_eq!(code(&call(&mut cloud, noon(), "RunInstances", &two)), "LimitExceeded.InstanceQuota");
}

#[test]
fn spot_quota_counts_vcpu_of_what_runs_already() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    cloud.set_spot_quota("ap-singapore-2", 16).unwrap();
    for (name, expected) in [("a", ""), ("b", ""), ("c", "LimitExceeded.UserSpotQuota")] {
        assert_eq!(
            code(&call(&mut cloud, noon(), "RunInstances", &launch_body(name, name))),
            expected,
            "{name}"
        );
    }
    let mut full_price = launch_body("d", "d");
    full_price["InstanceChargeType"] = json!("POSTPAID_BY_HOUR");
    assert_eq!(code(&call(&mut cloud, noon(), "RunInstances", &full_price)), "", "no spot, no spot quota");
}

#[test]
fn a_dry_run_checks_everything_and_makes_nothing() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let response = call(&mut cloud, noon(), "RunInstances", &with("DryRun", json!(true)));
    assert_eq!(response.as_object().unwrap().keys().collect::<Vec<_>>(), ["RequestId"]);
    assert_eq!(cloud.existing().count(), 0);
    let mut sold_out = with("DryRun", json!(true));
    sold_out["ImageId"] = json!("img-00000000");
    assert_eq!(code(&call(&mut cloud, noon(), "RunInstances", &sold_out)), "InvalidImageId.NotFound");
}

#[test]
fn several_machines_of_one_call_are_numbered() {
    let names = |asked: &str, count: u32| {
        let mut cloud = Cloud::new(quiet_config(), 1);
        let mut body = with("InstanceName", json!(asked));
        body["InstanceCount"] = json!(count);
        call(&mut cloud, noon(), "RunInstances", &body);
        cloud.existing().map(|machine| machine.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("web", 1), ["web"]);
    assert_eq!(names("web", 3), ["web1", "web2", "web3"]);
    assert_eq!(names("web_{R:7}_x", 2), ["web_7_x", "web_8_x"]);
}

#[test]
fn a_machine_without_public_bandwidth_has_no_public_address() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    call(&mut cloud, noon(), "RunInstances", &with("InternetAccessible", Value::Null));
    let machine = cloud.existing().next().unwrap();
    assert_eq!((machine.public_ip, machine.bandwidth), (None, 0));
}

#[test]
fn the_ledger_says_by_which_call_a_machine_was_made() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let response = call(&mut cloud, noon(), "RunInstances", &launch_body("m", "t"));
    let launched: Vec<_> = cloud
        .ledger()
        .events()
        .iter()
        .filter_map(|event| match &event.what {
            What::Launched(launch) => Some((event.at, launch)),
            _ => None,
        })
        .collect();
    let [(at, launch)] = launched[..] else { panic!("{launched:?}") };
    let caller = launch.caller.as_ref().unwrap();
    assert_eq!(at, noon());
    assert_eq!(Some(caller.request_id.as_str()), response["RequestId"].as_str());
    assert_eq!(caller.token.as_deref(), Some("t"));
    assert_eq!(caller.secret_id, crate::caller::SECRET_ID);
    assert_eq!(response["InstanceIdSet"], json!([launch.instance_id]));
    assert_eq!(listed(&mut cloud, noon(), &json!({})), [launch_id(&cloud)]);
}

fn launch_id(cloud: &Cloud) -> String {
    cloud.existing().next().unwrap().id.clone()
}

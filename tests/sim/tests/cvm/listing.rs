//! DescribeInstances.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim::cvm::{Cloud, NameFilter, Span, Stranger};

use crate::caller::{call, code, launch, launch_body, listed, noon, quiet_config};

/// A cloud with three machines that run: `a` and `b` of the API, `db` placed by hand in the other zone.
fn three() -> (Cloud, [String; 3]) {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let (a, b) = (launch(&mut cloud, noon(), "a"), launch(&mut cloud, noon(), "b"));
    let tags = BTreeMap::from([("team".to_owned(), "green".to_owned())]);
    let zone = "ap-singapore-3".to_owned();
    let stranger = Stranger { name: "db".to_owned(), zone, tags, ..Stranger::default() };
    let db = cloud.add_stranger(&stranger).unwrap();
    cloud.advance(later());
    (cloud, [a, b, db])
}

fn later() -> jiff::Timestamp {
    noon() + SignedDuration::from_mins(1)
}

fn found(cloud: &mut Cloud, filters: &[(&str, &[&str])]) -> Vec<String> {
    let filters: Vec<Value> =
        filters.iter().map(|(name, values)| json!({"Name": name, "Values": values})).collect();
    let mut ids = listed(cloud, later(), &json!({"Filters": filters, "Limit": 100}));
    ids.sort();
    ids
}

fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}

#[test]
fn each_filter_finds_what_it_names() {
    let (mut cloud, [a, b, db]) = three();
    let all = sorted(&[&a, &b, &db]);
    let (spot, strange) = (sorted(&[&a, &b]), vec![db.clone()]);
    let public_ip = cloud.machine(&a).unwrap().public_ip.unwrap().to_string();
    let private_ip = cloud.machine(&db).unwrap().private_ip.to_string();
    assert_eq!(found(&mut cloud, &[]), all);
    assert_eq!(found(&mut cloud, &[("zone", &["ap-singapore-2"])]), spot);
    assert_eq!(found(&mut cloud, &[("zone", &["ap-singapore-2", "ap-singapore-3"])]), all);
    assert_eq!(found(&mut cloud, &[("project-id", &["0"])]), all);
    assert_eq!(found(&mut cloud, &[("vpc-id", &["vpc-86f66zht"])]), all);
    assert_eq!(found(&mut cloud, &[("subnet-id", &["subnet-gfrv79s2"])]), spot);
    assert_eq!(found(&mut cloud, &[("instance-id", &[&a])]), vec![a.clone()]);
    assert_eq!(found(&mut cloud, &[("instance-name", &["a", "db"])]), sorted(&[&a, &db]));
    assert_eq!(found(&mut cloud, &[("instance-charge-type", &["POSTPAID_BY_HOUR"])]), strange);
    assert_eq!(found(&mut cloud, &[("instance-state", &["RUNNING", "PENDING"])]), all);
    assert_eq!(found(&mut cloud, &[("instance-state", &["STOPPED"])]), Vec::<String>::new());
    assert_eq!(found(&mut cloud, &[("security-group-id", &["sg-aglabemo"])]), all);
    assert_eq!(found(&mut cloud, &[("public-ip-address", &[&public_ip])]), vec![a.clone()]);
    assert_eq!(found(&mut cloud, &[("private-ip-address", &[&private_ip])]), strange);
    assert_eq!(found(&mut cloud, &[("tag-key", &["team"])]), all);
    assert_eq!(found(&mut cloud, &[("tag-value", &["green"])]), strange);
    assert_eq!(found(&mut cloud, &[("tag:team", &["blue"])]), spot);
    assert_eq!(found(&mut cloud, &[("tag:team", &["blue"]), ("instance-name", &["b"])]), vec![b]);
    assert_eq!(found(&mut cloud, &[("host-id", &["host-1"])]), Vec::<String>::new());
}

#[test]
fn names_compare_as_a_whole_unless_told_otherwise() {
    let mut config = quiet_config();
    let mut cloud = Cloud::new(config.clone(), 1);
    launch(&mut cloud, noon(), "pool-10");
    assert_eq!(found(&mut cloud, &[("instance-name", &["pool-1"])]).len(), 0);
    config.settings.name_filter = NameFilter::Contains;
    let mut cloud = Cloud::new(config, 1);
    launch(&mut cloud, noon(), "pool-10");
    assert_eq!(found(&mut cloud, &[("instance-name", &["pool-1"])]).len(), 1);
}

#[test]
fn what_breaks_the_documented_limits_is_refused() {
    let (mut cloud, [a, ..]) = three();
    let filter = |name: &str, values: usize| json!({"Name": name, "Values": vec!["x"; values]});
    let ids = |count: usize| (0..count).map(|n| format!("ins-{n:08}")).collect::<Vec<_>>();
    for (body, expected) in [
        (json!({"InstanceIds": [a], "Filters": [filter("zone", 1)]}), "InvalidParameterConflict"),
        (json!({"InstanceIds": ids(101)}), "InvalidParameterValue.LimitExceeded"),
        (json!({"InstanceIds": ["ins-1"]}), "InvalidInstanceId.Malformed"),
        (json!({"Filters": vec![filter("zone", 1); 11]}), "InvalidFilterValue.LimitExceeded"),
        (json!({"Filters": [filter("zone", 6)]}), "InvalidFilterValue.LimitExceeded"),
        (json!({"Filters": [filter("colour", 1)]}), "InvalidFilter"),
        (json!({"Filters": [filter("tag:", 1)]}), "InvalidFilter"),
        (json!({"Filters": [{"Name": "instance-id", "Values": ["7"]}]}), "InvalidInstanceId.Malformed"),
        (
            json!({"Filters": [{"Name": "instance-charge-type", "Values": ["SPOTPAID"]}]}),
            "InvalidParameterValue",
        ),
        (json!({"Limit": 101}), "InvalidParameterValueLimit"),
        (json!({"Limit": 0}), "InvalidParameterValueLimit"),
        (json!({"Offset": -1}), "InvalidParameterValueOffset"),
        (json!({"InstanceIds": ids(100)}), ""),
        (json!({"Filters": vec![filter("zone", 5); 10], "Limit": 100}), ""),
    ] {
        let response = call(&mut cloud, later(), "DescribeInstances", &body);
        assert_eq!(code(&response), expected, "{body}");
    }
}

#[test]
fn pages_of_20_by_default_cover_everything_once() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let mut body = launch_body("crowd", "t");
    body["InstanceCount"] = json!(45);
    assert_eq!(code(&call(&mut cloud, noon(), "RunInstances", &body)), "");
    let first = call(&mut cloud, noon(), "DescribeInstances", &json!({}));
    assert_eq!(
        (first["TotalCount"].as_i64(), first["InstanceSet"].as_array().unwrap().len()),
        (Some(45), 20)
    );
    let mut seen = Vec::new();
    for offset in [0, 20, 40, 60] {
        seen.extend(listed(&mut cloud, noon(), &json!({"Offset": offset})));
    }
    assert_eq!(seen.len(), 45);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 45);
}

#[test]
fn unknown_ids_are_left_out_and_doubled_ones_shown_once() {
    let (mut cloud, [a, b, _]) = three();
    let shown = listed(&mut cloud, later(), &json!({"InstanceIds": [a, b, "ins-zzzzzzzz", a]}));
    assert_eq!(shown, vec![b, a], "newest first");
}

#[test]
fn a_new_machine_shows_neither_in_a_listing_nor_by_id_before_its_lag_and_always_after() {
    let mut config = quiet_config();
    config.settings.visibility_lag = Span::between(Duration::from_secs(30), Duration::from_secs(60));
    let mut cloud = Cloud::new(config, 7);
    let id = launch(&mut cloud, noon(), "late");
    let mut shows = |second: i64, body: &Value| {
        listed(&mut cloud, noon() + SignedDuration::from_secs(second), body).contains(&id)
    };
    let by_id = json!({"InstanceIds": [&id]});
    let mut first_seen = None;
    for second in 0..=120 {
        let (listing, by_id) = (shows(second, &json!({})), shows(second, &by_id));
        assert_eq!(listing, by_id, "both lag alike, second {second}");
        if listing {
            first_seen.get_or_insert(second);
        } else {
            assert_eq!(first_seen, None, "once it shows it goes on showing");
        }
    }
    let first_seen = first_seen.unwrap();
    assert!((30..=60).contains(&first_seen), "{first_seen}");
}

#[test]
fn tags_come_later_than_the_machine_and_filters_miss_it_until_then() {
    let mut config = quiet_config();
    config.settings.tag_lag = Span::secs(20);
    let mut cloud = Cloud::new(config, 1);
    let id = launch(&mut cloud, noon(), "bare");
    let by_tag = json!({"Filters": [{"Name": "tag:team", "Values": ["blue"]}]});
    for (second, tagged) in [(0, false), (19, false), (20, true), (50, true)] {
        let now = noon() + SignedDuration::from_secs(second);
        let response = call(&mut cloud, now, "DescribeInstances", &json!({"InstanceIds": [&id]}));
        let tags = &response["InstanceSet"][0]["Tags"];
        assert_eq!(tags.is_array(), tagged, "second {second}: {tags}");
        assert_eq!(!listed(&mut cloud, now, &by_tag).is_empty(), tagged, "second {second}");
    }
}

#[test]
fn a_gone_machine_lingers_in_listings_as_it_last_was() {
    let mut config = quiet_config();
    config.settings.linger = Span::secs(10);
    let mut cloud = Cloud::new(config, 1);
    let id = launch(&mut cloud, noon(), "ghost");
    let at = |second: i64| noon() + SignedDuration::from_secs(second);
    cloud.advance(at(30));
    cloud.vanish(&id).unwrap();
    let response = call(&mut cloud, at(39), "DescribeInstances", &json!({}));
    assert_eq!(response["InstanceSet"][0]["InstanceState"], "RUNNING");
    let terminate = call(&mut cloud, at(39), "TerminateInstances", &json!({"InstanceIds": [&id]}));
    assert_eq!(code(&terminate), "InvalidInstanceId.NotFound", "it is not really there");
    assert_eq!(listed(&mut cloud, at(40), &json!({})), Vec::<String>::new());
}

#[test]
fn machines_of_other_regions_and_accounts_do_not_show() {
    let (mut cloud, ids) = three();
    let elsewhere = Stranger { region: "ap-guangzhou".to_owned(), ..Stranger::default() };
    let elsewhere = cloud.add_stranger(&elsewhere).unwrap();
    assert!(!listed(&mut cloud, later(), &json!({"Limit": 100})).contains(&elsewhere));
    assert!(listed(&mut cloud, later(), &json!({"InstanceIds": [elsewhere]})).is_empty());
    assert_eq!(listed(&mut cloud, later(), &json!({})).len(), ids.len());
}

#[test]
fn the_ledger_counts_pages_by_what_they_asked() {
    let (mut cloud, [a, ..]) = three();
    let tagged = json!({"Filters": [{"Name": "tag-key", "Values": ["team"]}]});
    for body in [json!({}), tagged.clone(), tagged, json!({"InstanceIds": [a]})] {
        call(&mut cloud, later(), "DescribeInstances", &body);
    }
    let looks: Vec<(&str, u64)> =
        cloud.ledger().looks().iter().map(|(asked, count)| (asked.as_str(), *count)).collect();
    assert_eq!(looks, [("all", 1), ("ids", 1), ("tag-key", 2)]);
    assert_eq!(cloud.ledger().count("DescribeInstances"), 4);
}

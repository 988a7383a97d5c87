//! Answers that nobody should give: what [`crate::answers`] holds of every one of them, over the corpus that the
//! fuzzer left, over documented answers with something wrong in them, and over large ones.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tencent_cvm::{Cvm, InstanceState, Reach};

use crate::answers::{SEPARATOR, check};
use crate::cloud::{Cloud, Reply, ids, name, page};

/// An input of [`check`].
fn input(call: usize, manner: u8, bodies: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut input = vec![b'0' + call as u8, b'@' + manner];
    let bodies: Vec<&[u8]> = bodies.iter().map(AsRef::as_ref).collect();
    input.extend(bodies.join(&SEPARATOR));
    input
}

/// One whole answer to each call, in the order in which `check` counts them.
fn documented() -> [Value; 6] {
    let instance = |number: usize| {
        json!({
            "InstanceId": format!("ins-{number}"), "InstanceName": "m", "InstanceState": "RUNNING",
            "Placement": { "Zone": "ap-singapore-2" }, "InstanceType": "GN7.2XLARGE32",
            "InstanceChargeType": "SPOTPAID", "PrivateIpAddresses": ["10.0.0.1"], "PublicIpAddresses": null,
            "Tags": [{ "Key": "k", "Value": "v" }], "RestrictState": "NORMAL", "IsolatedSource": "NOTISOLATED",
        })
    };
    let listing = json!({ "TotalCount": 2, "InstanceSet": [instance(1), instance(2)], "RequestId": "r" });
    let offers: Value =
        serde_json::from_str(include_str!("../fixtures/describe_zone_instance_config_infos.json"))
            .expect("JSON");
    let quota = json!({ "Zone": "z", "UsedQuota": 8, "RemainingQuota": 4, "TotalQuota": 12 });
    let quotas = json!({ "SpotPaidQuotaSet": [quota], "PostPaidQuotaSet": [] });
    [
        listing.clone(),
        listing,
        json!({ "InstanceIdSet": ["ins-1"], "RequestId": "r" }),
        json!({ "RequestId": "r" }),
        offers["Response"].clone(),
        json!({ "AppId": 1, "AccountQuotaOverview": { "AccountQuota": quotas }, "RequestId": "r" }),
    ]
}

/// What may stand where something sensible should.
fn odd() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["\\PC{0,20}", Just("\u{0}\u{1e}\n".to_owned()), Just("x".repeat(5000))];
    let number =
        prop::sample::select(vec!["-1", "1e308", "18446744073709551615", "-9223372036854775808", "0.5"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number.prop_map(|text| serde_json::from_str(text).expect("a number")),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(inner, 0..4).prop_map(|list| json!({ "InstanceId": list, "Error": null })),
        ]
    })
}

/// Every place in a value that can be changed, by its path.
fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, places: &mut Vec<String>) {
        places.push(path.to_owned());
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, inner)| walk(inner, &format!("{path}/{key}"), places));
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(i, inner)| walk(inner, &format!("{path}/{i}"), places));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut places_found = Vec::new();
    walk(value, "", &mut places_found);
    places_found
}

proptest! {
    #[test]
    fn one_odd_value_anywhere_in_an_answer_misleads_nobody(
        call in 0..6_usize, manner in 0..16_u8, place in any::<prop::sample::Index>(), odd in odd(),
    ) {
        let mut answer = json!({ "Response": documented()[call] });
        let places = places(&answer);
        *answer.pointer_mut(&places[place.index(places.len())]).expect("a place") = odd;
        check(&input(call, manner, &[answer.to_string()]));
    }

    #[test]
    fn an_answer_cut_anywhere_is_no_answer(call in 0..6_usize, at in any::<prop::sample::Index>()) {
        let whole = json!({ "Response": documented()[call] }).to_string().into_bytes();
        let cut = whole[..at.index(whole.len())].to_vec();
        check(&input(call, 0, &[&cut]));
        // And when the next one is whole, a call that may be repeated takes that.
        check(&input(call, 0, &[&cut, &whole]));
    }

    #[test]
    fn what_is_no_answer_at_all_is_taken_for_none(
        call in 0..6_usize, manner in 0..16_u8, bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        check(&input(call, manner, &[bytes]));
    }

    /// Pages whose totals move, that come again, and that are cut.
    #[test]
    fn however_totals_move_a_listing_is_honest_and_ends(
        pages in prop::collection::vec((0..400_u64, 0..3_usize, 0..=100_usize), 1..8),
    ) {
        let page = |(total, first, count): &(u64, usize, usize)| {
            let set: Vec<Value> =
                (0..*count).map(|i| json!({ "InstanceId": format!("ins-{}", first * 100 + i) })).collect();
            json!({ "Response": { "TotalCount": total, "InstanceSet": set, "RequestId": "r" } }).to_string()
        };
        let pages: Vec<String> = pages.iter().map(page).collect();
        for (call, manner) in [(0, 0), (0, 8), (1, 8)] {
            check(&input(call, manner, &pages));
        }
    }
}

#[test]
fn the_corpus_of_the_fuzzer_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/answers");
    let files: Vec<_> =
        fs::read_dir(corpus).expect("the corpus").map(|entry| entry.expect("a file")).collect();
    assert!(files.len() >= 20, "{} files", files.len());
    for file in files {
        check(&fs::read(file.path()).expect("a file"));
    }
}

#[test]
fn a_page_of_html_is_no_answer() {
    let html = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    for call in 0..6 {
        check(&input(call, 0, &[html]));
        check(&input(call, 1, &[html]));
    }
}

#[test]
fn ten_megabytes_are_refused_or_read_but_never_repeated_to_people() {
    const SIZE: usize = 10 << 20;
    let response =
        |field: &str, value: &str| format!(r#"{{"Response":{{"RequestId":"r","{field}":{value}}}}}"#);
    let long = format!("\"{}\"", "x".repeat(SIZE));
    let objects =
        |object: &str| format!("[{}{object}]", format!("{object},").repeat(SIZE / (object.len() + 1)));
    let answers = [
        (2, format!("<html>{}", "x".repeat(SIZE))),
        (2, " ".repeat(SIZE)),
        (2, "[".repeat(SIZE)),
        (2, "{\"Response\":".repeat(SIZE / 12)),
        (2, response("Error", &format!(r#"{{"Code":"InternalError","Message":{long}}}"#))),
        (3, response("Error", &format!(r#"{{"Code":{long},"Message":"m"}}"#))),
        (0, response("InstanceSet", &objects("{}"))),
        (1, response("InstanceSet", &objects(r#"{"InstanceId":"ins-1"}"#))),
        (2, response("InstanceIdSet", &objects("null"))),
        (4, response("InstanceTypeQuotaSet", &objects("{}"))),
        (2, response("Unheard", &long)),
    ];
    for (call, body) in answers {
        check(&input(call, 0, &[body]));
    }
}

#[tokio::test]
async fn ten_megabytes_over_the_wire_are_an_unknown_outcome() {
    let cloud = Cloud::new(|_| Reply::body(vec![b'['; 10 << 20]));
    let (_server, builder) = cloud.served().await;
    let client = builder.build().expect("client");
    let error = client
        .run_instances(&crate::run::request(), tencent_cvm::SendOptions::default())
        .await
        .expect_err("no answer");
    assert_eq!(error.reach(), Reach::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_nobody_knows_yet_is_shown_as_it_was_sent() {
    let entry = json!({ "InstanceId": "ins-1", "InstanceState": "HOVERING" });
    let answer = crate::cloud::ok(json!({ "TotalCount": 1, "InstanceSet": [entry] }));
    let cloud = Cloud::new(move |_| answer.clone());
    let client = cloud.simulated().build().expect("client");
    let seen = client.describe_instances(&[]).await.expect("listing").instances.remove(0);
    assert_eq!(seen.state, Some(InstanceState::Other("HOVERING".into())));
}

#[tokio::test(start_paused = true)]
async fn one_page_again_and_again_is_no_listing() {
    let cloud = Cloud::new(|_| page(350, (0..100).map(name)));
    let client = cloud.simulated().build().expect("client");
    let error = client.describe_instances(&[]).await.expect_err("the same hundred four times");
    assert_eq!(error.reach(), Reach::Unknown);
    // By id it is no trouble: what comes twice counts once.
    let cloud = Cloud::new(|_| page(3, [name(0), name(1), name(1), name(2)]));
    let client = cloud.simulated().build().expect("client");
    let listing = client.describe_instances_by_id(&ids(0..3)).await.expect("listing");
    assert_eq!(listing.instances.len(), 3);
}

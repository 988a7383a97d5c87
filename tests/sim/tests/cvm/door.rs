//! What the cloud turns away before it looks at what is wanted.

use jiff::SignedDuration;
use serde_json::json;
use sim::cvm::{Account, Cloud, Credential, Fault, FaultRule, Span};

use crate::caller::{Request, SECRET_ID, SECRET_KEY, call, code, follow, noon, quiet_config, response_of};

fn answer_to(spoil: impl FnOnce(&mut Request)) -> String {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let mut request = Request::new("DescribeInstances", "{}", noon());
    spoil(&mut request);
    code(&response_of(&follow(&mut cloud, noon(), request.sign()))).to_owned()
}

fn answer_without(header: &str) -> String {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let mut request = Request::new("DescribeInstances", "{}", noon()).sign();
    request.headers_mut().remove(header);
    code(&response_of(&follow(&mut cloud, noon(), request))).to_owned()
}

#[test]
fn a_well_signed_request_comes_in() {
    assert_eq!(answer_to(|_| {}), "");
}

#[test]
fn a_signature_over_more_headers_is_honoured() {
    assert_eq!(answer_to(|r| r.signed_headers = "content-type;host;x-tc-action".to_owned()), "");
}

#[test]
fn a_signature_that_leaves_out_host_is_refused() {
    assert_eq!(
        answer_to(|r| r.signed_headers = "content-type".to_owned()),
        "AuthFailure.InvalidAuthorization"
    );
}

#[test]
fn a_wrong_key_an_unknown_id_and_a_changed_body_are_told_apart() {
    assert_eq!(answer_to(|r| r.secret_key.push('x')), "AuthFailure.SignatureFailure");
    assert_eq!(answer_to(|r| r.secret_id.push('x')), "AuthFailure.SecretIdNotFound");
    let mut cloud = Cloud::new(quiet_config(), 1);
    let mut request = Request::new("DescribeInstances", "{}", noon()).sign();
    *request.body_mut() = "{ }".into();
    assert_eq!(code(&response_of(&follow(&mut cloud, noon(), request))), "AuthFailure.SignatureFailure");
}

#[test]
fn a_timestamp_counts_for_300_seconds_either_way() {
    for (seconds, expected) in
        [(300, ""), (-300, ""), (301, "AuthFailure.SignatureExpire"), (-301, "AuthFailure.SignatureExpire")]
    {
        assert_eq!(answer_to(|r| r.timestamp += seconds), expected, "{seconds} s");
    }
}

#[test]
fn the_clouds_own_clock_judges_the_timestamp() {
    let mut config = quiet_config();
    config.settings.clock_ahead = 400.0;
    let mut cloud = Cloud::new(config, 1);
    let reply = follow(&mut cloud, noon(), Request::new("DescribeInstances", "{}", noon()).sign());
    assert_eq!(code(&response_of(&reply)), "AuthFailure.SignatureExpire");
    let sim::cvm::Fate::Deliver(response) = reply.fate else { panic!() };
    // What a caller needs to repair its offset.
    assert_eq!(response.headers()["date"], "Sun, 01 Mar 2026 12:06:40 GMT");
    let repaired = Request::new("DescribeInstances", "{}", noon() + SignedDuration::from_secs(400));
    assert_eq!(code(&response_of(&follow(&mut cloud, noon(), repaired.sign()))), "");
}

#[test]
fn a_request_held_in_the_network_is_judged_when_it_arrives() {
    for (delay, expected) in [(300, ""), (301, "AuthFailure.SignatureExpire")] {
        let mut cloud = Cloud::new(quiet_config(), 1);
        cloud.add_fault(FaultRule::new(Fault::LateRequest { delay: Span::secs(delay) }));
        let response = call(&mut cloud, noon(), "DescribeInstances", &json!({}));
        assert_eq!(code(&response), expected, "held for {delay} s");
    }
}

#[test]
fn a_temporary_key_pair_needs_its_token_and_a_permanent_one_has_none() {
    let mut config = quiet_config();
    let token = Some("fake-session-token".to_owned());
    let temporary = Credential { token: token.clone(), ..Credential::new("AKIDFAKEsts", SECRET_KEY) };
    config.accounts[0].credentials.push(temporary);
    let mut cloud = Cloud::new(config, 1);
    let mut ask = |secret_id: &str, token: Option<String>| {
        let mut request = Request::new("DescribeInstances", "{}", noon());
        request.secret_id = secret_id.to_owned();
        request.token = token;
        code(&response_of(&follow(&mut cloud, noon(), request.sign()))).to_owned()
    };
    assert_eq!(ask("AKIDFAKEsts", token.clone()), "");
    assert_eq!(ask("AKIDFAKEsts", None), "AuthFailure.TokenFailure");
    assert_eq!(ask("AKIDFAKEsts", Some("another".to_owned())), "AuthFailure.TokenFailure");
    assert_eq!(ask(SECRET_ID, token), "AuthFailure.TokenFailure");
}

#[test]
fn each_header_that_is_missing_has_its_answer() {
    for (header, expected) in [
        ("Authorization", "MissingParameter"),
        ("X-TC-Action", "MissingParameter"),
        ("X-TC-Version", "MissingParameter"),
        ("X-TC-Timestamp", "MissingParameter"),
        ("X-TC-Region", "MissingParameter"),
        ("Content-Type", "MissingParameter"),
    ] {
        assert_eq!(answer_without(header), expected, "{header}");
    }
}

#[test]
fn unknown_regions_versions_actions_and_methods_are_refused() {
    assert_eq!(answer_to(|r| r.region = "ap-atlantis".to_owned()), "UnsupportedRegion");
    assert_eq!(answer_to(|r| r.version = "2016-01-01".to_owned()), "NoSuchVersion");
    assert_eq!(answer_to(|r| r.action = "DescribeUnicorns".to_owned()), "InvalidAction");
    let mut cloud = Cloud::new(quiet_config(), 1);
    let mut request = Request::new("DescribeInstances", "{}", noon()).sign();
    *request.method_mut() = http::Method::GET;
    assert_eq!(code(&response_of(&follow(&mut cloud, noon(), request))), "UnsupportedProtocol");
}

#[test]
fn bodies_that_are_not_what_the_action_takes_are_refused() {
    for (body, expected) in [
        ("not json", "InvalidParameter"),
        ("", "InvalidParameter"),
        ("[]", "InvalidParameter"),
        (r#"{"Limit": "20"}"#, "InvalidParameter"),
        (r#"{"Unicorns": 1}"#, "UnknownParameter"),
        (r#"{"Filters": [{"Name": "zone"}]}"#, "MissingParameter"),
        (r#"{"Limit": null, "Filters": null}"#, ""),
    ] {
        assert_eq!(answer_to(|r| r.body = body.into()), expected, "{body}");
    }
}

#[test]
fn a_removed_key_pair_is_unknown_from_then_on() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    assert_eq!(code(&call(&mut cloud, noon(), "DescribeInstances", &json!({}))), "");
    assert!(cloud.remove_credential(SECRET_ID));
    assert_eq!(
        code(&call(&mut cloud, noon(), "DescribeInstances", &json!({}))),
        "AuthFailure.SecretIdNotFound"
    );
    cloud.add_credential("main", Credential::new(SECRET_ID, "fakeRotatedKey")).unwrap();
    assert_eq!(
        code(&call(&mut cloud, noon(), "DescribeInstances", &json!({}))),
        "AuthFailure.SignatureFailure"
    );
}

#[test]
fn a_sliding_second_takes_the_documented_number_of_calls_and_no_more() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    let at = |millis: i64| noon() + SignedDuration::from_millis(millis);
    let mut ask = |millis| code(&call(&mut cloud, at(millis), "DescribeInstances", &json!({}))).to_owned();
    for n in 0..40 {
        assert_eq!(ask(500 + n), "", "call {n}");
    }
    // A window that began anew with each full second would let these through.
    assert_eq!(ask(1000), "RequestLimitExceeded");
    assert_eq!(ask(1499), "RequestLimitExceeded");
    assert_eq!(ask(1500), "", "the first call has left the window");
    assert_eq!(ask(1500), "RequestLimitExceeded", "the second has not");
}

#[test]
fn rates_are_counted_by_action_region_and_account() {
    let mut config = quiet_config();
    config.settings.rate_limits.insert("DescribeInstances".to_owned(), 1);
    config.accounts[0].credentials.push(Credential::new("AKIDFAKEsecond", SECRET_KEY));
    config.accounts.push(Account::new("other", Credential::new("AKIDFAKEother", SECRET_KEY)));
    let mut cloud = Cloud::new(config, 1);
    let mut ask = |secret_id: &str, region: &str| {
        let mut request = Request::new("DescribeInstances", "{}", noon());
        request.secret_id = secret_id.to_owned();
        request.region = region.to_owned();
        code(&response_of(&follow(&mut cloud, noon(), request.sign()))).to_owned()
    };
    assert_eq!(ask(SECRET_ID, "ap-singapore"), "");
    assert_eq!(ask("AKIDFAKEsecond", "ap-singapore"), "RequestLimitExceeded", "same account");
    assert_eq!(ask(SECRET_ID, "ap-guangzhou"), "", "another region");
    assert_eq!(ask("AKIDFAKEother", "ap-singapore"), "", "another account");
    let terminate = call(&mut cloud, noon(), "TerminateInstances", &json!({"InstanceIds": ["ins-00000000"]}));
    assert_eq!(code(&terminate), "InvalidInstanceId.NotFound", "another action");
}

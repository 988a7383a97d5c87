//! ClientToken under each mode that the real cloud might have.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sim::cvm::{Cloud, Fault, FaultRule, Loss, Span, Stock, TokenMode, What};

use crate::caller::{Request, call, code, follow, launch_body, noon, quiet_config};

fn cloud(mode: TokenMode) -> Cloud {
    let mut config = quiet_config();
    config.settings.token_mode = mode;
    Cloud::new(config, 1)
}

/// The only id of a launch, or its error code.
fn send(cloud: &mut Cloud, now: Timestamp, name: &str, token: &str) -> Result<String, String> {
    let response = call(cloud, now, "RunInstances", &launch_body(name, token));
    match response["InstanceIdSet"][0].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err(code(&response).to_owned()),
    }
}

fn after(seconds: i64) -> Timestamp {
    noon() + SignedDuration::from_secs(seconds)
}

const USED: &str = "InvalidClientToken.Used";

#[test]
fn replay_gives_the_same_ids_for_ever_also_for_a_machine_long_gone() {
    let mut cloud = cloud(TokenMode::Replay);
    let first = send(&mut cloud, noon(), "m", "t").unwrap();
    assert_eq!(send(&mut cloud, after(1), "m", "t").as_deref(), Ok(first.as_str()));
    assert_eq!(send(&mut cloud, after(1), "another body", "t").as_deref(), Ok(first.as_str()));
    cloud.advance(after(60));
    cloud.vanish(&first).unwrap();
    assert_eq!(send(&mut cloud, after(9000), "m", "t").as_deref(), Ok(first.as_str()));
    assert_eq!(cloud.machines().count(), 1);
    assert_ne!(send(&mut cloud, after(9000), "m", "t2").unwrap(), first);
    let replays = cloud.ledger().events().iter().filter(|event| matches!(event.what, What::Replayed { .. }));
    assert_eq!(replays.count(), 3);
}

#[test]
fn replay_for_a_while_forgets_afterwards() {
    let mut cloud = cloud(TokenMode::ReplayFor { seconds: 100 });
    let first = send(&mut cloud, noon(), "m", "t").unwrap();
    assert_eq!(send(&mut cloud, after(99), "m", "t").as_deref(), Ok(first.as_str()));
    let second = send(&mut cloud, after(100), "m", "t").unwrap();
    assert_ne!(first, second);
    assert_eq!(send(&mut cloud, after(150), "m", "t").as_deref(), Ok(second.as_str()), "remembered anew");
}

#[test]
fn ignored_tokens_buy_again() {
    let mut cloud = cloud(TokenMode::Ignored);
    assert_ne!(send(&mut cloud, noon(), "m", "t"), send(&mut cloud, noon(), "m", "t"));
    assert_eq!(cloud.existing().count(), 2);
}

#[test]
fn error_on_replay_burns_a_token_even_when_its_first_use_was_refused() {
    let mut cloud = cloud(TokenMode::ErrorOnReplay);
    send(&mut cloud, noon(), "m", "t").unwrap();
    assert_eq!(send(&mut cloud, noon(), "m", "t"), Err(USED.to_owned()));
    let stock =
        |count| Stock { zone: "ap-singapore-2".to_owned(), instance_type: "GN7.2XLARGE32".to_owned(), count };
    cloud.set_stock(&stock(0)).unwrap();
    assert_eq!(
        send(&mut cloud, noon(), "m", "t2"),
        Err("ResourceInsufficient.SpecifiedInstanceType".to_owned())
    );
    cloud.set_stock(&stock(5)).unwrap();
    assert_eq!(send(&mut cloud, noon(), "m", "t2"), Err(USED.to_owned()));
}

#[test]
fn a_refused_launch_may_be_repeated_under_the_same_token_in_the_other_modes() {
    let modes = [
        TokenMode::Replay,
        TokenMode::ReplayFor { seconds: 60 },
        TokenMode::Ignored,
        TokenMode::ErrorOnChangedBody,
    ];
    for mode in modes {
        let mut cloud = cloud(mode);
        cloud.set_arrears("main", true).unwrap();
        assert!(send(&mut cloud, noon(), "m", "t").is_err());
        cloud.set_arrears("main", false).unwrap();
        assert!(send(&mut cloud, noon(), "m", "t").is_ok(), "{mode:?}");
    }
}

#[test]
fn error_on_changed_body_replays_the_same_bytes_only() {
    let mut cloud = cloud(TokenMode::ErrorOnChangedBody);
    let first = send(&mut cloud, noon(), "m", "t").unwrap();
    assert_eq!(send(&mut cloud, noon(), "m", "t").as_deref(), Ok(first.as_str()));
    assert_eq!(send(&mut cloud, noon(), "n", "t"), Err(USED.to_owned()));
    // The same fields in other bytes are another body.
    let spaced = format!(" {}", launch_body("m", "t"));
    let reply = follow(&mut cloud, noon(), Request::new("RunInstances", spaced, noon()).sign());
    assert_eq!(code(&crate::caller::response_of(&reply)), USED);
}

#[test]
fn a_lost_answer_leaves_a_machine_and_its_token_behind() {
    let mut cloud = cloud(TokenMode::Replay);
    let lost = Fault::LostAnswer { loss: Loss::Silence };
    cloud.add_fault(FaultRule::new(lost).on("RunInstances").times(1));
    let request = Request::new("RunInstances", launch_body("m", "t"), noon()).sign();
    assert!(matches!(follow(&mut cloud, noon(), request).fate, sim::cvm::Fate::Silence));
    let made = cloud.existing().next().unwrap().id.clone();
    assert_eq!(send(&mut cloud, after(30), "m", "t"), Ok(made));
}

#[test]
fn of_two_requests_with_one_token_the_one_that_commits_first_makes_the_machine() {
    let mut cloud = cloud(TokenMode::Replay);
    cloud.add_fault(FaultRule::new(Fault::LateCommit { delay: Span::secs(60) }).times(1));
    let (late, _) = cloud.send(noon(), Request::new("RunInstances", launch_body("m", "t"), noon()).sign());
    let sim::cvm::Step::On(late) = cloud.step(noon(), late) else { panic!("not late") };
    let made = send(&mut cloud, after(30), "m", "t").unwrap();
    let sim::cvm::Step::Done(reply) = cloud.step(late.at(), *late) else { panic!("still not there") };
    assert_eq!(crate::caller::response_of(&reply)["InstanceIdSet"], json!([made]));
    assert_eq!(cloud.existing().count(), 1);
}

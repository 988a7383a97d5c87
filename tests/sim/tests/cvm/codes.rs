//! Every error code that the client knows can be had, and arrives as what it is.

use std::collections::BTreeSet;

use sim::cvm::{Fault, FaultRule};
use tencent_cvm::{Action, Class, Cvm, Error, InstanceId, SendOptions, classify, known_codes};

use crate::caller::quiet_config;
use crate::shipped::{order, world};

/// Makes one call of an action.
async fn call(client: &impl Cvm, action: Action) -> Result<(), Error> {
    match action {
        Action::DescribeInstances => client.describe_instances(&[]).await.map(drop),
        Action::RunInstances => client.run_instances(&order("m"), SendOptions::default()).await.map(drop),
        Action::TerminateInstances => {
            let mut answers = client.terminate_instances(&[InstanceId::new("ins-00000001")]).await;
            answers.remove(0).1
        }
        Action::DescribeZoneInstanceConfigInfos => {
            client.describe_zone_instance_config_infos(&[]).await.map(drop)
        }
        Action::DescribeAccountQuota => client.describe_account_quota().await.map(drop),
        other => panic!("{other} is not called here"),
    }
}

/// What a client sees of a code that every request of the action is answered with.
async fn arrives(action: Action, code: &str) -> Result<(), Error> {
    let (cloud, client) = world(quiet_config(), 1);
    cloud.with(|cloud| {
        cloud.add_fault(FaultRule::new(Fault::Refuse { code: code.to_owned() }).on(action.as_str()))
    });
    let outcome = call(&client, action).await;
    assert_eq!(cloud.with(|cloud| cloud.existing().count()), 0, "{action} {code}: it made something");
    let refused = cloud.with(|cloud| cloud.ledger().calls()[action.as_str()].get(code).copied());
    assert!(refused.is_some_and(|times| times >= 1), "{action} {code}: the stand-in did not answer it");
    outcome
}

#[tokio::test(start_paused = true)]
async fn every_code_of_the_table_arrives_with_its_class() {
    let mut walked = 0;
    for (action, code, class) in known_codes() {
        let outcome = arrives(action, code).await;
        walked += 1;
        if (action, class) == (Action::TerminateInstances, Class::Gone) {
            assert!(outcome.is_ok(), "{code}: what is gone is returned");
            continue;
        }
        let error = outcome.unwrap_err();
        assert_eq!((error.code(), error.class()), (Some(code), Some(class)), "{action}");
        assert!(error.request_id().is_some(), "{action} {code}");
    }
    assert!(walked > 400, "only {walked} were walked");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_knows_yet_arrives_too() {
    let actions: BTreeSet<Action> = known_codes().map(|(action, ..)| action).collect();
    for action in actions {
        for family in [
            "AuthFailure",
            "FailedOperation",
            "InternalError",
            "InvalidParameterValue",
            "LimitExceeded",
            "OperationDenied",
            "RequestLimitExceeded",
            "ResourceInsufficient",
            "ResourceUnavailable",
            "ResourcesSoldOut",
            "UnsupportedOperation",
            "Unheard",
        ] {
            let code = format!("{family}.ComesTomorrow");
            let error = arrives(action, &code).await.unwrap_err();
            let expected = (Some(code.as_str()), Some(classify(action, &code)));
            assert_eq!((error.code(), error.class()), expected, "{action}");
        }
    }
}

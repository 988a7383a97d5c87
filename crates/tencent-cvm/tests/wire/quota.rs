//! The account's number and quotas.

use serde_json::json;
use tencent_cvm::{AccountQuota, AppId, Cvm, Error, ZoneQuota};

use crate::cloud::{Cloud, ok, refused};

async fn asked(cloud: &Cloud) -> Result<AccountQuota, Error> {
    cloud.simulated().build().expect("client").describe_account_quota().await
}

#[tokio::test(start_paused = true)]
async fn the_accounts_number_and_its_quotas_by_zone_are_read() {
    let cloud = Cloud::new(|_| {
        ok(json!({
            "AppId": 1_251_783_334,
            "AccountQuotaOverview": {
                "Region": "ap-singapore",
                "AccountQuota": {
                    "PostPaidQuotaSet": [],
                    "SpotPaidQuotaSet": [
                        { "UsedQuota": 8, "RemainingQuota": 92, "TotalQuota": 100, "Zone": "ap-singapore-2" },
                        { "UsedQuota": null, "Zone": "ap-singapore-3", "SomethingNew": true },
                    ],
                    "ImageQuotaSet": null,
                },
            },
        }))
    });
    let quota = asked(&cloud).await.expect("quota");
    assert_eq!(quota.app_id, Some(AppId::new(1_251_783_334)));
    let zone = |zone: &str, figures: [Option<i64>; 3]| ZoneQuota {
        zone: Some(zone.to_owned()),
        used: figures[0],
        remaining: figures[1],
        total: figures[2],
    };
    let expected =
        [zone("ap-singapore-2", [Some(8), Some(92), Some(100)]), zone("ap-singapore-3", [None, None, None])];
    assert_eq!(quota.spot, expected);
    assert_eq!(quota.on_demand, []);

    let calls = cloud.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].header("x-tc-action"), "DescribeAccountQuota");
    assert_eq!(calls[0].body, json!({}));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_nothing_is_no_account() {
    for empty in [
        json!({}),
        json!({ "AppId": null, "AccountQuotaOverview": null }),
        json!({ "AccountQuotaOverview": { "AccountQuota": { "SpotPaidQuotaSet": null } } }),
    ] {
        let quota = asked(&Cloud::new(move |_| ok(empty.clone()))).await.expect("quota");
        assert_eq!(quota, AccountQuota::default());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_may_not_ask_is_told_so() {
    let error = asked(&Cloud::new(|_| refused("UnauthorizedOperation"))).await.expect_err("refused");
    assert_eq!(error.code(), Some("UnauthorizedOperation"));
}

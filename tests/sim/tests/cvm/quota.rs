//! How much an account may have.

use serde_json::json;
use sim::cvm::Cloud;
use tencent_cvm::{AppId, Cvm, SendOptions};

use crate::caller::{call, code, launch_body, noon, quiet_config};
use crate::shipped::{order, world};

#[tokio::test(start_paused = true)]
async fn the_shipped_client_reads_what_is_left_of_a_zones_quota() {
    let (sim, client) = world(quiet_config(), 1);
    sim.with(|cloud| cloud.set_spot_quota("ap-singapore-2", 12)).unwrap();
    client.run_instances(&order("m"), SendOptions::default()).await.unwrap();
    let refused = client.run_instances(&order("n"), SendOptions::default()).await.unwrap_err();
    assert_eq!(refused.code(), Some("LimitExceeded.UserSpotQuota"));

    let quota = client.describe_account_quota().await.unwrap();
    let here = quota.spot.iter().find(|quota| quota.zone.as_deref() == Some("ap-singapore-2")).unwrap();
    assert_eq!((here.used, here.remaining, here.total), (Some(8), Some(4), Some(12)));
    assert_eq!((quota.spot.len(), quota.on_demand.len()), (2, 2));
    assert_eq!(quota.app_id, Some(AppId::new(1_250_000_001)), "the first account");
}

#[test]
fn a_quota_below_what_is_used_leaves_nothing() {
    let mut cloud = Cloud::new(quiet_config(), 1);
    call(&mut cloud, noon(), "RunInstances", &launch_body("m", "t"));
    cloud.set_spot_quota("ap-singapore-2", 4).unwrap();
    let body = json!({"Filters": [{"Name": "zone", "Values": ["ap-singapore-2"]}]});
    let answer = call(&mut cloud, noon(), "DescribeAccountQuota", &body);
    let spot = &answer["AccountQuotaOverview"]["AccountQuota"]["SpotPaidQuotaSet"];
    let expected = json!([{"Zone": "ap-singapore-2", "UsedQuota": 8, "RemainingQuota": 0, "TotalQuota": 4}]);
    assert_eq!(*spot, expected);
    let unknown = json!({"Filters": [{"Name": "colour", "Values": ["red"]}]});
    assert_eq!(code(&call(&mut cloud, noon(), "DescribeAccountQuota", &unknown)), "InvalidFilter");
}

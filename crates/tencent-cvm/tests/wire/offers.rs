//! What is sold where.

use serde_json::json;
use tencent_cvm::{Cvm, Error, Filter, Offer, OfferStatus, Reach, StockLevel};

use crate::cloud::{Cloud, Reply, ok};

async fn offers_of(answer: Reply) -> Result<Vec<Offer>, Error> {
    let cloud = Cloud::new(move |_| answer.clone());
    let cvm = cloud.simulated().build().expect("client");
    cvm.describe_zone_instance_config_infos(&[Filter::one("instance-type", "GN7.2XLARGE32")]).await
}

#[tokio::test]
async fn candidates_are_asked_for_in_one_request() {
    let cloud = Cloud::new(|_| ok(json!({ "InstanceTypeQuotaSet": [] })));
    let (_server, builder) = cloud.served().await;
    let cvm = builder.build().expect("client");
    let filters = [
        Filter::any("zone", ["ap-singapore-2", "ap-singapore-3"]),
        Filter::one("instance-charge-type", "SPOTPAID"),
    ];
    assert_eq!(cvm.describe_zone_instance_config_infos(&filters).await.expect("offers"), []);
    let calls = cloud.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].action, "DescribeZoneInstanceConfigInfos");
    assert_eq!(
        calls[0].body,
        json!({ "Filters": [
            { "Name": "zone", "Values": ["ap-singapore-2", "ap-singapore-3"] },
            { "Name": "instance-charge-type", "Values": ["SPOTPAID"] },
        ] })
    );
}

#[tokio::test]
async fn an_answer_of_the_documented_shape_is_understood() {
    let cloud =
        Cloud::new(|_| Reply::body(include_str!("../fixtures/describe_zone_instance_config_infos.json")));
    let (_server, builder) = cloud.served().await;
    let cvm = builder.build().expect("client");
    let offers = cvm.describe_zone_instance_config_infos(&[]).await.expect("offers");
    let [sold, gone, monthly, odd] = &offers[..] else { panic!("{offers:?}") };
    assert_eq!(
        *sold,
        Offer {
            zone: "ap-singapore-2".into(),
            instance_type: "GN7.2XLARGE32".into(),
            charge_type: Some("SPOTPAID".into()),
            status: Some(OfferStatus::Sell),
            stock: Some(StockLevel::Normal),
            sold_out_reason: None,
            hourly_price: Some(0.38),
            hourly_list_price: Some(1.27),
            cpu: Some(8),
            memory_gib: Some(32),
            gpus: Some(0.5),
        }
    );
    assert_eq!(sold.in_stock(), Some(true));
    assert_eq!((gone.in_stock(), gone.sold_out_reason.as_deref()), (Some(false), Some("sold out")));
    assert_eq!((monthly.hourly_price, monthly.gpus), (None, Some(1.0)), "a month is not an hour");
    assert_eq!(odd.status, Some(OfferStatus::Other("RESTING".into())));
    assert_eq!((odd.in_stock(), odd.hourly_price, odd.cpu), (None, None, None));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_list_says_nothing_rather_than_sold_out() {
    for answer in [json!({}), json!({ "InstanceTypeQuotaSet": null })] {
        let error = offers_of(ok(answer)).await.expect_err("no list");
        assert!(matches!(&error, Error::Protocol { .. }), "{error}");
        assert_eq!(error.reach(), Reach::Unknown);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_names_no_type_or_zone_is_left_out() {
    let entries = json!([null, {}, { "Zone": "z" }, { "InstanceType": "t", "Zone": "" }, { "Zone": "z", "InstanceType": "t" }]);
    let offers = offers_of(ok(json!({ "InstanceTypeQuotaSet": entries }))).await.expect("offers");
    let told: Vec<_> = offers.iter().map(|offer| (offer.zone.as_str(), offer.in_stock())).collect();
    assert_eq!(told, [("z", None)]);
}

#[tokio::test(start_paused = true)]
async fn absurd_prices_are_no_prices() {
    for price in [json!(-1), json!(0), json!(1e300), json!("free"), json!(true), json!([]), json!(null)] {
        let entry = json!({ "Zone": "z", "InstanceType": "t", "Price": { "UnitPrice": price, "ChargeUnit": "HOUR" } });
        let offers = offers_of(ok(json!({ "InstanceTypeQuotaSet": [entry] }))).await.expect("offers");
        assert_eq!(offers[0].hourly_price, None, "{price}");
    }
}

#[tokio::test(start_paused = true)]
async fn filters_that_the_cloud_would_misunderstand_are_not_sent() {
    let cloud = Cloud::new(|_| ok(json!({ "InstanceTypeQuotaSet": [] })));
    let cvm = cloud.simulated().build().expect("client");
    for filter in
        [Filter::any("zone", [""; 1]), Filter::any("zone", [""; 0]), Filter::any("instance-type", ["t"; 101])]
    {
        let error = cvm.describe_zone_instance_config_infos(&[filter]).await.expect_err("invalid");
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
    cvm.describe_zone_instance_config_infos(&[Filter::any("instance-type", ["t"; 100])])
        .await
        .expect("100 are fine");
    assert_eq!(cloud.calls().len(), 1);
}

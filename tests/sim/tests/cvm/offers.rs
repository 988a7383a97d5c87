//! What is advertised: the truth, the truth of a while ago, or a lie.

use std::time::Duration;

use serde_json::{Value, json};
use sim::cvm::{Cloud, Lie, Span, Stock, ZoneInformation};
use tencent_cvm::{Cvm, Filter, OfferStatus, StockLevel};

use crate::caller::{call, code, launch, noon, quiet_config};
use crate::shipped::world;

const ZONE: &str = "ap-singapore-2";
const TYPE: &str = "GN7.2XLARGE32";

fn cloud(information: ZoneInformation, seed: u64) -> Cloud {
    let mut config = quiet_config();
    config.settings.zone_information = information;
    Cloud::new(config, seed)
}

fn stock(count: u32) -> Stock {
    Stock { zone: ZONE.to_owned(), instance_type: TYPE.to_owned(), count }
}

fn filter(name: &str, value: &str) -> Value {
    json!({"Name": name, "Values": [value]})
}

fn asked(filters: &[Value]) -> Value {
    json!({"Filters": filters})
}

/// The entries of an answer after so many seconds.
fn offers(cloud: &mut Cloud, after: u64, body: &Value) -> Vec<Value> {
    let now = noon() + Duration::from_secs(after);
    let answer = call(cloud, now, "DescribeZoneInstanceConfigInfos", body);
    answer["InstanceTypeQuotaSet"].as_array().unwrap_or_else(|| panic!("refused: {answer}")).clone()
}

/// The status of the sample's type as a spot machine.
fn status(cloud: &mut Cloud, after: u64) -> String {
    let spot =
        [filter("zone", ZONE), filter("instance-type", TYPE), filter("instance-charge-type", "SPOTPAID")];
    let offers = offers(cloud, after, &asked(&spot));
    offers.first().map_or("absent", |offer| offer["Status"].as_str().unwrap()).to_owned()
}

#[test]
fn every_type_that_a_zone_sells_is_there_once_for_each_way_of_paying() {
    let mut cloud = cloud(ZoneInformation::default(), 1);
    let all = offers(&mut cloud, 0, &json!({}));
    assert_eq!(all.len(), 2 * 3 * 3, "two zones, three types, three ways of paying");
    assert_eq!(offers(&mut cloud, 0, &asked(&[filter("zone", ZONE)])).len(), 9);
    assert_eq!(offers(&mut cloud, 0, &asked(&[filter("instance-family", "GN7")])).len(), 12);
    let types = json!({"Name": "instance-type", "Values": [TYPE, "S5.MEDIUM2"]});
    assert_eq!(offers(&mut cloud, 0, &asked(&[types, filter("zone", ZONE)])).len(), 6);
    assert!(offers(&mut cloud, 0, &asked(&[filter("zone", "ap-nowhere-1")])).is_empty());
}

#[test]
fn filters_that_do_not_exist_or_are_too_many_are_refused() {
    let mut cloud = cloud(ZoneInformation::default(), 1);
    let mut refusal =
        |body: &Value| code(&call(&mut cloud, noon(), "DescribeZoneInstanceConfigInfos", body)).to_owned();
    assert_eq!(refusal(&asked(&[filter("colour", "red")])), "InvalidFilter");
    let values: Vec<String> = (0..101).map(|n| format!("T{n}")).collect();
    let many = json!({"Name": "instance-type", "Values": values});
    assert_eq!(refusal(&asked(&[many])), "InvalidFilterValue.LimitExceeded");
    assert_eq!(refusal(&asked(&vec![filter("zone", ZONE); 11])), "InvalidFilterValue.LimitExceeded");
    assert_eq!(refusal(&json!({"Limit": 10})), "UnknownParameter");
}

#[test]
fn true_information_follows_every_sale() {
    let mut cloud = cloud(ZoneInformation::default(), 1);
    cloud.set_stock(&stock(1)).unwrap();
    assert_eq!(status(&mut cloud, 0), "SELL");
    let id = launch(&mut cloud, noon(), "m");
    assert_eq!(status(&mut cloud, 0), "SOLD_OUT");
    cloud.vanish(&id).unwrap();
    assert_eq!(status(&mut cloud, 0), "SELL");
}

#[test]
fn stock_can_be_apart_for_one_way_of_paying() {
    let mut cloud = cloud(ZoneInformation::default(), 1);
    cloud.set_stock_paid_by("SPOTPAID", &stock(0)).unwrap();
    let here = [filter("zone", ZONE), filter("instance-type", TYPE)];
    let told: Vec<(Value, Value)> = offers(&mut cloud, 0, &asked(&here))
        .into_iter()
        .map(|offer| (offer["InstanceChargeType"].clone(), offer["Status"].clone()))
        .collect();
    let expected = [("POSTPAID_BY_HOUR", "SELL"), ("SPOTPAID", "SOLD_OUT"), ("PREPAID", "SELL")];
    assert_eq!(told, expected.map(|(way, status)| (json!(way), json!(status))));
}

#[test]
fn lagging_information_tells_what_was_true() {
    let lag = ZoneInformation { lag: Span::secs(60), ..ZoneInformation::default() };
    let mut cloud = cloud(lag, 1);
    let at = |seconds| noon() + Duration::from_secs(seconds);
    cloud.advance(at(0));
    cloud.set_stock(&stock(0)).unwrap();
    cloud.advance(at(100));
    cloud.set_stock(&stock(9)).unwrap();
    let told = [100, 159, 160, 161].map(|after| status(&mut cloud, after));
    assert_eq!(told, ["SOLD_OUT", "SOLD_OUT", "SELL", "SELL"]);
    cloud.set_stock(&stock(0)).unwrap();
    cloud.advance(at(170));
    cloud.set_stock(&stock(1)).unwrap();
    let told = [219, 221, 229, 231].map(|after| status(&mut cloud, after));
    assert_eq!(told, ["SELL", "SOLD_OUT", "SOLD_OUT", "SELL"]);
}

#[test]
fn lying_information_lies_as_it_is_told_to() {
    for (lie, with_stock, without) in [
        (Lie::Opposite, "SOLD_OUT", "SELL"),
        (Lie::Sell, "SELL", "SELL"),
        (Lie::SoldOut, "SOLD_OUT", "SOLD_OUT"),
        (Lie::Absent, "absent", "absent"),
    ] {
        let mut cloud = cloud(ZoneInformation { lie: Some(lie), ..ZoneInformation::default() }, 1);
        assert_eq!(status(&mut cloud, 0), with_stock, "{lie:?}");
        cloud.set_stock(&stock(0)).unwrap();
        assert_eq!(status(&mut cloud, 0), without, "{lie:?}");
    }
}

#[test]
fn the_seed_says_about_which_offers_it_lies() {
    let half =
        ZoneInformation { lie: Some(Lie::SoldOut), lying_share: Some(0.5), ..ZoneInformation::default() };
    let lies = |seed| -> Vec<bool> {
        let told = offers(&mut cloud(half, seed), 0, &json!({}));
        told.iter().map(|offer| offer["Status"] == "SOLD_OUT").collect()
    };
    assert_eq!(lies(1), lies(1));
    assert_ne!(lies(1), lies(2));
    let share = (0..50).flat_map(lies).filter(|lie| *lie).count();
    assert!((350..550).contains(&share), "{share} of 900");
}

#[tokio::test(start_paused = true)]
async fn the_shipped_client_reads_status_stock_and_price() {
    let (sim, client) = world(quiet_config(), 1);
    sim.with(|cloud| cloud.set_stock(&stock(3))).unwrap();
    let filters = [
        Filter::any("zone", [ZONE, "ap-singapore-3"]),
        Filter::one("instance-type", TYPE),
        Filter::any("instance-charge-type", ["SPOTPAID", "PREPAID"]),
    ];
    let offers = client.describe_zone_instance_config_infos(&filters).await.unwrap();
    let [spot, prepaid, elsewhere, _] = &offers[..] else { panic!("{offers:?}") };
    assert_eq!((spot.zone.as_str(), spot.instance_type.as_str()), (ZONE, TYPE));
    assert_eq!(spot.charge_type.as_deref(), Some("SPOTPAID"));
    assert_eq!((spot.status.clone(), spot.stock.clone()), (Some(OfferStatus::Sell), Some(StockLevel::Under)));
    assert_eq!((spot.hourly_price, spot.hourly_list_price), (Some(0.38), Some(1.27)));
    assert_eq!((spot.cpu, spot.memory_gib, spot.gpus), (Some(8), Some(32), Some(1.0)));
    assert_eq!(prepaid.hourly_price, None, "a month has no hourly price");
    assert_eq!(elsewhere.stock, Some(StockLevel::Enough));

    sim.with(|cloud| cloud.set_stock(&stock(0))).unwrap();
    let offers = client.describe_zone_instance_config_infos(&filters).await.unwrap();
    assert_eq!(offers[0].in_stock(), Some(false));
    assert!(offers[0].sold_out_reason.is_some());
}

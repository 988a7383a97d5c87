//! What the cloud advertises, asked for while somebody has use for it.
//!
//! Comes in: which candidates a pool has to choose from. Goes out: what was said of them, and since when. One
//! question serves all pools of an account that have asked of late. It decides nothing: what an advertisement is
//! worth is the plan's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use tencent_cvm::{Class, Cvm, Error, Filter, Offer};

use crate::core::lock;
use crate::crd::Candidate;
use crate::plan::advertised::{ASK_AGAIN, Advert, Advertised};
use crate::span::later;
use crate::valid::ValidPool;

/// A hint must not keep anybody waiting for longer than this.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the cloud refused to tell (the key may not ask) is asked for again after this.
const REFUSED_PROBE: Duration = Duration::from_secs(300);
/// What nobody has wanted to know for so long is not asked for along with what others want to know.
const WANTED_FOR: Duration = Duration::from_secs(60);
/// And after so long it is forgotten.
const KEPT: Duration = Duration::from_secs(600);
/// The most values that a filter of the cloud takes.
const VALUES: usize = 100;

/// One type in one zone, paid in one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Goods {
    instance_type: String,
    zone: String,
    charge_type: &'static str,
}

#[derive(Debug, Clone)]
struct Known {
    /// When a pool last wanted to know.
    wanted_at: Timestamp,
    /// When the last question was asked.
    asked_at: Timestamp,
    /// Not asked again before.
    again_at: Timestamp,
    /// Whether the last question was answered.
    answered: bool,
    /// What was last said, and since when.
    said: Option<(bool, Timestamp)>,
}

/// What one account's region advertises.
#[derive(Debug, Default)]
pub struct Market {
    known: Mutex<BTreeMap<Goods, Known>>,
    /// Held by whoever asks, so that the others find the answer.
    turn: tokio::sync::Mutex<()>,
}

impl Market {
    /// What was said of the pool's candidates; `None` when some of them were never asked after.
    pub(crate) fn view(&self, pool: &ValidPool) -> Option<Advertised> {
        let known = lock(&self.known);
        let of_pool: Vec<(Goods, &Known)> = goods(pool)
            .into_iter()
            .map(|goods| known.get(&goods).map(|known| (goods, known)))
            .collect::<Option<_>>()?;
        let again_at = of_pool.iter().map(|(_, known)| known.again_at).min()?;
        let asked_at = of_pool.iter().map(|(_, known)| known.asked_at).max()?;
        let advert = |(goods, known): (Goods, &Known)| {
            let (in_stock, since) = known.said.filter(|_| known.answered)?;
            Some(Advert {
                instance_type: goods.instance_type,
                availability_zone: goods.zone,
                in_stock,
                since,
            })
        };
        Some(Advertised { again_at, asked_at, adverts: of_pool.into_iter().filter_map(advert).collect() })
    }

    /// Asks, unless somebody did a moment ago. `now` is the cloud's time. After this [`Market::view`] knows the
    /// pool's candidates, if only that there was no answer.
    pub(crate) async fn ask(&self, cloud: &dyn Cvm, pool: &ValidPool, now: Timestamp) {
        let _turn = self.turn.lock().await;
        if self.view(pool).is_some_and(|view| view.again_at > now) {
            return;
        }
        let wanted = self.wanted(pool, now);
        let filters = filters(&wanted);
        let asked = cloud.describe_zone_instance_config_infos(&filters);
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let pause = match &answer {
            Ok(Err(error)) if is_refused(error) => REFUSED_PROBE,
            _ => ASK_AGAIN,
        };
        match &answer {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::info!(%error, "the cloud does not tell what is in stock: candidates are tried in turn");
            }
            Err(_) => tracing::info!("the cloud does not tell within {PATIENCE:?} what is in stock"),
        }
        self.learn(wanted, answer.ok().and_then(Result::ok).as_deref(), now, later(now, pause));
    }

    /// What is asked for in one question: the pool's own candidates, and those of others that asked of late.
    fn wanted(&self, pool: &ValidPool, now: Timestamp) -> BTreeSet<Goods> {
        let own = goods(pool);
        let mut known = lock(&self.known);
        known.retain(|_, known| later(known.wanted_at, KEPT) > now);
        for goods in &own {
            if let Some(known) = known.get_mut(goods) {
                known.wanted_at = now;
            }
        }
        let lately = known.iter().filter(|(_, known)| later(known.wanted_at, WANTED_FOR) > now);
        let all: BTreeSet<Goods> = lately.map(|(goods, _)| goods).chain(&own).cloned().collect();
        let fits = filters(&all).iter().all(|filter| filter.values.len() <= VALUES);
        if fits { all } else { own }
    }

    fn learn(&self, wanted: BTreeSet<Goods>, offers: Option<&[Offer]>, now: Timestamp, again_at: Timestamp) {
        let mut known = lock(&self.known);
        for goods in wanted {
            let said =
                offers.map(|offers| offers.iter().find(|offer| goods.is(offer)).and_then(Offer::in_stock));
            let new = Known { wanted_at: now, asked_at: now, again_at, answered: false, said: None };
            let entry = known.entry(goods).or_insert(new);
            entry.asked_at = now;
            entry.again_at = again_at;
            entry.answered = said.is_some();
            // Without an answer, what was said before is still what the next answer is compared with.
            if let Some(said) = said {
                let before = entry.said.filter(|(before, _)| Some(*before) == said);
                entry.said = said.map(|said| (said, before.map_or(now, |(_, since)| since)));
            }
        }
    }
}

impl Goods {
    fn is(&self, offer: &Offer) -> bool {
        offer.instance_type == self.instance_type
            && offer.zone == self.zone
            && offer.charge_type.as_deref() == Some(self.charge_type)
    }
}

fn goods(pool: &ValidPool) -> BTreeSet<Goods> {
    let of = |candidate: &Candidate| Goods {
        instance_type: candidate.instance_type.clone(),
        zone: candidate.availability_zone.clone(),
        charge_type: pool.template.charge_type.as_str(),
    };
    pool.candidates.iter().map(of).collect()
}

fn filters(wanted: &BTreeSet<Goods>) -> [Filter; 3] {
    let filter = |name, value: fn(&Goods) -> &str| {
        let values: BTreeSet<&str> = wanted.iter().map(value).collect();
        Filter::any(name, values)
    };
    [
        filter("instance-type", |goods| &goods.instance_type),
        filter("zone", |goods| &goods.zone),
        filter("instance-charge-type", |goods| goods.charge_type),
    ]
}

/// The cloud has answered, and would answer the same if it were asked at once.
fn is_refused(error: &Error) -> bool {
    use Class::{Retry, Throttled, Unknown, Wait};
    error.class().is_some_and(|class| !matches!(class, Retry | Throttled | Unknown | Wait))
}

#[cfg(test)]
mod tests {
    use tencent_cvm::{Action, MockCvm, OfferStatus};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn pool(zones: &[&str]) -> ValidPool {
        let candidate = |zone: &&str| serde_json::json!({"instanceType": "GN7", "availabilityZone": zone, "subnetId": "subnet-1"});
        let spec = serde_json::json!({
            "secretId": "AKIDFAKE", "secretKey": "fakeSecretKey", "region": "ap-singapore", "minimum": 1, "maximum": 1,
            "availabilityZone": "z", "instanceType": "GN7", "subnetId": "subnet-1", "vpcId": "vpc-1",
            "securityGroupIds": ["sg-1"], "imageId": "img-1", "instanceChargeType": "SPOTPAID",
            "candidates": zones.iter().map(candidate).collect::<Vec<_>>(),
        });
        let mut pool = crate::crd::SpotPool::new("pool", serde_json::from_value(spec).unwrap());
        pool.metadata.namespace = Some("default".to_owned());
        pool.metadata.uid = Some("uid".to_owned());
        ValidPool::try_from(&pool).unwrap()
    }

    fn offer(zone: &str, sells: bool) -> Offer {
        Offer {
            zone: zone.to_owned(),
            instance_type: "GN7".to_owned(),
            charge_type: Some("SPOTPAID".to_owned()),
            status: Some(if sells { OfferStatus::Sell } else { OfferStatus::SoldOut }),
            ..Offer::default()
        }
    }

    fn answers(offers: Vec<Offer>) -> MockCvm {
        let mut cloud = MockCvm::new();
        cloud.expect_describe_zone_instance_config_infos().once().returning(move |_| Ok(offers.clone()));
        cloud
    }

    fn refuses(code: &str) -> MockCvm {
        let mut cloud = MockCvm::new();
        let code = code.to_owned();
        cloud.expect_describe_zone_instance_config_infos().once().returning(move |_| {
            Err(Error::Api {
                action: Action::DescribeZoneInstanceConfigInfos,
                class: tencent_cvm::classify(Action::DescribeZoneInstanceConfigInfos, &code),
                code: code.clone(),
                message: String::new(),
                request_id: String::new(),
                retry_after: None,
            })
        });
        cloud
    }

    fn said(market: &Market, pool: &ValidPool) -> Vec<(String, bool, Timestamp)> {
        let adverts = market.view(pool).unwrap().adverts;
        adverts.into_iter().map(|advert| (advert.availability_zone, advert.in_stock, advert.since)).collect()
    }

    #[tokio::test]
    async fn one_question_in_ten_seconds_serves_all_who_asked_of_late() {
        let (market, one, two) = (Market::default(), pool(&["1"]), pool(&["2"]));
        assert_eq!(market.view(&one), None);
        market.ask(&answers(vec![offer("1", true), offer("9", true)]), &one, at(0)).await;
        assert_eq!(said(&market, &one), [("1".to_owned(), true, at(0))]);
        // A mock without expectations panics when it is asked.
        market.ask(&MockCvm::new(), &one, at(9)).await;
        assert_eq!(market.view(&one).unwrap().asked_at, at(0));
        let mut cloud = MockCvm::new();
        cloud
            .expect_describe_zone_instance_config_infos()
            .once()
            .withf(|filters| filters[1].name == "zone" && filters[1].values == ["1", "2"])
            .returning(|_| Ok(vec![offer("1", true), offer("2", false)]));
        market.ask(&cloud, &two, at(11)).await;
        market.ask(&MockCvm::new(), &one, at(12)).await;
        assert_eq!(market.view(&one).unwrap().asked_at, at(11));
        assert_eq!(said(&market, &one), [("1".to_owned(), true, at(0))], "it has said so all the time");
        assert_eq!(said(&market, &two), [("2".to_owned(), false, at(11))]);
    }

    #[tokio::test]
    async fn what_is_said_anew_is_told_from_what_was_said_before() {
        let (market, pool) = (Market::default(), pool(&["1"]));
        for (now, sells, since) in
            [(0, true, 0), (10, false, 10), (20, false, 10), (30, true, 30), (40, true, 30)]
        {
            market.ask(&answers(vec![offer("1", sells)]), &pool, at(now)).await;
            assert_eq!(said(&market, &pool), [("1".to_owned(), sells, at(since))]);
        }
        market.ask(&answers(Vec::new()), &pool, at(50)).await;
        assert_eq!(said(&market, &pool), [], "it is not offered at all");
    }

    #[tokio::test]
    async fn no_answer_is_remembered_as_such_and_changes_nothing_that_was_said() {
        let (market, pool) = (Market::default(), pool(&["1"]));
        market.ask(&answers(vec![offer("1", true)]), &pool, at(0)).await;
        market.ask(&refuses("InternalError"), &pool, at(10)).await;
        let view = market.view(&pool).unwrap();
        assert_eq!((view.adverts, view.again_at), (Vec::new(), at(20)));
        market.ask(&answers(vec![offer("1", true)]), &pool, at(20)).await;
        assert_eq!(said(&market, &pool), [("1".to_owned(), true, at(0))]);
    }

    #[tokio::test]
    async fn a_key_that_may_not_ask_asks_every_five_minutes() {
        let (market, pool) = (Market::default(), pool(&["1"]));
        market.ask(&refuses("UnauthorizedOperation"), &pool, at(0)).await;
        market.ask(&MockCvm::new(), &pool, at(299)).await;
        market.ask(&answers(Vec::new()), &pool, at(300)).await;
    }
}

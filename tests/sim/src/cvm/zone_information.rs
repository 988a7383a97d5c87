//! How true the cloud's advertisements are: what is really in stock, what was some time ago, or a lie.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cloud::Cloud;
use super::settings::Span;

/// Every way of paying for a machine that the stand-in sells.
pub(crate) const CHARGE_TYPES: [&str; 3] = ["POSTPAID_BY_HOUR", "SPOTPAID", "PREPAID"];

/// What DescribeZoneInstanceConfigInfos says, beside what is true. By default it is the truth.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZoneInformation {
    /// How old it is: drawn from the seed once for each (type, zone, way of paying).
    pub lag: Span,
    /// How it lies, if it does.
    pub lie: Option<Lie>,
    /// The share of (type, zone, way of paying) about which it lies, drawn from the seed; 1 when not given.
    pub lying_share: Option<f64>,
}

/// A way of lying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lie {
    /// Sold out what is not, and the other way round.
    Opposite,
    /// Everything is there.
    Sell,
    /// Everything is sold out.
    SoldOut,
    /// It is not in the answer at all.
    Absent,
}

/// (region, zone, type, way of paying)
type Offer = (String, String, String, &'static str);

/// What the stock was before it changed, oldest change first, as far back as advertisements may lag.
#[derive(Debug, Default)]
pub(crate) struct StockChanges(BTreeMap<Offer, VecDeque<(Timestamp, u32)>>);

impl StockChanges {
    fn before(&self, offer: &Offer, at: Timestamp) -> Option<u32> {
        self.0.get(offer)?.iter().find(|(changed, _)| *changed > at).map(|&(_, before)| before)
    }

    fn push(&mut self, offer: Offer, now: Timestamp, before: u32, longest_lag: Duration) {
        let changes = self.0.entry(offer).or_default();
        while changes.front().is_some_and(|&(changed, _)| changed + longest_lag <= now) {
            changes.pop_front();
        }
        changes.push_back((now, before));
    }
}

impl Cloud {
    /// Changes what is left of a type.
    pub(crate) fn change_stock(
        &mut self,
        region: &str,
        zone: &str,
        instance_type: &str,
        charge_type: &str,
        to: impl FnOnce(u32) -> u32,
    ) {
        self.remember_stock(region, zone, instance_type);
        let zone = self.world.regions.get_mut(region).and_then(|place| place.zones.get_mut(zone));
        if let Some(stock) = zone.and_then(|zone| zone.stock_mut(instance_type, charge_type)) {
            *stock = to(*stock);
        }
    }

    /// To be called before the stock changes, so that advertisements can lag behind it.
    pub(crate) fn remember_stock(&mut self, region: &str, zone: &str, instance_type: &str) {
        let longest_lag = self.settings.zone_information.lag.max;
        if longest_lag.is_zero() {
            return;
        }
        let here = self.world.regions.get(region).and_then(|place| place.zones.get(zone));
        for charge_type in CHARGE_TYPES {
            let Some(before) = here.and_then(|zone| zone.stock_of(instance_type, charge_type)) else {
                continue;
            };
            let offer = (region.to_owned(), zone.to_owned(), instance_type.to_owned(), charge_type);
            self.stock_changes.push(offer, self.now, before, longest_lag);
        }
    }

    /// The stock that is advertised for an offer of which there is `truly` so much; `None` when the offer is kept
    /// quiet about.
    pub(crate) fn advertised_stock(
        &self,
        region: &str,
        zone: &str,
        instance_type: &str,
        charge_type: &'static str,
        truly: u32,
    ) -> Option<u32> {
        let information = self.settings.zone_information;
        let draw = |what: &str| drawn(self.seed, [what, region, zone, instance_type, charge_type]);
        let Span { min, max } = information.lag;
        let lag = min + max.saturating_sub(min).mul_f64(draw("lag"));
        let offer = (region.to_owned(), zone.to_owned(), instance_type.to_owned(), charge_type);
        let known = match lag.is_zero() {
            true => truly,
            false => self.stock_changes.before(&offer, self.now - lag).unwrap_or(truly),
        };
        let lies = draw("lie") < information.lying_share.unwrap_or(1.0);
        match information.lie.filter(|_| lies) {
            None => Some(known),
            Some(Lie::Opposite) => Some(if known == 0 { MUCH } else { 0 }),
            Some(Lie::Sell) => Some(known.max(MUCH)),
            Some(Lie::SoldOut) => Some(0),
            Some(Lie::Absent) => None,
        }
    }
}

/// What a lie calls plenty.
const MUCH: u32 = 100;

/// A number in `[0, 1)` that depends on the seed and on what it is drawn for, and on nothing that happened before:
/// drawing it does not change what others draw.
fn drawn(seed: u64, what: [&str; 5]) -> f64 {
    let mut hash = Sha256::new().chain_update(seed.to_le_bytes());
    for part in what {
        hash.update(part);
        hash.update([0]);
    }
    let bytes = hash.finalize();
    let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

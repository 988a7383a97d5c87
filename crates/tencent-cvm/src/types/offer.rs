//! What `DescribeZoneInstanceConfigInfos` gives.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::untrusted::{Bounded, Number};
use super::{Filter, present, short};

/// More than all types in all zones of the largest region.
const MOST_OFFERS: usize = 50_000;
/// An hour of the largest machine costs a few hundred.
const HIGHEST_PRICE: f64 = 1e6;

/// One instance type in one zone, paid in one way, as the cloud advertises it.
///
/// A hint: the cloud may sell what it advertises as sold out, and refuse what it advertises as sold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offer {
    /// The zone, `ap-singapore-2`.
    pub zone: String,
    /// The type, `GN7.2XLARGE32`.
    pub instance_type: String,
    /// `SPOTPAID`, `POSTPAID_BY_HOUR`, `PREPAID`, …
    pub charge_type: Option<String>,
    /// Whether it is sold at the moment.
    pub status: Option<OfferStatus>,
    /// How much of it there is.
    pub stock: Option<StockLevel>,
    /// Why it is sold out, in the cloud's words.
    pub sold_out_reason: Option<String>,
    /// What an hour costs in its first 96 hours, after discounts, in the account's billing currency. `None` for what
    /// is not paid by the hour.
    pub hourly_price: Option<f64>,
    /// The same before discounts.
    pub hourly_list_price: Option<f64>,
    /// vCPU.
    pub cpu: Option<u32>,
    /// GiB.
    pub memory_gib: Option<u32>,
    /// GPUs; less than one where a GPU is shared.
    pub gpus: Option<f64>,
}

impl Offer {
    /// Whether the cloud says that there is some left; `None` when it says nothing that is understood.
    pub fn in_stock(&self) -> Option<bool> {
        match (&self.status, &self.stock) {
            (Some(OfferStatus::SoldOut), _) | (_, Some(StockLevel::Without)) => Some(false),
            (Some(OfferStatus::Sell), _) => Some(true),
            (_, Some(StockLevel::Enough | StockLevel::Normal | StockLevel::Under)) => Some(true),
            _ => None,
        }
    }
}

/// `Status` of an offer.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferStatus {
    /// `SELL`.
    Sell,
    /// `SOLD_OUT`.
    SoldOut,
    /// Any other word, as it was sent.
    Other(String),
}

/// `StatusCategory` of an offer.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockLevel {
    /// `EnoughStock`.
    Enough,
    /// `NormalStock`: supply is assured.
    Normal,
    /// `UnderStock`: nearly sold out.
    Under,
    /// `WithoutStock`: sold out.
    Without,
    /// Any other word, as it was sent.
    Other(String),
}

impl From<&str> for OfferStatus {
    fn from(word: &str) -> Self {
        // Some pages write `Sell`.
        match word {
            word if word.eq_ignore_ascii_case("SELL") => Self::Sell,
            word if word.eq_ignore_ascii_case("SOLD_OUT") => Self::SoldOut,
            word => Self::Other(short(word)),
        }
    }
}

impl From<&str> for StockLevel {
    fn from(word: &str) -> Self {
        match word {
            "EnoughStock" => Self::Enough,
            "NormalStock" => Self::Normal,
            "UnderStock" => Self::Under,
            "WithoutStock" => Self::Without,
            word => Self::Other(short(word)),
        }
    }
}

impl fmt::Display for OfferStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sell => "SELL",
            Self::SoldOut => "SOLD_OUT",
            Self::Other(word) => word,
        })
    }
}

impl fmt::Display for StockLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enough => "EnoughStock",
            Self::Normal => "NormalStock",
            Self::Under => "UnderStock",
            Self::Without => "WithoutStock",
            Self::Other(word) => word,
        })
    }
}

/// The body of a look that takes nothing but filters.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ByFilters<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) filters: &'a [Filter],
}

/// The answer as sent. There are no pages.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireOffers {
    instance_type_quota_set: Option<Bounded<Option<WireOffer>, MOST_OFFERS>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOffer {
    zone: Option<String>,
    instance_type: Option<String>,
    instance_charge_type: Option<String>,
    status: Option<String>,
    status_category: Option<String>,
    sold_out_reason: Option<String>,
    price: Option<WirePrice>,
    #[serde(default)]
    cpu: Number,
    #[serde(default)]
    memory: Number,
    #[serde(default)]
    gpu: Number,
    #[serde(default)]
    gpu_count: Number,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePrice {
    #[serde(default)]
    unit_price: Number,
    #[serde(default)]
    unit_price_discount: Number,
    charge_unit: Option<String>,
}

impl WireOffers {
    /// The offers, in the order sent. An answer without a list says nothing at all, not that nothing is sold.
    pub(crate) fn offers(self) -> Result<Vec<Offer>, String> {
        let sent = self.instance_type_quota_set.ok_or("the answer has no InstanceTypeQuotaSet")?;
        Ok(sent.into_inner().into_iter().flatten().filter_map(WireOffer::offer).collect())
    }
}

impl WireOffer {
    /// `None` for an entry that does not say what it is about.
    fn offer(self) -> Option<Offer> {
        let (zone, instance_type) = (present(self.zone)?, present(self.instance_type)?);
        let price = self.price.as_ref().filter(|price| price.is_hourly());
        let list = price.and_then(|price| price.of(price.unit_price));
        Some(Offer {
            zone,
            instance_type,
            charge_type: present(self.instance_charge_type),
            status: present(self.status).map(|word| OfferStatus::from(word.as_str())),
            stock: present(self.status_category).map(|word| StockLevel::from(word.as_str())),
            sold_out_reason: present(self.sold_out_reason).map(short),
            hourly_price: price.and_then(|price| price.of(price.unit_price_discount)).or(list),
            hourly_list_price: list,
            cpu: self.cpu.whole(),
            memory_gib: self.memory.whole(),
            gpus: self.gpu_count.known().or(self.gpu.known()),
        })
    }
}

impl WirePrice {
    fn is_hourly(&self) -> bool {
        self.charge_unit.as_deref().is_none_or(|unit| unit.is_empty() || unit == "HOUR")
    }

    /// Zero stands for a price that this way of paying does not have.
    fn of(&self, number: Number) -> Option<f64> {
        number.known().filter(|price| *price > 0.0 && *price < HIGHEST_PRICE)
    }
}

//! DescribeZoneInstanceConfigInfos: what is advertised, one entry per (zone, type, way of paying).

use serde::Serialize;

use super::answer::Refusal;
use super::cloud::Cloud;
use super::request::{ByFilters, Filter};
use super::world::InstanceType;
use super::zone_information::CHARGE_TYPES;

const MAX_FILTERS: usize = 10;
const MAX_FILTER_VALUES: usize = 100;
/// Fewer than this are `UnderStock`, fewer than the next `NormalStock`. The cloud publishes no figures.
const UNDER: u32 = 5;
const NORMAL: u32 = 50;
/// A month is charged like so many hours. An assumption.
const HOURS_OF_A_MONTH: f64 = 360.0;

/// What a caller wants to hear about; everything where nothing is said.
#[derive(Default)]
struct Wanted<'a> {
    zones: Option<&'a [String]>,
    families: Option<&'a [String]>,
    types: Option<&'a [String]>,
    charge_types: Option<&'a [String]>,
}

impl<'a> Wanted<'a> {
    fn parse(filters: &'a [Filter]) -> Result<Self, Refusal> {
        let mut wanted = Self::default();
        check_filters(filters)?;
        for Filter { name, values } in filters {
            let place = match name.as_str() {
                "zone" => &mut wanted.zones,
                "instance-family" => &mut wanted.families,
                "instance-type" => &mut wanted.types,
                "instance-charge-type" => &mut wanted.charge_types,
                // The order is the stand-in's own all the same.
                "sort-keys" => continue,
                _ => return Err(no_filter(name)),
            };
            *place = Some(values).filter(|values| !values.is_empty()).map(Vec::as_slice);
        }
        Ok(wanted)
    }

    fn has(wanted: Option<&[String]>, value: &str) -> bool {
        wanted.is_none_or(|wanted| wanted.iter().any(|wanted| wanted == value))
    }
}

/// Not too many of them.
pub(super) fn check_filters(filters: &[Filter]) -> Result<(), Refusal> {
    if filters.len() > MAX_FILTERS {
        let message = format!("at most {MAX_FILTERS} Filters");
        return Err(Refusal::new("InvalidFilterValue.LimitExceeded", message));
    }
    match filters.iter().find(|filter| filter.values.len() > MAX_FILTER_VALUES) {
        None => Ok(()),
        Some(filter) => {
            let message = format!("`{}` has more than {MAX_FILTER_VALUES} values", filter.name);
            Err(Refusal::new("InvalidFilterValue.LimitExceeded", message))
        }
    }
}

pub(super) fn no_filter(name: &str) -> Refusal {
    Refusal::new("InvalidFilter", format!("there is no filter `{name}`"))
}

impl Cloud {
    /// The content of the answer: `"InstanceTypeQuotaSet":[…]`. There are no pages.
    pub(crate) fn offers(&self, region: &str, call: &ByFilters) -> Result<String, Refusal> {
        let wanted = Wanted::parse(call.filters.as_deref().unwrap_or(&[]))?;
        let mut items = Vec::new();
        let zones = self.world.regions.get(region).into_iter().flat_map(|place| &place.zones);
        for (zone, here) in zones.filter(|(zone, _)| Wanted::has(wanted.zones, zone)) {
            for (instance_type, kind) in &self.world.types {
                if !Wanted::has(wanted.types, instance_type)
                    || !Wanted::has(wanted.families, family(instance_type))
                {
                    continue;
                }
                for charge_type in CHARGE_TYPES.iter().filter(|way| Wanted::has(wanted.charge_types, way)) {
                    let truly = here.stock_of(instance_type, charge_type);
                    let stock = truly.and_then(|truly| {
                        self.advertised_stock(region, zone, instance_type, charge_type, truly)
                    });
                    items.extend(stock.map(|stock| Item::of(zone, instance_type, kind, charge_type, stock)));
                }
            }
        }
        // Plain fields with string keys: this cannot fail.
        let items = serde_json::to_string(&items).unwrap_or_default();
        Ok(format!(r#""InstanceTypeQuotaSet":{items}"#))
    }
}

/// `GN7` of `GN7.2XLARGE32`.
fn family(instance_type: &str) -> &str {
    instance_type.split_once('.').map_or(instance_type, |(family, _)| family)
}

/// The fields of the official SDK's model.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Item<'a> {
    zone: &'a str,
    instance_type: &'a str,
    instance_charge_type: &'a str,
    network_card: u32,
    externals: Externals,
    cpu: u32,
    memory: u32,
    instance_family: &'a str,
    type_name: &'a str,
    local_disk_type_list: [(); 0],
    status: &'static str,
    price: Price,
    sold_out_reason: &'static str,
    instance_bandwidth: f64,
    instance_pps: u32,
    storage_block_amount: u32,
    cpu_type: &'static str,
    gpu: u32,
    fpga: u32,
    remark: &'static str,
    gpu_count: f64,
    frequency: &'static str,
    status_category: &'static str,
}

#[derive(Serialize)]
struct Externals {}

/// Hourly ways of paying have unit prices, the monthly one has the others.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Price {
    unit_price: f64,
    unit_price_discount: f64,
    charge_unit: Option<&'static str>,
    original_price: Option<f64>,
    discount_price: Option<f64>,
    /// In hundredths of the price before it.
    discount: f64,
    unit_price_second_step: Option<f64>,
    unit_price_discount_second_step: Option<f64>,
    unit_price_third_step: Option<f64>,
    unit_price_discount_third_step: Option<f64>,
}

impl<'a> Item<'a> {
    fn of(
        zone: &'a str,
        instance_type: &'a str,
        kind: &InstanceType,
        charge_type: &'a str,
        stock: u32,
    ) -> Self {
        let sold_out = stock == 0;
        Self {
            zone,
            instance_type,
            instance_charge_type: charge_type,
            network_card: 0,
            externals: Externals {},
            cpu: kind.cpu,
            memory: kind.memory,
            instance_family: family(instance_type),
            type_name: family(instance_type),
            local_disk_type_list: [],
            status: if sold_out { "SOLD_OUT" } else { "SELL" },
            price: Price::of(kind, charge_type),
            sold_out_reason: if sold_out { "resources are sold out" } else { "" },
            instance_bandwidth: 5.0,
            instance_pps: 140,
            storage_block_amount: 0,
            cpu_type: "Intel Xeon Cascade Lake",
            gpu: kind.gpu,
            fpga: 0,
            remark: "",
            gpu_count: f64::from(kind.gpu),
            frequency: "2.5GHz/3.1GHz",
            status_category: match stock {
                0 => "WithoutStock",
                1..UNDER => "UnderStock",
                UNDER..NORMAL => "NormalStock",
                NORMAL.. => "EnoughStock",
            },
        }
    }
}

impl Price {
    fn of(kind: &InstanceType, charge_type: &str) -> Self {
        let none = Self {
            unit_price: 0.0,
            unit_price_discount: 0.0,
            charge_unit: None,
            original_price: None,
            discount_price: None,
            discount: 100.0,
            unit_price_second_step: None,
            unit_price_discount_second_step: None,
            unit_price_third_step: None,
            unit_price_discount_third_step: None,
        };
        if charge_type == "PREPAID" {
            let month = kind.hourly * HOURS_OF_A_MONTH;
            return Self { original_price: Some(month), discount_price: Some(month), ..none };
        }
        let now = if charge_type == "SPOTPAID" { kind.hourly_spot } else { kind.hourly };
        Self {
            unit_price: kind.hourly,
            unit_price_discount: now,
            charge_unit: Some("HOUR"),
            discount: (100.0 * now / kind.hourly).round(),
            ..none
        }
    }
}

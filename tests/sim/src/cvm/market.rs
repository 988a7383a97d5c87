//! The goods, from outside the API: stock, disks, addresses, quotas and prices come and go.

use serde::{Deserialize, Serialize};

use super::cloud::Cloud;
use super::console::NoSuch;
use super::world::{InstanceType, Zone};

/// The stock of one type in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// The zone.
    pub zone: String,
    /// The type.
    pub instance_type: String,
    /// Machines that can still be bought.
    pub count: u32,
}

impl Cloud {
    /// The stock everywhere.
    pub fn stock(&self) -> Vec<Stock> {
        let zones = self.world.regions.values().flat_map(|region| &region.zones);
        zones
            .flat_map(|(zone, here)| {
                here.stock.iter().map(|(instance_type, &count)| Stock {
                    zone: zone.clone(),
                    instance_type: instance_type.clone(),
                    count,
                })
            })
            .collect()
    }

    /// Sets the stock of a type in a zone.
    ///
    /// # Errors
    /// When the zone or the type does not exist.
    pub fn set_stock(&mut self, stock: &Stock) -> Result<(), NoSuch> {
        self.put_stock(stock, None)
    }

    /// Sets the stock of a type in a zone for one way of paying, such as SPOTPAID. From then on it is apart from
    /// the stock of the others.
    ///
    /// # Errors
    /// When the zone or the type does not exist.
    pub fn set_stock_paid_by(&mut self, charge_type: &str, stock: &Stock) -> Result<(), NoSuch> {
        self.put_stock(stock, Some(charge_type))
    }

    fn put_stock(&mut self, stock: &Stock, charge_type: Option<&str>) -> Result<(), NoSuch> {
        let Stock { zone, instance_type, count } = stock;
        if !self.world.types.contains_key(instance_type) {
            return Err(NoSuch::new("type", instance_type));
        }
        let region = self.world.regions.iter().find(|(_, region)| region.zones.contains_key(zone));
        let region = region.map(|(name, _)| name.clone()).ok_or_else(|| NoSuch::new("zone", zone))?;
        self.remember_stock(&region, zone, instance_type);
        if let Some(zone) = self.world.regions.get_mut(&region).and_then(|place| place.zones.get_mut(zone)) {
            let shelf = match charge_type {
                Some(charge_type) => zone.stock_by_charge.entry(charge_type.to_owned()).or_default(),
                None => &mut zone.stock,
            };
            shelf.insert(instance_type.clone(), *count);
        }
        Ok(())
    }

    /// Sets how many vCPU each account may have as SPOTPAID in a zone.
    ///
    /// # Errors
    /// When the zone does not exist.
    pub fn set_spot_quota(&mut self, zone: &str, vcpu: u32) -> Result<(), NoSuch> {
        self.zone_mut(zone)?.spot_quota = vcpu;
        Ok(())
    }

    /// Sets how many addresses a subnet has left.
    ///
    /// # Errors
    /// When the subnet does not exist.
    pub fn set_free_addresses(&mut self, subnet: &str, free: u32) -> Result<(), NoSuch> {
        let found = self.world.regions.values_mut().find_map(|region| region.subnets.get_mut(subnet));
        found.ok_or_else(|| NoSuch::new("subnet", subnet))?.free = free;
        Ok(())
    }

    /// Whether a type of system disk, such as `CLOUD_BSSD`, is sold out in a zone.
    ///
    /// # Errors
    /// When the zone does not exist.
    pub fn set_disk_sold_out(&mut self, zone: &str, disk_type: &str, sold_out: bool) -> Result<(), NoSuch> {
        let disks = &mut self.zone_mut(zone)?.sold_out_disks;
        if sold_out {
            disks.insert(disk_type.to_owned());
        } else {
            disks.remove(disk_type);
        }
        Ok(())
    }

    /// Sets the hourly prices of a type. What runs goes on at its old price.
    ///
    /// # Errors
    /// When the type does not exist.
    pub fn set_price(&mut self, instance_type: &str, hourly: f64, hourly_spot: f64) -> Result<(), NoSuch> {
        let kind = self.world.types.get_mut(instance_type);
        let kind: &mut InstanceType = kind.ok_or_else(|| NoSuch::new("type", instance_type))?;
        (kind.hourly, kind.hourly_spot) = (hourly, hourly_spot);
        Ok(())
    }

    fn zone_mut(&mut self, zone: &str) -> Result<&mut Zone, NoSuch> {
        let found = self.world.regions.values_mut().find_map(|region| region.zones.get_mut(zone));
        found.ok_or_else(|| NoSuch::new("zone", zone))
    }
}

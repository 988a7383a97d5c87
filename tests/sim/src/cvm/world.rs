//! What exists before the first call: accounts, regions, zones, networks, images, types and their stock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;

use super::settings::Settings;

/// Everything a [`Cloud`](super::Cloud) starts from.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    /// Who may call.
    pub accounts: Vec<Account>,
    /// What they can buy, and where.
    pub world: World,
    /// How the cloud behaves.
    pub settings: Settings,
    /// Where addresses come from.
    pub addresses: Addresses,
}

impl CloudConfig {
    /// The world that the sample SpotPool fits, open to these accounts.
    pub fn new(accounts: Vec<Account>) -> Self {
        Self {
            accounts,
            world: World::sample(),
            settings: Settings::default(),
            addresses: Addresses::default(),
        }
    }
}

/// One customer: its machines are seen and billed together, whoever of its keys is used.
#[derive(Debug, Clone)]
pub struct Account {
    /// A name for the admin API and the ledger.
    pub name: String,
    /// Its key pairs.
    pub credentials: Vec<Credential>,
    /// Without money: nothing more can be bought.
    pub in_arrears: bool,
    /// How many machines it may have in one region.
    pub instance_quota: u32,
}

impl Account {
    /// An account with money and one key pair.
    pub fn new(name: impl Into<String>, credential: Credential) -> Self {
        Self { credentials: vec![credential], ..Self::without_keys(name) }
    }

    pub(crate) fn without_keys(name: impl Into<String>) -> Self {
        Self { name: name.into(), credentials: Vec::new(), in_arrears: false, instance_quota: 500 }
    }
}

/// A key pair, with its session token when it is a temporary one.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `AKID…`.
    pub secret_id: String,
    /// Never printed.
    pub secret_key: String,
    /// The `X-TC-Token` that must come with it.
    pub token: Option<String>,
    /// When it stops being accepted, if it does.
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    /// A permanent key pair.
    pub fn new(secret_id: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { secret_id: secret_id.into(), secret_key: secret_key.into(), token: None, expires_at: None }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("secret_id", &self.secret_id).finish_non_exhaustive()
    }
}

/// A text that is not `ID:KEY[:TOKEN]`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a credential is written SECRET_ID:SECRET_KEY or SECRET_ID:SECRET_KEY:TOKEN")]
pub struct InvalidCredential;

impl FromStr for Credential {
    type Err = InvalidCredential;

    fn from_str(text: &str) -> Result<Self, InvalidCredential> {
        let mut parts = text.splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(id), Some(key), token) if !id.is_empty() && !key.is_empty() => {
                Ok(Self { token: token.map(str::to_owned), ..Self::new(id, key) })
            }
            _ => Err(InvalidCredential),
        }
    }
}

/// The two /16 networks that machines get their addresses from.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// Where the public network is entered: its first two bytes stay, the third is where counting begins.
    pub public: Ipv4Addr,
    /// The same for the private network.
    pub private: Ipv4Addr,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { public: Ipv4Addr::new(43, 134, 0, 0), private: Ipv4Addr::new(10, 0, 0, 0) }
    }
}

/// The `n`th usable address of a /16 from its third byte on: the last two bytes are never 0 or 255. Wraps
/// after 64,000.
pub(crate) fn nth_address(network: Ipv4Addr, n: u64) -> Ipv4Addr {
    let [a, b, c, _] = network.octets();
    let n = (u64::from(c) * 254 + n) % (254 * 254);
    let byte = |value: u64| u8::try_from(value).unwrap_or(1);
    Ipv4Addr::new(a, b, byte(1 + n / 254), byte(1 + n % 254))
}

/// Places and goods.
#[derive(Debug, Clone, Serialize)]
pub struct World {
    /// By name, `ap-singapore`.
    pub regions: BTreeMap<String, Region>,
    /// By name, `GN7.2XLARGE32`.
    pub types: BTreeMap<String, InstanceType>,
}

/// One region.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Region {
    /// By name, `ap-singapore-2`.
    pub zones: BTreeMap<String, Zone>,
    /// By id, `subnet-…`.
    pub subnets: BTreeMap<String, Subnet>,
    /// Ids, `sg-…`.
    pub security_groups: BTreeSet<String>,
    /// Ids, `img-…`.
    pub images: BTreeSet<String>,
    /// Ids, `skey-…`.
    pub key_pairs: BTreeSet<String>,
}

/// One zone.
#[derive(Debug, Clone, Serialize)]
pub struct Zone {
    /// The subnet that DEFAULT stands for.
    pub default_subnet: String,
    /// Machines that can still be bought, by type. A type that is not named is not sold here.
    pub stock: BTreeMap<String, u32>,
    /// By `InstanceChargeType`, then by type: where it says something, it stands instead of `stock`.
    pub stock_by_charge: BTreeMap<String, BTreeMap<String, u32>>,
    /// Types of system disks, `CLOUD_BSSD`, that cannot be had at the moment.
    pub sold_out_disks: BTreeSet<String>,
    /// How many vCPU one account may have as SPOTPAID here.
    pub spot_quota: u32,
}

impl Zone {
    /// Machines of a type that can still be bought when they are paid in this way; `None` when the type is not
    /// sold here.
    pub fn stock_of(&self, instance_type: &str, charge_type: &str) -> Option<u32> {
        let own = self.stock_by_charge.get(charge_type).and_then(|stock| stock.get(instance_type));
        own.or_else(|| self.stock.get(instance_type)).copied()
    }

    pub(crate) fn stock_mut(&mut self, instance_type: &str, charge_type: &str) -> Option<&mut u32> {
        let own = self.stock_by_charge.get_mut(charge_type).and_then(|stock| stock.get_mut(instance_type));
        own.or_else(|| self.stock.get_mut(instance_type))
    }
}

/// One subnet.
#[derive(Debug, Clone, Serialize)]
pub struct Subnet {
    /// The network it is part of.
    pub vpc: String,
    /// The zone it lies in.
    pub zone: String,
    /// Addresses left.
    pub free: u32,
}

/// A kind of machine.
#[derive(Debug, Clone, Serialize)]
pub struct InstanceType {
    /// vCPU.
    pub cpu: u32,
    /// GiB.
    pub memory: u32,
    /// GPUs.
    pub gpu: u32,
    /// Price of an hour as `POSTPAID_BY_HOUR`.
    pub hourly: f64,
    /// Price of an hour as SPOTPAID.
    pub hourly_spot: f64,
}

impl World {
    /// The world of the sample manifest: ap-singapore with zones -2 and -3, and one region more, so that
    /// regions can be told apart.
    pub fn sample() -> Self {
        let singapore = Region::singapore(&[
            ("ap-singapore-2", "vpc-86f66zht", "subnet-gfrv79s2"),
            ("ap-singapore-3", "vpc-86f66zht", "subnet-h4kq21mz"),
        ]);
        let guangzhou = Region::new(
            &[
                ("ap-guangzhou-6", "vpc-k2w9f0qa", "subnet-t7c3m5xe"),
                ("ap-guangzhou-7", "vpc-k2w9f0qa", "subnet-z1n8b4ru"),
            ],
            "sg-m3x8ktzq",
            "img-9qrfy1xt",
            "skey-2w7d9kfa",
        );
        let kind =
            |cpu, memory, gpu, hourly, hourly_spot| InstanceType { cpu, memory, gpu, hourly, hourly_spot };
        let types = [
            ("GN7.2XLARGE32", kind(8, 32, 1, 1.27, 0.38)),
            ("GN7.5XLARGE80", kind(20, 80, 1, 2.11, 0.63)),
            ("PNV4.7XLARGE116", kind(28, 116, 1, 3.36, 1.01)),
            ("S5.MEDIUM2", kind(2, 2, 0, 0.06, 0.02)),
        ];
        Self {
            regions: [("ap-singapore", singapore), ("ap-guangzhou", guangzhou)]
                .into_iter()
                .map(|(name, region)| (name.to_owned(), region))
                .collect(),
            types: types.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect(),
        }
    }
}

impl World {
    /// The sample's world grown to 24 candidates: ap-singapore has six zones, each of which sells four types with
    /// GPUs, 40 machines of each.
    pub fn wide() -> Self {
        let mut world = Self::sample();
        let v100 = InstanceType { cpu: 10, memory: 40, gpu: 1, hourly: 3.01, hourly_spot: 0.9 };
        world.types.insert("GN10X.2XLARGE40".to_owned(), v100);
        let mut singapore = Region::singapore(&[
            ("ap-singapore-1", "vpc-86f66zht", "subnet-a1zone01"),
            ("ap-singapore-2", "vpc-86f66zht", "subnet-gfrv79s2"),
            ("ap-singapore-3", "vpc-86f66zht", "subnet-h4kq21mz"),
            ("ap-singapore-4", "vpc-86f66zht", "subnet-a4zone04"),
            ("ap-singapore-5", "vpc-86f66zht", "subnet-a5zone05"),
            ("ap-singapore-6", "vpc-86f66zht", "subnet-a6zone06"),
        ]);
        for zone in singapore.zones.values_mut() {
            let with_gpu = world.types.iter().filter(|(_, kind)| kind.gpu > 0);
            zone.stock.extend(with_gpu.map(|(name, _)| (name.clone(), 40)));
        }
        world.regions.insert("ap-singapore".to_owned(), singapore);
        world
    }
}

impl Region {
    fn singapore(zones: &[(&str, &str, &str)]) -> Self {
        Self::new(zones, "sg-aglabemo", "img-5gn3j31i", "skey-5p8q1xvd")
    }

    /// Zones given as (zone, vpc, subnet), each with stock for 200 machines of the sample's type and a
    /// quota for as many; a second VPC so that mismatches can be made.
    fn new(zones: &[(&str, &str, &str)], security_group: &str, image: &str, key_pair: &str) -> Self {
        let stock = [("GN7.2XLARGE32", 200), ("GN7.5XLARGE80", 40), ("S5.MEDIUM2", 500)];
        let mut region = Self {
            security_groups: [security_group.to_owned(), "sg-default1".to_owned()].into(),
            images: [image.to_owned(), "img-eb30mz89".to_owned()].into(),
            key_pairs: [key_pair.to_owned()].into(),
            ..Self::default()
        };
        for &(zone, vpc, subnet) in zones {
            let stock = stock.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
            let here = Zone {
                default_subnet: subnet.to_owned(),
                stock,
                stock_by_charge: BTreeMap::new(),
                sold_out_disks: BTreeSet::new(),
                spot_quota: 1600,
            };
            region.zones.insert(zone.to_owned(), here);
            let subnet_here = Subnet { vpc: vpc.to_owned(), zone: zone.to_owned(), free: 4000 };
            region.subnets.insert(subnet.to_owned(), subnet_here);
        }
        if let Some(&(zone, ..)) = zones.first() {
            let other = Subnet { vpc: "vpc-other001".to_owned(), zone: zone.to_owned(), free: 250 };
            region.subnets.insert("subnet-other001".to_owned(), other);
        }
        region
    }
}

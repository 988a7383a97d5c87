//! The checks on a RunInstances that need no knowledge of stock, quota or money.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::answer::Refusal;
use super::request::{RunInstances, TagSpecification, VirtualPrivateCloud};
use super::world::{InstanceType, Region};

type Types = BTreeMap<String, InstanceType>;

const MAX_COUNT: i64 = 100;
const MAX_NAME_BYTES: usize = 60;
const MAX_USER_DATA_BYTES: usize = 16 << 10;
const MAX_SECURITY_GROUPS: usize = 5;
const MAX_TAGS: usize = 50;

/// A request that passed every check but those on stock, quota and money.
pub(crate) struct Order {
    pub(crate) count: u32,
    pub(crate) zone: String,
    pub(crate) instance_type: String,
    pub(crate) kind: InstanceType,
    pub(crate) charge_type: String,
    pub(crate) image: String,
    pub(crate) vpc: String,
    pub(crate) subnet: String,
    pub(crate) security_groups: Vec<String>,
    pub(crate) key_ids: Vec<String>,
    pub(crate) name: String,
    pub(crate) project_id: u64,
    pub(crate) disk_type: String,
    pub(crate) disk_size: u32,
    pub(crate) bandwidth: u32,
    pub(crate) public: bool,
    pub(crate) tags: Vec<(String, String)>,
}

fn required<'a>(value: Option<&'a String>, parameter: &str) -> Result<&'a str, Refusal> {
    match value.map(String::as_str) {
        None | Some("") => Err(Refusal::missing(parameter)),
        Some(value) => Ok(value),
    }
}

/// Whether an id is of the shape `<prefix>` and at least 6 letters or digits.
fn well_formed(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() >= 6 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

impl Order {
    pub(crate) fn check(call: &RunInstances, region: &Region, types: &Types) -> Result<Self, Refusal> {
        let placement = call.placement.as_ref().ok_or_else(|| Refusal::missing("Placement"))?;
        let zone = required(placement.zone.as_ref(), "Placement.Zone")?;
        let image = required(call.image_id.as_ref(), "ImageId")?;
        let instance_type = required(call.instance_type.as_ref(), "InstanceType")?;
        let Some(zone_here) = region.zones.get(zone) else {
            return Err(Refusal::new(
                "InvalidZone.MismatchRegion",
                format!("there is no zone `{zone}` in the region"),
            ));
        };
        let kind = types.get(instance_type).ok_or_else(|| {
            Refusal::new(
                "InvalidParameterValue.InstanceTypeNotFound",
                format!("there is no type `{instance_type}`"),
            )
        })?;
        if !zone_here.stock.contains_key(instance_type) {
            let message = format!("`{instance_type}` is not sold in `{zone}`");
            return Err(Refusal::new("ResourceUnavailable.InstanceType", message));
        }
        if !region.images.contains(image) {
            let code = if well_formed(image, "img-") {
                "InvalidImageId.NotFound"
            } else {
                "InvalidImageId.Malformed"
            };
            return Err(Refusal::new(code, format!("there is no image `{image}`")));
        }
        let charge_type = call.instance_charge_type.as_deref().unwrap_or("POSTPAID_BY_HOUR");
        check_charge_type(call, charge_type, kind)?;
        let (vpc, subnet) =
            network(call.virtual_private_cloud.as_ref(), region, zone, &zone_here.default_subnet)?;
        check_user_data(call)?;
        let (bandwidth, public) = internet(call)?;
        let disk = call.system_disk.as_ref();
        Ok(Self {
            count: count(call)?,
            zone: zone.to_owned(),
            instance_type: instance_type.to_owned(),
            kind: kind.clone(),
            charge_type: charge_type.to_owned(),
            image: image.to_owned(),
            vpc,
            subnet,
            security_groups: security_groups(call, region)?,
            key_ids: login(call, region)?,
            name: name(call)?,
            project_id: placement.project_id.unwrap_or(0),
            disk_type: disk_type(disk.and_then(|disk| disk.disk_type.as_deref()))?,
            disk_size: disk_size(disk.and_then(|disk| disk.disk_size))?,
            bandwidth,
            public,
            tags: tags(call.tag_specification.as_deref().unwrap_or(&[]))?,
        })
    }

    pub(crate) fn spot(&self) -> bool {
        self.charge_type == "SPOTPAID"
    }
}

fn count(call: &RunInstances) -> Result<u32, Refusal> {
    if call.min_count.is_some() {
        return Err(Refusal::new(
            "UnsupportedOperation.MinCountUnsupportedRegion",
            "this region delivers all of InstanceCount or nothing",
        ));
    }
    let count = call.instance_count.unwrap_or(1);
    if !(1..=MAX_COUNT).contains(&count) {
        let message = format!("InstanceCount is 1 to {MAX_COUNT}");
        return Err(Refusal::new("InvalidParameterValue.Range", message));
    }
    Ok(u32::try_from(count).unwrap_or(1))
}

fn name(call: &RunInstances) -> Result<String, Refusal> {
    let name = call.instance_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("未命名");
    if name.len() > MAX_NAME_BYTES {
        let message = format!("InstanceName is at most {MAX_NAME_BYTES} bytes");
        return Err(Refusal::new("InvalidInstanceName.TooLong", message));
    }
    Ok(name.to_owned())
}

/// What `SystemDisk.DiskType` may be.
const DISK_TYPES: [&str; 8] = [
    "LOCAL_BASIC",
    "LOCAL_SSD",
    "CLOUD_BASIC",
    "CLOUD_SSD",
    "CLOUD_PREMIUM",
    "CLOUD_BSSD",
    "CLOUD_HSSD",
    "CLOUD_TSSD",
];

fn disk_type(asked: Option<&str>) -> Result<String, Refusal> {
    let asked = asked.unwrap_or("CLOUD_PREMIUM");
    if DISK_TYPES.contains(&asked) {
        Ok(asked.to_owned())
    } else {
        // The code says no more than that; users report it with this message.
        Err(Refusal::new("InvalidParameter", "CVM not support the required disk"))
    }
}

fn disk_size(asked: Option<i64>) -> Result<u32, Refusal> {
    match asked.unwrap_or(50) {
        size @ 20..=2048 => Ok(u32::try_from(size).unwrap_or(50)),
        _ => Err(Refusal::new("InvalidParameterValue.Range", "SystemDisk.DiskSize is 20 to 2048")),
    }
}

fn check_charge_type(call: &RunInstances, charge_type: &str, kind: &InstanceType) -> Result<(), Refusal> {
    match charge_type {
        "POSTPAID_BY_HOUR" => Ok(()),
        "PREPAID" if call.instance_charge_prepaid.is_none() => Err(Refusal::missing("InstanceChargePrepaid")),
        "PREPAID" => Ok(()),
        "SPOTPAID" => {
            let options =
                call.instance_market_options.as_ref().and_then(|options| options.spot_options.as_ref());
            let Some(price) = options.and_then(|options| options.max_price.as_deref()) else { return Ok(()) };
            let price: f64 = price.parse().map_err(|_| {
                Refusal::new("InvalidParameterValue", "SpotOptions.MaxPrice is a decimal number in a string")
            })?;
            if price < kind.hourly_spot {
                return Err(Refusal::new(
                    "InvalidParameterValue.InsufficientPrice",
                    "the bid is below the price",
                ));
            }
            Ok(())
        }
        _ => Err(Refusal::new(
            "InvalidParameterValue",
            format!("`{charge_type}` is not an InstanceChargeType"),
        )),
    }
}

/// (vpc, subnet); DEFAULT and nothing at all both mean the zone's default network.
fn network(
    asked: Option<&VirtualPrivateCloud>,
    region: &Region,
    zone: &str,
    default_subnet: &str,
) -> Result<(String, String), Refusal> {
    let part = |value: Option<&String>| {
        value.map(String::as_str).filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let vpc = part(asked.and_then(|asked| asked.vpc_id.as_ref())).unwrap_or_else(|| "DEFAULT".to_owned());
    let subnet =
        part(asked.and_then(|asked| asked.subnet_id.as_ref())).unwrap_or_else(|| "DEFAULT".to_owned());
    if (vpc == "DEFAULT") != (subnet == "DEFAULT") {
        return Err(Refusal::new(
            "InvalidParameterValue.VpcIdSubnetIdNotMatch",
            "VpcId and SubnetId are both DEFAULT or neither is",
        ));
    }
    let subnet = if subnet == "DEFAULT" { default_subnet.to_owned() } else { subnet };
    let Some(found) = region.subnets.get(&subnet) else {
        let code = if well_formed(&subnet, "subnet-") { "SubnetNotExist" } else { "SubnetIdMalformed" };
        return Err(Refusal::new(
            format!("InvalidParameterValue.{code}"),
            format!("there is no subnet `{subnet}`"),
        ));
    };
    if vpc != "DEFAULT" && vpc != found.vpc {
        let code = if !well_formed(&vpc, "vpc-") {
            "VpcIdMalformed"
        } else if region.subnets.values().any(|subnet| subnet.vpc == vpc) {
            "VpcIdSubnetIdNotMatch"
        } else {
            "VpcIdNotExist"
        };
        let message = format!("`{subnet}` is not a subnet of `{vpc}`");
        return Err(Refusal::new(format!("InvalidParameterValue.{code}"), message));
    }
    if found.zone != zone {
        let message = format!("`{subnet}` is not in `{zone}`");
        return Err(Refusal::new("InvalidParameterValue.SubnetIdZoneIdNotMatch", message));
    }
    Ok((found.vpc.clone(), subnet))
}

fn security_groups(call: &RunInstances, region: &Region) -> Result<Vec<String>, Refusal> {
    let groups = call.security_group_ids.clone().unwrap_or_default();
    if groups.len() > MAX_SECURITY_GROUPS {
        let message = format!("at most {MAX_SECURITY_GROUPS} security groups");
        return Err(Refusal::new("LimitExceeded.AssociateUSGLimitExceeded", message));
    }
    match groups.iter().find(|group| !region.security_groups.contains(*group)) {
        None => Ok(groups),
        Some(group) => {
            let code = if well_formed(group, "sg-") {
                "InvalidSecurityGroupId.NotFound"
            } else {
                "InvalidSgId.Malformed"
            };
            Err(Refusal::new(code, format!("there is no security group `{group}`")))
        }
    }
}

/// The keys. A password and keys exclude each other, and so does either with the image's own login.
fn login(call: &RunInstances, region: &Region) -> Result<Vec<String>, Refusal> {
    let Some(login) = &call.login_settings else { return Ok(Vec::new()) };
    let keys = login.key_ids.clone().unwrap_or_default();
    let ways = [
        login.password.as_deref().is_some_and(|password| !password.is_empty()),
        !keys.is_empty(),
        login.keep_image_login.as_deref().is_some_and(|keep| keep.eq_ignore_ascii_case("true")),
    ];
    if ways.iter().filter(|way| **way).count() > 1 {
        return Err(Refusal::new(
            "InvalidParameter.ParameterConflict",
            "Password, KeyIds and KeepImageLogin exclude each other",
        ));
    }
    match keys.iter().find(|key| !region.key_pairs.contains(*key)) {
        None => Ok(keys),
        Some(key) if well_formed(key, "skey-") => Err(Refusal::new(
            "InvalidParameterValue.KeyPairNotFound",
            format!("there is no key pair `{key}`"),
        )),
        Some(key) => {
            Err(Refusal::new("InvalidKeyPairId.Malformed", format!("`{key}` is not a key pair's id")))
        }
    }
}

fn check_user_data(call: &RunInstances) -> Result<(), Refusal> {
    let Some(text) = call.user_data.as_deref().filter(|text| !text.is_empty()) else { return Ok(()) };
    if BASE64_STANDARD.decode(text).is_err() {
        return Err(Refusal::new("InvalidParameterValue.InvalidUserDataFormat", "UserData is base64"));
    }
    if text.len() > MAX_USER_DATA_BYTES {
        return Err(Refusal::new("InvalidParameterValue.TooLarge", "UserData is at most 16 KB"));
    }
    Ok(())
}

/// (Mbit/s, whether the machine gets a public address).
fn internet(call: &RunInstances) -> Result<(u32, bool), Refusal> {
    let Some(asked) = &call.internet_accessible else { return Ok((0, false)) };
    let bandwidth = asked.internet_max_bandwidth_out.unwrap_or(0);
    if !(0..=200).contains(&bandwidth) {
        return Err(Refusal::new("InvalidParameterValue.Range", "InternetMaxBandwidthOut is 0 to 200"));
    }
    if asked.public_ip_assigned == Some(true) && bandwidth == 0 {
        return Err(Refusal::new("InvalidParameterCombination", "a public address needs bandwidth above 0"));
    }
    let public = bandwidth > 0 && asked.public_ip_assigned.unwrap_or(true);
    Ok((u32::try_from(bandwidth).unwrap_or(0), public))
}

fn tags(specifications: &[TagSpecification]) -> Result<Vec<(String, String)>, Refusal> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for specification in specifications {
        if !["instance", "keypair", "volume"].contains(&specification.resource_type.as_str()) {
            let message = format!("`{}` cannot be tagged", specification.resource_type);
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        for tag in specification.tags.iter().filter(|_| specification.resource_type == "instance") {
            if tag.key.is_empty() || tag.key.chars().count() > 127 {
                return Err(Refusal::new(
                    "FailedOperation.IllegalTagKey",
                    "a tag's key has 1 to 127 characters",
                ));
            }
            if tag.key.starts_with("qcs:") || tag.key.starts_with("project") {
                let message = format!("`{}` is reserved", tag.key);
                return Err(Refusal::new("FailedOperation.TagKeyReserved", message));
            }
            if tag.value.chars().count() > 255 {
                return Err(Refusal::new(
                    "FailedOperation.IllegalTagValue",
                    "a tag's value has at most 255 characters",
                ));
            }
            if tags.iter().any(|(key, _)| *key == tag.key) {
                let message = format!("`{}` is there twice", tag.key);
                return Err(Refusal::new("InvalidParameterValue.DuplicateTags", message));
            }
            tags.push((tag.key.clone(), tag.value.clone()));
        }
    }
    if tags.len() > MAX_TAGS {
        let message = format!("at most {MAX_TAGS} tags");
        return Err(Refusal::new("InvalidParameterValue.TagQuotaLimitExceeded", message));
    }
    Ok(tags)
}

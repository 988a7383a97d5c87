//! A pool, parsed once and trusted after. Comes in: a `SpotPool` as the API server holds it. Goes out:
//! sizes, template, probe and where the credentials are, or a sentence on what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use kube::ResourceExt;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::crd::pool::{AddressKind, INTERVAL_RULE, STARTUP_TIMEOUT_RULE};
use crate::crd::{ADOPT_ANNOTATION, Candidate, ChargeType, KEEP_MACHINES_ANNOTATION, SpotPool};
use crate::ports::PoolKey;

/// Version of [`Template::hash`]. A change of the way the hash is made raises it, so that machines made
/// under an old version are recomputed and never taken for drifted.
pub const TEMPLATE_HASH_VERSION: i32 = 1;

/// A pool whose spec makes sense.
#[derive(Debug, Clone)]
pub struct ValidPool {
    /// Namespace and name.
    pub key: PoolKey,
    /// Its uid.
    pub uid: String,
    /// Generation of the spec.
    pub generation: i64,
    /// Whether it is being deleted.
    pub leaving: bool,
    /// Machines are launched up to this: what `spec.replicas` asks for within minimum and maximum, or the minimum.
    pub least: usize,
    /// Machines are terminated down to this, and never more are held: what `spec.replicas` asks for, or the maximum.
    pub most: usize,
    /// Nothing is launched and nothing terminated.
    pub paused: bool,
    /// Its machines live on when it is deleted.
    pub keeps_machines: bool,
    /// Machines that somebody wants it to take over.
    pub adopt: BTreeSet<String>,
    /// SpotInstances ever numbered.
    pub launched: i64,
    /// Region of the machines.
    pub region: String,
    /// Where the API key is.
    pub credentials: CredentialsSource,
    /// What to ask for where, the most wanted first; at least one.
    pub candidates: Vec<Candidate>,
    /// What the machines are made from, wherever they are made.
    pub template: Template,
    /// How the model server is asked.
    pub probe: Probe,
}

/// Where the API key is.
#[derive(Clone)]
pub enum CredentialsSource {
    /// In the spec.
    Inline {
        /// SecretId.
        id: String,
        /// SecretKey.
        key: SecretString,
    },
    /// In a Secret of the pool's namespace.
    Secret {
        /// Its name.
        name: String,
    },
}

impl std::fmt::Debug for CredentialsSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline { .. } => f.write_str("Inline"),
            Self::Secret { name } => write!(f, "Secret({name})"),
        }
    }
}

/// What a machine is made from: everything of the spec that RunInstances is told, but for the candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// VPC of the subnet.
    pub vpc_id: String,
    /// Security groups.
    pub security_group_ids: Vec<String>,
    /// Image.
    pub image_id: String,
    /// How it is paid for.
    pub charge_type: ChargeType,
    /// SSH keys.
    pub key_ids: Vec<String>,
    /// Disk type.
    pub disk_type: String,
    /// Disk size in GiB.
    pub disk_gib: u32,
    /// Public bandwidth in Mbit/s, 0 for no public address.
    pub bandwidth_mbps: u32,
    /// Script for the first boot.
    pub user_data: Option<String>,
    /// The user's own tags.
    pub tags: BTreeMap<String, String>,
}

impl Template {
    /// 16 hex digits that change when the template does.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            // Length first, so that no two different templates give the same bytes.
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        };
        field(&self.vpc_id);
        field(&self.security_group_ids.len().to_string());
        self.security_group_ids.iter().for_each(|id| field(id));
        field(&self.image_id);
        field(self.charge_type.as_str());
        field(&self.key_ids.len().to_string());
        self.key_ids.iter().for_each(|id| field(id));
        field(&self.disk_type);
        field(&self.disk_gib.to_string());
        field(&self.bandwidth_mbps.to_string());
        field(self.user_data.as_deref().unwrap_or(""));
        for (key, value) in &self.tags {
            field(key);
            field(value);
        }
        hex(&hash.finalize()[..8])
    }
}

/// How the model server is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// TCP port.
    pub port: u16,
    /// Path.
    pub path: String,
    /// From one question to the next.
    pub interval: Duration,
    /// So many failed answers in a row take a machine out of service.
    pub threshold: u32,
    /// From a machine's launch to its first answer.
    pub startup_timeout: Duration,
    /// Which address; `None`: public if there is one.
    pub address: Option<AddressKind>,
}

/// Why a spec makes no sense in spite of the API server's rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPool(pub String);

impl TryFrom<&SpotPool> for ValidPool {
    type Error = InvalidPool;

    fn try_from(pool: &SpotPool) -> Result<Self, InvalidPool> {
        let spec = &pool.spec;
        let (Some(namespace), Some(uid)) = (pool.namespace(), pool.uid()) else {
            return Err(InvalidPool("metadata has no namespace or no uid".to_owned()));
        };
        let minimum = size("spec.minimum", spec.minimum)?;
        let maximum = size("spec.maximum", spec.maximum)?;
        if minimum > maximum {
            return Err(InvalidPool("spec.minimum must not be greater than spec.maximum".to_owned()));
        }
        let replicas = spec.replicas.map(|replicas| size("spec.replicas", replicas)).transpose()?;
        let held = replicas.map(|replicas| replicas.clamp(minimum, maximum));
        let keeps = pool.annotations().get(KEEP_MACHINES_ANNOTATION).is_some_and(|value| value == "true");
        Ok(Self {
            key: PoolKey::new(namespace, pool.name_any()),
            uid,
            generation: pool.metadata.generation.unwrap_or(0),
            leaving: pool.metadata.deletion_timestamp.is_some(),
            least: held.unwrap_or(minimum),
            most: held.unwrap_or(maximum),
            paused: spec.paused,
            keeps_machines: keeps,
            adopt: adopt(pool),
            launched: pool.status.as_ref().map_or(0, |status| status.launched),
            region: spec.region.clone(),
            credentials: CredentialsSource::of(pool)?,
            candidates: candidates(pool)?,
            template: Template::of(pool),
            probe: Probe {
                port: spec.health.port,
                path: spec.health.path.clone(),
                interval: interval(&spec.health.interval)?,
                threshold: spec.health.failure_threshold.max(1),
                startup_timeout: startup_timeout(&spec.health.startup_timeout)?,
                address: spec.network.address,
            },
        })
    }
}

impl CredentialsSource {
    fn of(pool: &SpotPool) -> Result<Self, InvalidPool> {
        let spec = &pool.spec;
        match (&spec.credentials_secret_ref, &spec.secret_id, &spec.secret_key) {
            (Some(reference), None, None) => Ok(Self::Secret { name: reference.name.clone() }),
            (None, Some(id), Some(key)) => {
                Ok(Self::Inline { id: id.clone(), key: SecretString::from(key.clone()) })
            }
            _ => Err(InvalidPool(
                "give exactly one kind of credentials: spec.credentialsSecretRef, or both spec.secretId and \
                 spec.secretKey"
                    .to_owned(),
            )),
        }
    }
}

impl Template {
    fn of(pool: &SpotPool) -> Self {
        let spec = &pool.spec;
        Self {
            vpc_id: spec.vpc_id.clone(),
            security_group_ids: spec.security_group_ids.clone(),
            image_id: spec.image_id.clone(),
            charge_type: spec.instance_charge_type,
            key_ids: spec.instance.key_ids.clone(),
            disk_type: spec.instance.system_disk.disk_type.clone(),
            disk_gib: spec.instance.system_disk.size_gib,
            bandwidth_mbps: spec.instance.public_bandwidth_mbps,
            user_data: spec.instance.user_data.clone(),
            tags: spec.instance.tags.clone(),
        }
    }
}

fn adopt(pool: &SpotPool) -> BTreeSet<String> {
    let ids = pool.annotations().get(ADOPT_ANNOTATION).map_or("", String::as_str).split(',');
    ids.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
}

fn candidates(pool: &SpotPool) -> Result<Vec<Candidate>, InvalidPool> {
    let spec = &pool.spec;
    let given = spec.candidates.clone().unwrap_or_else(|| {
        vec![Candidate {
            instance_type: spec.instance_type.clone(),
            availability_zone: spec.availability_zone.clone(),
            subnet_id: spec.subnet_id.clone(),
        }]
    });
    if given.is_empty() {
        return Err(InvalidPool(
            "spec.candidates must name at least one candidate, or be left out".to_owned(),
        ));
    }
    Ok(given)
}

fn size(field: &str, value: i32) -> Result<usize, InvalidPool> {
    usize::try_from(value).map_err(|_| InvalidPool(format!("{field} must not be negative")))
}

/// `5s`, `1m30s`, `500ms`; the API server refuses the rest with the same words.
fn interval(text: &str) -> Result<Duration, InvalidPool> {
    duration(text, Duration::from_millis(100)..=Duration::from_secs(3600), INTERVAL_RULE)
}

fn startup_timeout(text: &str) -> Result<Duration, InvalidPool> {
    duration(text, Duration::from_secs(10)..=Duration::from_secs(24 * 3600), STARTUP_TIMEOUT_RULE)
}

fn duration(text: &str, sensible: RangeInclusive<Duration>, rule: &str) -> Result<Duration, InvalidPool> {
    let wrong = || InvalidPool(format!("{rule}, not {text:?}"));
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return Err(wrong()),
        };
        total = total.saturating_add(unit.saturating_mul(number));
        rest = &rest[letters..];
    }
    if sensible.contains(&total) { Ok(total) } else { Err(wrong()) }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_as_people_write_them() {
        for (text, millis) in
            [("5s", 5000), ("500ms", 500), ("1m30s", 90_000), ("100ms", 100), ("60m", 3_600_000)]
        {
            assert_eq!(interval(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "5x", "-1s", "0s", "5 s", "2h"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}

//! Who a machine belongs to: its name, its tags, its request, and whether a machine that is seen is the one
//! that a SpotInstance made. Pure.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use sha2::{Digest, Sha256};
use tencent_cvm::{AppId, Instance, RunInstances, SecretId, Tag};

use crate::crd::{Attempt, Candidate, SpotInstance};
use crate::ports::PoolKey;
use crate::valid::{ValidPool, hex};

/// Tag: the cluster whose operator made the machine. Sweeps filter by it.
pub const CLUSTER_TAG: &str = "demo.aiops.org/cluster";
/// Tag: uid of the pool.
pub const POOL_TAG: &str = "demo.aiops.org/pool";
/// Tag: uid of the SpotInstance.
pub const INSTANCE_TAG: &str = "demo.aiops.org/instance";
/// Tag for people: namespace and name of the SpotInstance.
pub const LABEL_TAG: &str = "demo.aiops.org/name";

/// The cloud takes no more bytes.
const LONGEST_NAME: usize = 60;

/// `sp-` and 16 base32 characters: the same for all machines of one pool of one cluster.
pub fn name_prefix(cluster_id: &str, pool_uid: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(cluster_id.as_bytes());
    hash.update([0]);
    hash.update(pool_uid.as_bytes());
    let mut prefix = String::with_capacity(LONGEST_NAME);
    prefix.push_str("sp-");
    data_encoding::BASE32_NOPAD.encode_append(&hash.finalize()[..10], &mut prefix);
    prefix.make_ascii_lowercase();
    prefix.push('-');
    prefix
}

/// What the SpotInstance with this number is called.
pub fn spot_instance_name(pool: &str, n: i64) -> String {
    format!("{pool}-{n}")
}

/// The machine's name in the cloud: unique to this SpotInstance, set synchronously by the cloud (tags are
/// not), at most 60 bytes. The uid's part tells a restored SpotInstance from the one it was copied from.
pub fn instance_name(instance: &SpotInstance) -> String {
    let spec = &instance.spec;
    if let Some(adopted) = &spec.adopted {
        return adopted.instance_name.clone();
    }
    let mut name = name_prefix(&spec.cluster_id, &spec.pool.uid);
    name.push_str(&spec.n.to_string());
    name.push('-');
    let uid = instance.metadata.uid.as_deref().unwrap_or_default();
    name.extend(uid.chars().filter(char::is_ascii_hexdigit).take(6));
    name
}

/// Which account a key opens. A machine is recorded with it, so that no look through another account's eyes
/// is ever taken for its absence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountId {
    /// Names the key without showing it: 12 hex digits.
    key: String,
    /// The account's own number, once the cloud has told it. Many keys open one account.
    app_id: Option<AppId>,
    /// What else it was written down as: see [`AccountId::learn`].
    known_as: BTreeSet<String>,
}

/// Between the AppId and the key.
const LABEL_PARTS: &str = ", ";

impl AccountId {
    /// What is known of the account behind a key.
    pub fn new(secret_id: &SecretId, app_id: Option<AppId>) -> Self {
        let key = hex(&Sha256::digest(secret_id.as_str().as_bytes())[..6]);
        Self { key, app_id, known_as: BTreeSet::new() }
    }

    /// A machine that the key shows was written down so: a machine is in one account, so this is the same, whatever key
    /// was in use then.
    pub fn learn(&mut self, label: &str) {
        self.known_as.extend(label.split(LABEL_PARTS).map(str::to_owned));
    }

    /// Its name for people: the AppId, or as long as that is unknown, the key.
    pub fn name(&self) -> String {
        self.number().unwrap_or_else(|| self.key_label())
    }

    /// As the cloud has told it, or as it was told to an earlier process.
    fn number(&self) -> Option<String> {
        let written = || {
            self.known_as
                .iter()
                .find(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
                .cloned()
        };
        self.app_id.map(|app_id| app_id.to_string()).or_else(written)
    }

    /// What is written down: the AppId if it is known, and the key. A process that has just begun knows the key only;
    /// where the AppId may not be asked for, what was written down before tells it.
    pub fn label(&self) -> String {
        let number = self.number().map(|number| format!("{number}{LABEL_PARTS}")).unwrap_or_default();
        format!("{number}{}", self.key_label())
    }

    /// What is written down over what was: of the same account no less than before.
    pub fn label_after(&self, old: &str) -> String {
        let mut whole = self.clone();
        if self.is(old) {
            whole.learn(old);
        }
        whole.label()
    }

    /// Whether what was written down is this account for certain.
    pub fn is(&self, label: &str) -> bool {
        let (key, number) = (self.key_label(), self.number());
        let own = |part: &str| part == key || Some(part) == number.as_deref() || self.known_as.contains(part);
        label.split(LABEL_PARTS).any(own)
    }

    /// The [`AccountId::name`] in what was written down.
    pub fn name_in(label: &str) -> &str {
        label.split(LABEL_PARTS).next().unwrap_or_default()
    }

    fn key_label(&self) -> String {
        format!("key {}", self.key)
    }
}

/// Hash of a request's body, as recorded with the attempt.
pub fn body_hash(request: &RunInstances) -> String {
    hex(&Sha256::digest(request.body())[..16])
}

/// Whether an attempt's body can still be built to the bytes that were sent, and is wanted: what it asks for where
/// is still a candidate, and at its price.
pub fn is_same_body(pool: &ValidPool, instance: &SpotInstance, attempt: &Attempt) -> bool {
    pool.candidates.contains(&attempt.candidate)
        && instance.spec.charge_type == pool.template.charge_type
        && body_hash(&request(pool, instance, &attempt.candidate, &attempt.token)) == attempt.body_hash
}

/// The request that makes this SpotInstance's machine: a function of the pool's template, the SpotInstance,
/// the candidate and the token, so that it can be built again to the same bytes.
pub fn request(
    pool: &ValidPool,
    instance: &SpotInstance,
    candidate: &Candidate,
    token: &str,
) -> RunInstances {
    let template = &pool.template;
    RunInstances {
        instance_charge_type: instance.spec.charge_type.as_str().to_owned(),
        zone: candidate.availability_zone.clone(),
        instance_type: candidate.instance_type.clone(),
        image_id: template.image_id.clone(),
        vpc_id: template.vpc_id.clone(),
        subnet_id: candidate.subnet_id.clone(),
        security_group_ids: template.security_group_ids.clone(),
        system_disk_type: template.disk_type.clone(),
        system_disk_gib: template.disk_gib,
        public_bandwidth_mbps: template.bandwidth_mbps,
        key_ids: template.key_ids.clone(),
        user_data: template.user_data.clone(),
        instance_name: instance_name(instance),
        client_token: token.to_owned(),
        tags: tags(instance, &template.tags),
        count: 1,
    }
}

fn tags(instance: &SpotInstance, own: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |key: &str, value: String| Tag { key: key.to_owned(), value };
    let mut tags = vec![
        tag(CLUSTER_TAG, instance.spec.cluster_id.clone()),
        tag(POOL_TAG, instance.spec.pool.uid.clone()),
        tag(INSTANCE_TAG, instance.uid().unwrap_or_default()),
        tag(LABEL_TAG, format!("{}/{}", instance.namespace().unwrap_or_default(), instance.name_any())),
    ];
    tags.extend(own.iter().map(|(key, value)| tag(key, value.clone())));
    tags
}

/// Whether a machine is the one that a SpotInstance asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Name and all three tags agree: it may be terminated for this SpotInstance.
    Ours,
    /// The name agrees, the tags are not (all) there yet.
    Untagged,
    /// It carries this SpotInstance's uid, but not its name: somebody renamed it.
    Renamed,
    /// Another's.
    Foreign,
}

/// Compares a machine with what this SpotInstance would have made, or with what it was when it was taken over.
pub fn claim(instance: &SpotInstance, machine: &Instance) -> Claim {
    let spec = &instance.spec;
    let uid = instance.metadata.uid.as_deref().unwrap_or_default();
    let (pool_tag, instance_tag) = match &spec.adopted {
        Some(adopted) if adopted.instance_id != machine.id.as_str() => return Claim::Foreign,
        Some(adopted) => (adopted.pool_tag.as_deref(), adopted.instance_tag.as_deref()),
        None => (Some(spec.pool.uid.as_str()), Some(uid)),
    };
    let expected =
        [(CLUSTER_TAG, Some(spec.cluster_id.as_str())), (POOL_TAG, pool_tag), (INSTANCE_TAG, instance_tag)];
    let contradicted =
        expected.iter().any(|(key, value)| machine.tag(key).is_some_and(|found| Some(found) != *value));
    let tagged = expected.iter().all(|(key, value)| machine.tag(key) == *value);
    let named = machine.name == instance_name(instance);
    match (named, tagged) {
        (true, true) => Claim::Ours,
        (true, false) if !contradicted => Claim::Untagged,
        // Name or tags were changed by hand, but what is left of them is ours beyond doubt.
        (false, _)
            if !contradicted && instance_tag.is_some() && machine.tag(INSTANCE_TAG) == instance_tag =>
        {
            Claim::Renamed
        }
        _ => Claim::Foreign,
    }
}

/// The pool that a machine was made for, as its tag for people says.
pub fn made_for(machine: &Instance) -> Option<PoolKey> {
    let (namespace, name) = machine.tag(LABEL_TAG)?.split_once('/')?;
    let (pool, number) = name.rsplit_once('-')?;
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    numbered.then(|| PoolKey::new(namespace, pool))
}

//! What is drawn once for a seed: how the cloud behaves, what the pools are like.

use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sim::cvm::{FIRST_APP_ID, Latency, Lie, NameFilter, Settings, Span, TokenMode, ZoneInformation};
use spotpool_operator::crd::pool::CredentialsSecretRef;
use spotpool_operator::crd::{Candidate, SpotPool};
use spotpool_operator::identity::AccountId;
use tencent_cvm::{AppId, SecretId};

use crate::contract::sample_pool;

/// The namespace of all pools.
pub const NAMESPACE: &str = "models";
/// What every secret half of a key begins with, so that one look finds any of them.
pub const CANARY: &str = "fakeSecretKey";
/// The account that everybody shares: its name and its two keys (id, key, name of the Secret).
pub const ACCOUNT: &str = "shared";
/// The keys of the shared account, and the Secrets that hold them.
pub const KEYS: [(&str, &str, &str); 2] = [
    ("AKIDFAKEFAKEFAKEFAKEALPHA", "fakeSecretKeyAlpha", "cloud-alpha"),
    ("AKIDFAKEFAKEFAKEFAKEBRAVO", "fakeSecretKeyBravo", "cloud-bravo"),
];
/// Another account altogether.
pub const OTHER_ACCOUNT: &str = "other";
/// Its key.
pub const OTHER_KEY: (&str, &str) = ("AKIDFAKEFAKEFAKEFAKEOTHER", "fakeSecretKeyOther");

/// Whether this is how the operator writes the other account down: the second one in the cloud.
pub fn is_other_account(label: &str) -> bool {
    AccountId::new(&SecretId::new(OTHER_KEY.0), Some(AppId::new(FIRST_APP_ID + 1))).is(label)
}

/// What one seed is like.
#[derive(Debug, Clone)]
pub struct Nature {
    /// The date at the start.
    pub epoch: Timestamp,
    /// How the cloud behaves as long as nothing special happens.
    pub settings: Settings,
    /// The chances that a watch event is lost and that it is late.
    pub wakes: (f64, f64),
    /// The pools of the first cluster.
    pub pools: Vec<SpotPool>,
    /// Whether a pool uses the account's second key.
    pub second_key: bool,
    /// Whether a second cluster runs an operator of its own in the account.
    pub second_operator: bool,
}

impl Nature {
    /// Draws one.
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        // Some seeds cross midnight, where the signing key changes.
        let epoch = Timestamp::from_second(1_781_000_000 + rng.random_range(0..86_400)).unwrap_or_default();
        let count = rng.random_range(3..=4);
        // A second key is a second sweep, which takes its time; a third of the seeds is enough for that.
        let second_key = rng.random_bool(0.35);
        Self {
            epoch,
            settings: settings(rng),
            wakes: (rng.random_range(0.0..0.4), rng.random_range(0.0..0.2)),
            pools: (0..count).map(|index| pool(rng, index, second_key)).collect(),
            second_key,
            second_operator: rng.random_bool(0.2),
        }
    }
}

fn settings(rng: &mut ChaCha8Rng) -> Settings {
    let token_mode = match rng.random_range(0..10) {
        0..=1 => TokenMode::Replay,
        2..=3 => TokenMode::ReplayFor { seconds: rng.random_range(5..200) },
        4..=7 => TokenMode::Ignored,
        8 => TokenMode::ErrorOnReplay,
        _ => TokenMode::ErrorOnChangedBody,
    };
    Settings {
        boot: between(rng, 2, 15),
        load: between(rng, 1, 20),
        terminate: between(rng, 1, 10),
        visibility_lag: lag(rng, 60),
        tag_lag: lag(rng, 90),
        linger: between(rng, 0, 10),
        token_mode,
        latency: Latency::Lognormal,
        name_filter: if rng.random_bool(0.3) { NameFilter::Contains } else { NameFilter::Exact },
        clock_ahead: rng.random_range(-90.0..90.0),
        zone_information: zone_information(rng),
        ..Settings::default()
    }
}

/// What the cloud advertises is true in a third of the seeds, late in another, and of the rest a lie.
fn zone_information(rng: &mut ChaCha8Rng) -> ZoneInformation {
    let lies = [Lie::Sell, Lie::Sell, Lie::Opposite, Lie::SoldOut, Lie::Absent];
    match rng.random_range(0..3) {
        0 => ZoneInformation::default(),
        1 => ZoneInformation { lag: between(rng, 5, 120), ..ZoneInformation::default() },
        _ => ZoneInformation {
            lie: Some(lies[rng.random_range(0..lies.len())]),
            lying_share: Some(rng.random_range(0.3..1.0)),
            ..ZoneInformation::default()
        },
    }
}

/// From nothing, or little, up to the longest.
fn lag(rng: &mut ChaCha8Rng, longest: u64) -> Span {
    match rng.random_range(0..4) {
        0 => Span::default(),
        1 => between(rng, 0, longest / 6),
        2 => Span::between(Duration::ZERO, Duration::from_secs(longest)),
        _ => Span::between(Duration::from_secs(longest - 8), Duration::from_secs(longest)),
    }
}

fn between(rng: &mut ChaCha8Rng, least: u64, most: u64) -> Span {
    let high = rng.random_range(least..=most);
    Span::between(Duration::from_secs(least), Duration::from_secs(high))
}

/// The pools' names.
pub const POOLS: [&str; 4] = ["anna", "bert", "carl", "dora"];

/// Pool number `index`: mostly small, since one machine too many shows at once there.
pub fn pool(rng: &mut ChaCha8Rng, index: usize, second_key: bool) -> SpotPool {
    let sizes = [(1, 1), (1, 1), (1, 2), (2, 2), (2, 3), (1, 3), (3, 3)];
    let (minimum, maximum) = sizes[rng.random_range(0..sizes.len())];
    let mut pool = sample_pool(NAMESPACE, POOLS[index % POOLS.len()]);
    (pool.spec.minimum, pool.spec.maximum, pool.spec.replicas) = (minimum, maximum, None);
    // Two zones, so that one being sold out is not the end of everything.
    if index % 2 == 1 {
        "ap-singapore-3".clone_into(&mut pool.spec.availability_zone);
        "subnet-h4kq21mz".clone_into(&mut pool.spec.subnet_id);
    }
    if rng.random_range(0..2) == 1 {
        let in_zone = |zone: &str, subnet: &str| Candidate {
            instance_type: pool.spec.instance_type.clone(),
            availability_zone: zone.to_owned(),
            subnet_id: subnet.to_owned(),
        };
        let mut both =
            vec![in_zone("ap-singapore-2", "subnet-gfrv79s2"), in_zone("ap-singapore-3", "subnet-h4kq21mz")];
        both.rotate_left(index % 2);
        pool.spec.candidates = Some(both);
    }
    // Some boot slower than they may.
    pool.spec.health.startup_timeout = ["15m", "3m", "60s"][rng.random_range(0..3)].to_owned();
    let (id, key, secret) = KEYS[usize::from(index == 2 && second_key)];
    if index == 3 {
        pool.spec.credentials_secret_ref = None;
        pool.spec.secret_id = Some(id.to_owned());
        pool.spec.secret_key = Some(key.to_owned());
    } else {
        pool.spec.credentials_secret_ref = Some(CredentialsSecretRef { name: secret.to_owned() });
    }
    pool
}

//! Whether the pool's Secret is held, so that the key is not lost before the machines are. Pure.
//!
//! Each pool holds its Secret by a finalizer of its own name: several pools may share one, and none has to know of
//! the others.

use super::{Member, Observed, PoolSeen, Rules};
use crate::crd::{SECRET_FINALIZER_PREFIX, SpotPool};
use crate::valid::{CredentialsSource, ValidPool};

/// What is to be done about the Secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretHold {
    /// This one gets the pool's finalizer, before anything is launched.
    pub take: Option<String>,
    /// From these it is taken away.
    pub release: Vec<String>,
}

/// The finalizer by which the pool of this name holds a Secret.
pub fn secret_finalizer(pool: &str) -> String {
    format!("{SECRET_FINALIZER_PREFIX}{pool}")
}

/// The Secrets that the status says may carry the pool's finalizer.
fn held(pool: &SpotPool) -> &[String] {
    pool.status.as_ref().map_or(&[], |status| &status.held_secrets)
}

/// Whether any Secret may still carry the pool's finalizer.
pub(super) fn any_held(pool: &SpotPool) -> bool {
    !held(pool).is_empty()
}

/// Decides.
pub(super) fn hold(seen: &Observed, members: &[Member], rules: &Rules) -> SecretHold {
    match &seen.pool {
        PoolSeen::Gone => SecretHold::default(),
        PoolSeen::Invalid(pool, _) => {
            let over = pool.metadata.deletion_timestamp.is_some() && members.is_empty();
            SecretHold { take: None, release: if over { held(pool).to_vec() } else { Vec::new() } }
        }
        PoolSeen::There(pool, valid) => {
            let named = match &valid.credentials {
                CredentialsSource::Secret { name } => Some(name.as_str()),
                CredentialsSource::Inline { .. } => None,
            };
            let needed = !members.is_empty() || (!valid.leaving && valid.least > 0);
            let take = named
                .filter(|name| needed && rules.guards.hold_secret && can_be_taken(pool, valid, name, seen));
            let release = held(pool).iter().filter(|name| {
                if Some(name.as_str()) == named {
                    !needed
                } else {
                    members.is_empty() || is_superseded(seen, members)
                }
            });
            SecretHold { take: take.map(str::to_owned), release: release.cloned().collect() }
        }
    }
}

/// It is not held yet, or not known to be, and is not on its way out: then it takes no finalizer any more.
fn can_be_taken(pool: &SpotPool, valid: &ValidPool, name: &str, seen: &Observed) -> bool {
    let finalizer = secret_finalizer(&valid.key.name);
    seen.secret.as_ref().is_some_and(|secret| {
        let carries = secret.finalizers.iter().flatten().any(|known| *known == finalizer);
        secret.deletion_timestamp.is_none() && !(carries && held(pool).iter().any(|known| known == name))
    })
}

/// Somebody has deleted the Secret before this pool held it: it is there as long as others hold it, and takes no finalizer
/// any more. What was launched with its key could not be terminated.
pub fn may_vanish(seen: &Observed) -> bool {
    let Some(pool) = seen.pool.valid() else { return false };
    let finalizer = secret_finalizer(&pool.key.name);
    seen.secret.as_ref().is_some_and(|secret| {
        let held = secret.finalizers.iter().flatten().any(|known| *known == finalizer);
        secret.deletion_timestamp.is_some() && !held
    })
}

/// A Secret that the pool named before is needed until the machines are known to the key that it names now.
fn is_superseded(seen: &Observed, members: &[Member]) -> bool {
    let sees = seen.cloud.account().is_some_and(|account| {
        account.snapshot.is_some() && account.trouble.as_ref().is_none_or(|trouble| !trouble.is_auth())
    });
    sees && !members.iter().any(Member::is_elsewhere)
}

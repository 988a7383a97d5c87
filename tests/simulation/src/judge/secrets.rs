//! What may not happen to the Secrets that hold keys.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;

use super::book::Book;
use super::{Finding, Invariant};
use crate::store::Actor;

/// A key is not lost while machines need it, unless somebody takes it away by force.
pub(super) fn judge(
    book: &mut Book,
    cluster: &str,
    by: Actor,
    before: Option<&Secret>,
    after: Option<&Secret>,
    now: Duration,
) -> Vec<Finding> {
    let key_of = |secret: &Secret| (cluster.to_owned(), secret.metadata.name.clone().unwrap_or_default());
    let finalizers = |secret: &Secret| secret.metadata.finalizers.as_ref().map_or(0, Vec::len);
    if let Some(secret) = after
        && let Some(id) = secret.string_data.as_ref().and_then(|data| data.get("secretId"))
    {
        book.keys.insert(key_of(secret), id.clone());
    }
    match (before, after) {
        (None, Some(made)) => {
            book.secrets.insert(key_of(made), now);
            Vec::new()
        }
        (Some(before), after) if by == Actor::People && finalizers(before) > after.map_or(0, finalizers) => {
            // By force: whoever does that wants the key to be gone.
            book.secrets.remove(&key_of(before));
            Vec::new()
        }
        (Some(before), None) => {
            let key = key_of(before);
            let Some(made) = book.secrets.remove(&key) else { return Vec::new() };
            needed(book, cluster, &key.1, made).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A machine that was asked for when this Secret was there, and that lives.
fn needed(book: &Book, cluster: &str, secret: &str, made: Duration) -> Option<Finding> {
    let asked_with_it = book.instances.values().filter(|instance| {
        let pool = book.pools.get(&instance.pool_uid);
        let named = pool.and_then(|pool| pool.secret.as_deref()) == Some(secret);
        named
            && instance.gone_at.is_none()
            && instance.own_cluster
            && instance.cluster == cluster
            && instance.first_basis.is_some_and(|at| at > made)
    });
    let mut with_machine =
        asked_with_it.filter(|instance| book.living(&instance.machine_name).next().is_some());
    with_machine.next().map(|instance| {
        let text = format!("Secret {secret} is gone, and the machine of {} lives", instance.name);
        Finding::new(Invariant::KeyStays, &instance.pool.name, text)
    })
}

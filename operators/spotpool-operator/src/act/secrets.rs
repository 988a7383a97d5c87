//! The finalizer by which a pool holds the Secret of its key. The status says which Secrets may carry it, and says so
//! before they do: what is forgotten there would keep a Secret for ever.

use kube::ResourceExt;

use super::Outcome;
use crate::core::Core;
use crate::crd::SpotPool;
use crate::plan::secrets::secret_finalizer;
use crate::ports::{Event, KeySecret, Regarding, StoreError};

/// Puts the pool's finalizer on the Secret; whether the pass may go on.
pub(super) async fn take(core: &Core, pool: &SpotPool, name: &str, outcome: &mut Outcome) -> bool {
    let mut next = pool.clone();
    let held = &mut next.status.get_or_insert_default().held_secrets;
    if !held.iter().any(|known| known == name) {
        held.push(name.to_owned());
        match core.ports.store.replace_pool_status(&next).await {
            Ok(written) => outcome.pool = Some(written),
            Err(error) => {
                outcome.fail("write down which Secret is held", &error);
                return false;
            }
        }
    }
    let finalizer = secret_finalizer(&pool.name_any());
    match write(core, pool, name, |finalizers| {
        if !finalizers.contains(&finalizer) {
            finalizers.push(finalizer.clone());
        }
    })
    .await
    {
        Ok(()) => {
            outcome.again = true;
            false
        }
        // A role of an older version: better a pool whose Secret can be deleted than none.
        Err(StoreError::Refused(why)) => {
            let note = format!(
                "Secret {name} could not be given the finalizer {finalizer}: {why}; it is used unheld"
            );
            core.remind(about(pool, "SecretNotHeld", note));
            true
        }
        Err(error) => {
            outcome.fail("hold the Secret", &error);
            false
        }
    }
}

/// Takes the pool's finalizer from these Secrets.
pub(super) async fn release(core: &Core, pool: &SpotPool, names: &[String], outcome: &mut Outcome) {
    let finalizer = secret_finalizer(&pool.name_any());
    for name in names {
        match write(core, pool, name, |finalizers| finalizers.retain(|known| *known != finalizer)).await {
            Ok(()) | Err(StoreError::NotFound) => {
                outcome.released_secrets.push(name.clone());
                outcome.again = true;
            }
            Err(error) => outcome.fail("let go of the Secret", &error),
        }
    }
}

/// Reads the Secret, changes its finalizers and writes it back if that changed anything.
async fn write(
    core: &Core,
    pool: &SpotPool,
    name: &str,
    change: impl FnOnce(&mut Vec<String>),
) -> Result<(), StoreError> {
    let namespace = pool.namespace().unwrap_or_default();
    let read = core.ports.store.secret(&namespace, name).await?.ok_or(StoreError::NotFound)?;
    let mut metadata = read.metadata.clone();
    change(metadata.finalizers.get_or_insert_default());
    if metadata.finalizers.iter().flatten().eq(read.metadata.finalizers.iter().flatten()) {
        return Ok(());
    }
    core.ports.store.replace_secret(&KeySecret { metadata, ..read }).await
}

fn about(pool: &SpotPool, reason: &'static str, note: String) -> Event {
    let regarding = Regarding::pool(pool);
    Event::warning(regarding, reason, "Reconcile", note)
}

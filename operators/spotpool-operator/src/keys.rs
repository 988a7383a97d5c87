//! The key that a pool names. It is read in each pass, and its Secret is looked after in between, so that one that
//! is rotated, emptied or deleted is noticed within seconds, without the right to watch every Secret of a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::api::ObjectMeta;
use secrecy::ExposeSecret;
use tencent_cvm::Credentials;

use crate::conditions::reason;
use crate::core::{Core, lock};
use crate::ports::{KeySecret, PoolKey, StoreError};
use crate::valid::{CredentialsSource, ValidPool};

/// A Secret that some pool names is read this often.
const CHECK_EVERY: Duration = Duration::from_secs(10);

/// What a Secret holds of a key; the last is there for temporary credentials only.
const KEYS: [&str; 3] = ["secretId", "secretKey", "token"];

/// A pool's key as one pass reads it.
pub(crate) struct KeySeen {
    /// The key, or why there is none: a reason word and a sentence.
    pub(crate) key: Result<Credentials, (&'static str, String)>,
    /// The Secret that holds it, when it is there.
    pub(crate) secret: Option<ObjectMeta>,
}

/// Reads the pool's key.
pub(crate) async fn read(core: &Core, pool: &ValidPool) -> Result<KeySeen, StoreError> {
    let name = match &pool.credentials {
        CredentialsSource::Inline { id, key } => {
            core.keys.forget(&pool.key);
            let key = Ok(Credentials::new(id.clone(), key.expose_secret().to_owned()));
            return Ok(KeySeen { key, secret: None });
        }
        CredentialsSource::Secret { name } => name,
    };
    let secret = core.ports.store.secret(&pool.key.namespace, name).await?;
    core.keys.note(&pool.key, name, version(secret.as_ref()));
    let key = match &secret {
        Some(secret) => parse(secret, name),
        None => Err((
            reason::SECRET_NOT_FOUND,
            format!(
                "Secret {name} of spec.credentialsSecretRef does not exist in namespace {}; create it with the keys \
                 secretId and secretKey",
                pool.key.namespace
            ),
        )),
    };
    Ok(KeySeen { key, secret: secret.map(|secret| secret.metadata) })
}

fn parse(secret: &KeySecret, name: &str) -> Result<Credentials, (&'static str, String)> {
    let field = |field: &str| {
        secret.data.get(field).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    if let Some(key) = KEYS.iter().find(|key| secret.not_text.contains(**key)) {
        let message = format!(
            "Secret {name} of spec.credentialsSecretRef: the value of {key} is not text; it may have been saved as UTF-16: \
             write it anew as UTF-8"
        );
        return Err((reason::SECRET_INCOMPLETE, message));
    }
    let [id, key, token] = KEYS.map(field);
    let (Some(id), Some(key)) = (id, key) else {
        let message = format!(
            "Secret {name} of spec.credentialsSecretRef must have the keys secretId and secretKey, both not empty"
        );
        return Err((reason::SECRET_INCOMPLETE, message));
    };
    let credentials = Credentials::new(id, key);
    Ok(match token {
        Some(token) => credentials.with_token(token),
        None => credentials,
    })
}

fn version(secret: Option<&KeySecret>) -> Option<String> {
    secret.and_then(|secret| secret.metadata.resource_version.clone())
}

/// Which Secrets pools name, and in which version each was read last.
#[derive(Default)]
pub(crate) struct Keys {
    of_pools: Mutex<BTreeMap<PoolKey, (String, Option<String>)>>,
}

impl Keys {
    fn note(&self, pool: &PoolKey, secret: &str, version: Option<String>) {
        lock(&self.of_pools).insert(pool.clone(), (secret.to_owned(), version));
    }

    /// Nobody asks after this pool's Secret any more.
    pub(crate) fn forget(&self, pool: &PoolKey) {
        lock(&self.of_pools).remove(pool);
    }

    fn named(&self) -> BTreeSet<(String, String)> {
        let of_pools = lock(&self.of_pools);
        of_pools.iter().map(|(pool, (secret, _))| (pool.namespace.clone(), secret.clone())).collect()
    }

    /// The pools that have read another version of this Secret.
    fn outdated(&self, namespace: &str, secret: &str, version: &Option<String>) -> Vec<PoolKey> {
        let of_pools = lock(&self.of_pools);
        let others = of_pools
            .iter()
            .filter(|(pool, (name, read))| pool.namespace == namespace && name == secret && read != version);
        others.map(|(pool, _)| pool.clone()).collect()
    }
}

/// Looks after the Secrets for ever, and wakes the pools whose Secret is another than they have read.
pub(crate) async fn watch(core: Arc<Core>) {
    loop {
        tokio::time::sleep(CHECK_EVERY).await;
        for (namespace, name) in core.keys.named() {
            // What cannot be read now is read in ten seconds, or by the next pass, which says so.
            let Ok(secret) = core.ports.store.secret(&namespace, &name).await else { continue };
            for pool in core.keys.outdated(&namespace, &name, &version(secret.as_ref())) {
                tracing::info!(%pool, secret = name, "the Secret has changed");
                core.tasks.wake(pool);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(data: &[(&str, &str)], not_text: &[&str]) -> Result<(), (&'static str, String)> {
        let secret = KeySecret {
            data: data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            not_text: not_text.iter().map(|&key| key.to_owned()).collect(),
            ..KeySecret::default()
        };
        parse(&secret, "cloud").map(|_| ())
    }

    #[test]
    fn what_is_no_text_is_told_as_that_and_not_as_empty() {
        let (id, key) = (("secretId", "AKIDFAKEFAKEFAKE"), ("secretKey", "fakeSecretKey"));
        for (data, name) in [([key], "secretId"), ([id], "secretKey")] {
            let (reason, message) = told(&data, &[name]).unwrap_err();
            assert_eq!(reason, reason::SECRET_INCOMPLETE);
            let expected = format!(
                "Secret cloud of spec.credentialsSecretRef: the value of {name} is not text; it may have been saved as \
                 UTF-16: write it anew as UTF-8"
            );
            assert_eq!(message, expected);
        }
        let (_, message) = told(&[id, key], &["token"]).unwrap_err();
        assert!(message.contains("the value of token is not text"), "{message}");
        assert_eq!(told(&[id, key], &["note"]), Ok(()), "what is not asked for may be anything");
        let (_, message) = told(&[id, ("secretKey", " \n")], &[]).unwrap_err();
        assert!(message.ends_with("must have the keys secretId and secretKey, both not empty"), "{message}");
    }
}

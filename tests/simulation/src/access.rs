//! One process's way to the API server: each call goes its own way, whatever becomes of the caller.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kube::ResourceExt;
use spotpool_operator::ports::StoreError;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::digest::Digest;
use crate::gate::{Edge, Gate};
use crate::judge::Judge;
use crate::site::Site;
use crate::store::{Actor, Door, MemStore, Reply, Request};
use crate::trace::Trace;
use crate::weather::{StoreFate, Weather};

/// A client gives up waiting for the API server after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// A door to the store that is the caller's own, with all that can go wrong on the way.
pub struct FaultyStore {
    store: MemStore,
    process: u32,
    gate: Arc<Gate>,
    weather: Arc<Weather>,
    trace: Arc<Trace>,
    judge: Arc<Judge>,
}

/// No answer, and nobody knows what happened.
#[derive(Debug, thiserror::Error)]
#[error("the connection to the API server broke")]
struct Broken;

fn unanswered() -> StoreError {
    StoreError::Unanswered(Box::new(Broken))
}

impl FaultyStore {
    /// The way of process number `process`.
    pub fn new(
        store: MemStore,
        process: u32,
        gate: Arc<Gate>,
        weather: Arc<Weather>,
        trace: Arc<Trace>,
        judge: Arc<Judge>,
    ) -> Self {
        Self { store, process, gate, weather, trace, judge }
    }

    /// Sends a call on its way. The receiver gets the answer, or hears nothing when it is lost.
    fn send(&self, request: Request, site: Site) -> oneshot::Receiver<Result<Reply, StoreError>> {
        let (fate, there, back) = self.weather.over_store(&site);
        let (answer_to, answer) = oneshot::channel();
        let (store, trace, process) = (self.store.clone(), Arc::clone(&self.trace), self.process);
        let judge = Arc::clone(&self.judge);
        tokio::spawn(async move {
            let delay = match fate {
                Some(StoreFate::Late(delay)) => there + delay,
                _ => there,
            };
            sleep(delay).await;
            if fate == Some(StoreFate::Outage) {
                trace.tell(about(&site), || {
                    format!("process {process}: {} {}: lost on the way", site.step, site.object)
                });
                return;
            }
            match &request {
                Request::GetPool(key) => judge.on_glance(process, key),
                Request::ListInstances(key) => judge.on_read(process, key),
                _ => {}
            }
            let reply = store.handle(Actor::Process(process), &request);
            let words = words(&request);
            judge.on_words(about(&site), &words);
            if let Err(error) = &reply {
                judge.on_words(about(&site), &error.to_string());
            }
            note(&trace, process, &site, &words, &reply, delay);
            if fate == Some(StoreFate::LoseAnswer) {
                trace.tell(about(&site), || {
                    format!("process {process}: the answer to {} {} is lost", site.step, site.object)
                });
                return;
            }
            sleep(back).await;
            // The caller may be gone or have given up.
            let _ = answer_to.send(reply);
        });
        answer
    }
}

#[async_trait]
impl Door for FaultyStore {
    async fn call(&self, request: Request) -> Result<Reply, StoreError> {
        let site = Site::of_store(&request, &self.store);
        self.gate.pass(&site, Edge::Before).await;
        let answer = self.send(request, site.clone());
        // A lost answer breaks the connection at once; a late one is waited for.
        let answer = match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(unanswered()),
        };
        self.gate.pass(&site, Edge::After).await;
        answer
    }
}

fn about(site: &Site) -> &str {
    site.pool.as_ref().map_or("", |pool| pool.name.as_str())
}

/// Takes the call and its answer into the hash, and tells people of those that change something.
fn note(
    trace: &Trace,
    process: u32,
    site: &Site,
    words: &str,
    reply: &Result<Reply, StoreError>,
    delay: Duration,
) {
    trace.mix(|digest| {
        digest.number(u64::from(process));
        digest.number(site.step as u64);
        digest.text(&site.object);
        digest.text(words);
        hash_reply(digest, reply);
    });
    if site.step.is_effect() {
        trace.tell(about(site), || {
            let late = if delay > Duration::from_secs(1) {
                format!(" ({} s late)", delay.as_secs())
            } else {
                String::new()
            };
            let ended = match reply {
                Ok(_) => "done".to_owned(),
                Err(error) => error.to_string(),
            };
            format!("process {process}: {} {}{late}: {ended}", site.step, site.object)
        });
    }
}

/// What a call says, for the hash and for the judge. The resourceVersion of what was read names what a write
/// starts from; the rest says what it makes of it.
fn words(request: &Request) -> String {
    match request {
        Request::ReplacePool(object) | Request::ReplacePoolStatus(object) => format!("{object:?}"),
        Request::CreateInstance(object)
        | Request::ReplaceInstance(object)
        | Request::ReplaceInstanceStatus(object)
        | Request::DeleteInstance(object) => format!("{object:?}"),
        Request::ReplaceSecret(secret) => format!("{secret:?}"),
        Request::NamespaceIsLeaving(name) => name.clone(),
        Request::Publish(event) => event.note.clone(),
        Request::GetPool(_)
        | Request::ListInstances(_)
        | Request::GetInstance(_)
        | Request::GetSecret(_)
        | Request::ClusterUid => String::new(),
    }
}

/// Within one seed a resourceVersion stands for the whole object.
fn hash_reply(digest: &mut Digest, reply: &Result<Reply, StoreError>) {
    match reply {
        Ok(Reply::Pool(pool)) => {
            digest.text(&pool.as_ref().and_then(|pool| pool.resource_version()).unwrap_or_default());
        }
        Ok(Reply::Instance(instance)) => {
            digest.text(
                &instance.as_ref().and_then(|instance| instance.resource_version()).unwrap_or_default(),
            );
        }
        Ok(Reply::Instances(instances)) => {
            for instance in instances {
                digest.text(&instance.resource_version().unwrap_or_default());
            }
        }
        Ok(Reply::Secret(secret)) => {
            let version = secret.as_ref().and_then(|secret| secret.metadata.resource_version.clone());
            digest.text(&version.unwrap_or_default());
        }
        Ok(Reply::Truth(truth)) => digest.number(u64::from(*truth)),
        Ok(Reply::ClusterUid(uid)) => digest.text(uid),
        Ok(Reply::Done) => digest.number(1),
        Err(error) => digest.text(&error.to_string()),
    }
}

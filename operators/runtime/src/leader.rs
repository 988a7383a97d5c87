//! Leadership by a Lease, taken and renewed by compare-and-swap.
//!
//! The Lease keeps two operators from working at the same time in ordinary life; it is no safety bound (a
//! stalled leader wakes up after its Lease has gone), so whatever must not happen twice is guarded by
//! writes of its own.
//!
//! Written here rather than taken from a crate for three reasons: a standby measures by its own monotonic
//! clock how long the Lease has not moved, so that clocks apart never steal a living leader's Lease; a
//! leader that cannot reach the API server knows that it has lost before anybody else may take over; and
//! every write carries the resourceVersion that it was computed from.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, ResourceExt};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::health::Health;

/// How long a Lease that does not move is respected.
const DURATION: Duration = Duration::from_secs(8);
/// How often a leader renews.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// A leader that has not renewed for so long has lost: 2 s before anybody may take over.
const RENEW_WITHIN: Duration = Duration::from_secs(6);
/// How often a standby looks, and how soon a failed renewal is tried again.
const LOOK_EVERY: Duration = Duration::from_millis(700);
/// How long one call may take.
const CALL: Duration = Duration::from_secs(2);

/// One candidate for leadership.
#[derive(Debug)]
pub struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    health: Arc<Health>,
}

/// Held leadership. It is renewed in the background until it is released or dropped; dropped, it runs out.
#[derive(Debug)]
pub struct Leadership {
    candidate: Arc<Candidate>,
    renewal: AbortOnDropHandle<Lost>,
}

/// How leadership was lost.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Somebody else holds the Lease.
    #[error("the Lease is held by {0:?} now")]
    Taken(String),
    /// The Lease could not be renewed in time.
    #[error("the Lease could not be renewed for {RENEW_WITHIN:?}")]
    NotRenewed,
    /// The renewal ended, which only a bug makes it do.
    #[error("the renewal of the Lease has ended")]
    Ended,
}

/// Why a call about the Lease did not do what was asked.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("no answer within {CALL:?}")]
    Late,
    #[error(transparent)]
    Kube(kube::Error),
}

impl CallError {
    fn is(&self, code: u16) -> bool {
        matches!(self, Self::Kube(kube::Error::Api(status)) if status.code == code)
    }
}

impl Candidate {
    /// A candidate for the Lease `name` in `namespace`, under an identity of its own.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: &str, health: Arc<Health>) -> Self {
        let host = std::env::var("HOSTNAME").unwrap_or_else(|_| name.to_owned());
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: format!("{host}_{}", uuid::Uuid::new_v4()),
            health,
        }
    }

    /// Waits as a standby until the Lease is free or has not moved for its duration, and takes it.
    /// Errors are logged and the wait goes on.
    pub async fn lead(self) -> Leadership {
        let candidate = Arc::new(self);
        let mut observed = None;
        let (lease, renewed) = loop {
            let begun = Instant::now();
            match candidate.try_to_take(&mut observed).await {
                Ok(Some(lease)) => break (lease, begun),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, lease = candidate.name, "look at the Lease"),
            }
            sleep(LOOK_EVERY).await;
        };
        tracing::info!(lease = candidate.name, identity = candidate.identity, "leading");
        let renewing = Arc::clone(&candidate);
        let renewal = tokio::spawn(async move { renewing.renew(lease, renewed).await });
        Leadership { candidate, renewal: AbortOnDropHandle::new(renewal) }
    }

    /// One look; the Lease when it is ours now.
    async fn try_to_take(&self, observed: &mut Option<Observed>) -> Result<Option<Lease>, CallError> {
        let Some(current) = call(self.api.get_opt(&self.name)).await? else {
            return won(self.create().await);
        };
        self.health.api_server_answered();
        let spec = current.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        if !holder.is_empty() && holder != self.identity {
            let asked =
                Duration::from_secs(u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0));
            let seen = Observed::keep(observed, &current);
            if seen.since.elapsed() < DURATION.max(asked) {
                return Ok(None);
            }
            tracing::info!(lease = self.name, %holder, "the Lease has run out");
        }
        let lease = self.held(&current, Some(spec.lease_transitions.unwrap_or(0).saturating_add(1)));
        won(self.replace(&lease).await)
    }

    async fn create(&self) -> Result<Lease, CallError> {
        let blank = Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            spec: None,
        };
        call(self.api.create(&self.written(), &self.held(&blank, Some(0)))).await
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, CallError> {
        call(self.api.replace(&self.name, &self.written(), lease)).await
    }

    /// What manages the fields of the Lease, for `kubectl get --show-managed-fields`.
    fn written(&self) -> PostParams {
        PostParams { field_manager: Some(self.name.clone()), ..PostParams::default() }
    }

    /// The Lease as it is when this candidate holds it from now on (`transitions` given) or still.
    fn held(&self, lease: &Lease, transitions: Option<i32>) -> Lease {
        let now = MicroTime(Timestamp::now());
        let mut spec = lease.spec.clone().unwrap_or_default();
        if transitions.is_some() {
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions = transitions;
        }
        spec.holder_identity = Some(self.identity.clone());
        spec.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
        spec.renew_time = Some(now);
        Lease { metadata: lease.metadata.clone(), spec: Some(spec) }
    }

    /// Renews until it is too late: whoever waits for the Lease may take it then, whatever a call is waiting for here.
    async fn renew(&self, mut lease: Lease, mut renewed: Instant) -> Lost {
        let mut pause = RENEW_EVERY;
        loop {
            let begun = Instant::now() + pause;
            match timeout_at(renewed + RENEW_WITHIN, self.renew_once(&mut lease, pause)).await {
                Ok(Renewal::Done) => (renewed, pause) = (begun, RENEW_EVERY),
                Ok(Renewal::Failed) => pause = LOOK_EVERY,
                Ok(Renewal::Taken(other)) => return Lost::Taken(other),
                Err(_) => return Lost::NotRenewed,
            }
        }
    }

    async fn renew_once(&self, lease: &mut Lease, pause: Duration) -> Renewal {
        sleep(pause).await;
        match self.replace(&self.held(lease, None)).await {
            Ok(answer) => {
                self.health.api_server_answered();
                *lease = answer;
                return Renewal::Done;
            }
            Err(error) => tracing::warn!(%error, lease = self.name, "renew the Lease"),
        }
        // After a conflict or a lost answer the Lease may have moved: by our own write, or because somebody has
        // taken it.
        if let Ok(Some(current)) = call(self.api.get_opt(&self.name)).await {
            match holder(&current) {
                Some(other) if *other != self.identity => return Renewal::Taken(other.clone()),
                _ => *lease = current,
            }
        }
        Renewal::Failed
    }

    async fn give_back(&self) -> Result<(), CallError> {
        let Some(mut current) = call(self.api.get_opt(&self.name)).await? else { return Ok(()) };
        if holder(&current) != Some(&self.identity) {
            return Ok(());
        }
        let spec = current.spec.get_or_insert_with(LeaseSpec::default);
        spec.holder_identity = None;
        spec.renew_time = None;
        spec.acquire_time = None;
        self.replace(&current).await.map(|_| ())
    }
}

impl Leadership {
    /// Waits until leadership is lost. Whoever led must then end: somebody else may lead already.
    pub async fn lost(&mut self) -> Lost {
        (&mut self.renewal).await.unwrap_or(Lost::Ended)
    }

    /// Gives the Lease back, so that a standby need not wait for it to run out. Only after everything
    /// that was done as the leader has ended.
    pub async fn release(self) {
        let Self { candidate, renewal } = self;
        drop(renewal);
        if let Err(error) = candidate.give_back().await {
            tracing::warn!(%error, lease = candidate.name, "give the Lease back; it will run out");
        } else {
            tracing::info!(lease = candidate.name, "the Lease is given back");
        }
    }
}

/// What came of one renewal.
enum Renewal {
    Done,
    Failed,
    /// By this identity.
    Taken(String),
}

/// A Lease that a standby has seen, and since when it has not moved.
struct Observed {
    version: Option<String>,
    since: Instant,
}

impl Observed {
    fn keep<'a>(slot: &'a mut Option<Self>, lease: &Lease) -> &'a Self {
        let version = lease.resource_version();
        if slot.as_ref().is_some_and(|seen| seen.version != version) {
            *slot = None;
        }
        slot.get_or_insert_with(|| Self { version, since: Instant::now() })
    }
}

fn holder(lease: &Lease) -> Option<&String> {
    lease.spec.as_ref()?.holder_identity.as_ref().filter(|holder| !holder.is_empty())
}

/// A conflict means that somebody else was faster, which is no error.
fn won(answer: Result<Lease, CallError>) -> Result<Option<Lease>, CallError> {
    match answer {
        Ok(lease) => Ok(Some(lease)),
        Err(error) if error.is(409) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn call<T>(answer: impl Future<Output = Result<T, kube::Error>>) -> Result<T, CallError> {
    match timeout(CALL, answer).await {
        Ok(answer) => answer.map_err(CallError::Kube),
        Err(_) => Err(CallError::Late),
    }
}

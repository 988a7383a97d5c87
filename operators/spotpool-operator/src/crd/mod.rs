//! The two resources: what people write (`SpotPool`) and one machine each (`SpotInstance`).
//!
//! Specs, statuses and their validation rules; no behaviour but small constructors and accessors. The
//! doc comments here are user text: they become `kubectl explain`.

pub mod instance;
pub mod memory;
pub mod pool;

pub use instance::{
    AdoptedMachine, Attempt, AttemptOutcome, Candidate, ExtraMachine, Phase, SpotInstance, SpotInstanceSpec,
    SpotInstanceStatus,
};
pub use memory::Adoption;
pub use pool::{ChargeType, SpotPool, SpotPoolSpec, SpotPoolStatus};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// The API group of both resources.
pub const GROUP: &str = "demo.aiops.org";
/// The label by which a `SpotInstance` belongs to its pool (with the pool's uid in its spec).
pub const POOL_LABEL: &str = "demo.aiops.org/pool";
/// The finalizer that keeps a `SpotPool` until its machines are proven gone.
pub const POOL_FINALIZER: &str = "demo.aiops.org/machines";
/// The finalizer that keeps a `SpotInstance` until its machine is proven gone.
pub const INSTANCE_FINALIZER: &str = "demo.aiops.org/machine";
/// With a pool's name behind it, the finalizer by which that pool holds the Secret of its key.
pub const SECRET_FINALIZER_PREFIX: &str = "demo.aiops.org/spotpool-";
/// An annotation on a pool: ids of machines that it takes over, with commas between them.
pub const ADOPT_ANNOTATION: &str = "demo.aiops.org/adopt";
/// An annotation on a pool: with the value `true`, its machines live on when it is deleted.
pub const KEEP_MACHINES_ANNOTATION: &str = "demo.aiops.org/keep-machines";

/// Kubernetes writes times in whole seconds. Rounding up keeps every "at least so long after" rule on the
/// safe side: nothing is ever recorded as earlier than it was.
pub fn whole_seconds(at: Timestamp) -> Time {
    let seconds = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    Time(Timestamp::from_second(seconds).unwrap_or(at))
}

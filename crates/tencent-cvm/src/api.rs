//! The trait: what one can ask of CVM, in the cloud's own verbs.

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

use crate::{AccountQuota, Error, Filter, Instance, InstanceId, Offer, RunInstances};

/// Tencent Cloud CVM in one region, under one account.
///
/// Everything that is asked for is complete or an error: no method ever hands out half a listing.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Cvm: Send + Sync {
    /// `DescribeInstances` by filter: every page, each instance once.
    ///
    /// No filter means the whole account and region. At most 10 filters with at most 5 values each.
    /// The order of pages is undocumented and the total may move during the scan, so instances are
    /// de-duplicated by id and a moved total does not restart the scan; absence from a listing alone
    /// proves nothing (ask by id).
    ///
    /// # Errors
    /// Any page that fails makes the whole listing fail. See [`Error`].
    async fn describe_instances(&self, filters: &[Filter]) -> Result<Listing, Error>;

    /// `DescribeInstances` by id, in chunks of 100. Ids that the cloud does not know are simply not in
    /// the answer. An empty slice asks nothing and gives an empty listing.
    ///
    /// # Errors
    /// Any chunk that fails makes the whole listing fail. See [`Error`].
    async fn describe_instances_by_id(&self, ids: &[InstanceId]) -> Result<Listing, Error>;

    /// `RunInstances`: exactly one request, never retried here.
    ///
    /// # Errors
    /// [`Error::NotSent`] proves that no request left; [`Error::Unknown`] means that machines may have
    /// been made; [`Error::Api`] carries the cloud's refusal and its [`crate::Class`].
    async fn run_instances(
        &self,
        request: &RunInstances,
        options: SendOptions,
    ) -> Result<Vec<InstanceId>, Error>;

    /// `TerminateInstances` in chunks of 100. A batch that the cloud refuses because of some of its
    /// members (a bad id, mixed charge types, one still pending) is split until each id has its own
    /// answer, so one id never holds up another.
    ///
    /// The result holds one entry per id asked for, in the order asked; `Ok` means accepted or already
    /// gone: confirm by describing.
    async fn terminate_instances(&self, ids: &[InstanceId]) -> Vec<(InstanceId, Result<(), Error>)>;

    /// `DescribeZoneInstanceConfigInfos`: what is sold where, how much of it there is, and at what price.
    ///
    /// One call tells about every candidate: filter by `zone`, `instance-type` and `instance-charge-type`, each
    /// with at most 100 values. Always name the types: without them an account may be told about all of a region,
    /// or about one small type only (the pages differ). What the cloud does not sell at all is not in the answer.
    ///
    /// It is a hint, not a promise: the answer may be older than the last launch that was refused.
    ///
    /// # Errors
    /// See [`Error`]. An answer without a list is an error, an empty list is not.
    async fn describe_zone_instance_config_infos(&self, filters: &[Filter]) -> Result<Vec<Offer>, Error>;

    /// `DescribeAccountQuota`: the account's AppId, which all its keys share, and its quotas in the region.
    /// ("DescribeAccountQuota", 213/55628.)
    ///
    /// # Errors
    /// See [`Error`]. A key may be allowed to list instances and not this.
    async fn describe_account_quota(&self) -> Result<AccountQuota, Error>;
}

/// A complete answer to a look.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Each instance once, ordered by id.
    pub instances: Vec<Instance>,
    /// What the cloud's clock said, from the answer with the shortest round trip. `None` when no answer
    /// had a readable `Date` header (or nothing was asked).
    pub server_time: Option<ServerTime>,
    /// How many requests the look took.
    pub calls: u32,
}

/// The cloud's clock as read from one answer's `Date` header (whole seconds, truncated).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerTime {
    /// The header's value: the cloud's clock lay in `[date, date + 1 s)` when the answer was made.
    pub date: Timestamp,
    /// From just before the request was sent to the arrival of the answer.
    pub round_trip: Duration,
    /// When the answer arrived, on the monotonic clock.
    pub received: Instant,
}

/// How one `RunInstances` is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct SendOptions {
    /// The `X-TC-Timestamp` to sign with; `None`: now, by the client's clock and learnt offset. The
    /// cloud refuses a request more than 300 s away from its own clock, so a fixed time bounds how late
    /// a delayed request can still take effect.
    pub timestamp: Option<Timestamp>,
    /// Not sent at all (an [`Error::NotSent`]) when this instant has passed by the time the request is
    /// about to leave, after any wait for the rate limit.
    pub not_after: Option<Instant>,
}

#[cfg(all(test, feature = "mock"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_mock_stands_in_for_a_client() {
        let mut cloud = MockCvm::new();
        cloud
            .expect_run_instances()
            .once()
            .withf(|request, options| request.count == 1 && options.not_after.is_none())
            .returning(|_, _| Ok(vec![InstanceId::new("ins-1")]));
        let cloud: Box<dyn Cvm> = Box::new(cloud);
        let request = RunInstances { count: 1, ..RunInstances::default() };
        let made = cloud.run_instances(&request, SendOptions::default()).await.expect("made");
        assert_eq!(made, [InstanceId::new("ins-1")]);
    }
}

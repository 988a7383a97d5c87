//! What the rate limits of the cloud's client did, read from the client when somebody asks.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use tencent_cvm::{Action, LimitTotals};

use super::{PREFIX, family};

/// Registers what the rate limits count: calls to the cloud, how long they waited for their turn, how often the
/// cloud found them too many.
pub fn register_cloud_calls(
    registry: &mut Registry,
    totals: impl Fn() -> BTreeMap<Action, LimitTotals> + Send + Sync + 'static,
) {
    registry.sub_registry_with_prefix(PREFIX).register_collector(Box::new(CloudCalls(totals)));
}

struct CloudCalls<F>(F);

impl<F> fmt::Debug for CloudCalls<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloudCalls")
    }
}

impl<F> Collector for CloudCalls<F>
where
    F: Fn() -> BTreeMap<Action, LimitTotals> + Send + Sync + 'static,
{
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let totals = (self.0)();
        let mut counter = |what: (&str, &str, Option<&Unit>), value: fn(&LimitTotals) -> f64| {
            family(&mut encoder, what, MetricType::Counter, |metric| {
                for (action, totals) in &totals {
                    let labels = [("action", action.as_str())];
                    metric
                        .encode_family(&labels)?
                        .encode_counter::<NoLabelSet, _, f64>(&value(totals), None)?;
                }
                Ok(())
            })
        };
        counter(("cloud_calls", "Calls to the cloud's API, by action.", None), |totals| {
            totals.admitted as f64
        })?;
        counter(
            (
                "cloud_limiter_wait",
                "Time that calls to the cloud waited for their turn under its rate limits, by action.",
                Some(&Unit::Seconds),
            ),
            |totals| totals.waited.as_secs_f64(),
        )?;
        counter(
            (
                "cloud_late",
                "Calls that were not sent, by action: their turn would have come after their deadline.",
                None,
            ),
            |totals| totals.late as f64,
        )?;
        counter(
            (
                "cloud_throttled",
                "Calls that the cloud refused as too many all the same, by action: something else uses up the \
                 account's rate.",
                None,
            ),
            |totals| totals.throttled as f64,
        )
    }
}

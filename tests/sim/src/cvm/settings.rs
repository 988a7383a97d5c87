//! What the cloud can be told about its own behaviour; everything here may change while it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::zone_information::ZoneInformation;

/// The 99th percentile of a standard normal distribution.
const Z99: f64 = 2.326_347_874;

/// A duration that is drawn anew each time, evenly between two bounds.
///
/// Written `5s`, `1500ms`, `2m` or `0s..60s`; in JSON also a plain number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Span {
    /// Always the same duration.
    pub const fn exactly(duration: Duration) -> Self {
        Self { min: duration, max: duration }
    }

    /// Always the same number of milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self::exactly(Duration::from_millis(millis))
    }

    /// Always the same number of seconds.
    pub const fn secs(secs: u64) -> Self {
        Self::exactly(Duration::from_secs(secs))
    }

    /// Evenly between two durations.
    pub const fn between(min: Duration, max: Duration) -> Self {
        Self { min, max }
    }

    /// One draw. Takes nothing from the generator when there is nothing to choose.
    pub(crate) fn draw(self, rng: &mut ChaCha8Rng) -> Duration {
        if self.max <= self.min {
            return self.min;
        }
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(rng.random_range(micros(self.min)..=micros(self.max)))
    }
}

/// A text that is not a [`Span`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write 5s, 1500ms, 2m or a range such as 0s..60s")]
pub struct InvalidSpan(String);

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let invalid = || InvalidSpan(text.to_owned());
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let span = Self { min: duration(min).ok_or_else(invalid)?, max: duration(max).ok_or_else(invalid)? };
        if span.min > span.max { Err(invalid()) } else { Ok(span) }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if number == "0" => 1.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * scale).ok()
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, max } = self;
        if min == max {
            write!(f, "{}ms", min.as_millis())
        } else {
            write!(f, "{}ms..{}ms", min.as_millis(), max.as_millis())
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Seconds(seconds) => Duration::try_from_secs_f64(seconds)
                .map(Self::exactly)
                .map_err(|_| serde::de::Error::custom("a duration is a number of seconds, not negative")),
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// What a second `RunInstances` with a `ClientToken` seen before does. The cloud documents none of it,
/// so whoever uses it must hold under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "mode")]
pub enum TokenMode {
    /// The same ids again, for ever.
    #[default]
    Replay,
    /// The same ids for this long, then as if never seen.
    ReplayFor {
        /// How long a token is remembered.
        seconds: u64,
    },
    /// Tokens are not looked at.
    Ignored,
    /// An error, also when the first call was refused.
    ErrorOnReplay,
    /// The same ids when the body is the same to the byte, an error when it is not.
    ErrorOnChangedBody,
}

impl FromStr for TokenMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':').unwrap_or((text, "")) {
            ("replay", "") => Ok(Self::Replay),
            ("ignored", "") => Ok(Self::Ignored),
            ("error-on-replay", "") => Ok(Self::ErrorOnReplay),
            ("error-on-changed-body", "") => Ok(Self::ErrorOnChangedBody),
            ("replay-for", time) => duration(time)
                .map(|time| Self::ReplayFor { seconds: time.as_secs() })
                .ok_or_else(|| format!("`{time}` is not a duration: write replay-for:300s")),
            _ => Err(format!(
                "`{text}` is not a token mode: replay, replay-for:TIME, ignored, error-on-replay, error-on-changed-body"
            )),
        }
    }
}

/// How long a call takes from the caller's hand and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Latency {
    /// Nothing takes any time.
    Off,
    /// Lognormal: DescribeInstances and TerminateInstances p50 120 ms, p99 400 ms; RunInstances p50
    /// 600 ms, p99 1.5 s. An assumption: the cloud publishes no figures.
    #[default]
    Lognormal,
}

impl Latency {
    pub(crate) fn draw(self, action: &str, rng: &mut ChaCha8Rng) -> Duration {
        if self == Self::Off {
            return Duration::ZERO;
        }
        let (p50, p99) = if action == "RunInstances" { (0.6_f64, 1.5_f64) } else { (0.12, 0.4) };
        let drawn = LogNormal::new(p50.ln(), (p99 / p50).ln() / Z99).map_or(p50, |law| law.sample(rng));
        Duration::from_secs_f64(drawn.min(30.0))
    }
}

/// How the `instance-name` filter compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameFilter {
    /// The whole name.
    #[default]
    Exact,
    /// Any part of it. The API has an error code for an "invalid vague name", so a caller should not
    /// count on exactness.
    Contains,
}

/// The knobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// From PENDING to RUNNING.
    pub boot: Span,
    /// From RUNNING to the first answer of the model server.
    pub load: Span,
    /// From TERMINATING to gone.
    pub terminate: Span,
    /// From the launch until the machine shows in listings and by id.
    pub visibility_lag: Span,
    /// From the launch until its tags show.
    pub tag_lag: Span,
    /// How long a gone machine still shows as it last was.
    pub linger: Span,
    /// The chance that a launched machine ends in `LAUNCH_FAILED`.
    pub launch_failure: f64,
    /// How long a `LAUNCH_FAILED` machine shows before it disappears.
    pub launch_failed_shows: Span,
    /// What a repeated `ClientToken` does.
    pub token_mode: TokenMode,
    /// The error code of the two token modes that refuse. The cloud documents none.
    pub token_error: String,
    /// The error code for a type without stock in a zone.
    pub sold_out_code: String,
    /// The error code for a type of disk that is sold out in a zone.
    pub disk_sold_out_code: String,
    /// The error code for a subnet without addresses.
    pub subnet_full_code: String,
    /// How long calls take.
    pub latency: Latency,
    /// How `instance-name` compares.
    pub name_filter: NameFilter,
    /// How true DescribeZoneInstanceConfigInfos is.
    pub zone_information: ZoneInformation,
    /// The share of each rate limit that other users of the same account use up, from 0 to 1.
    pub others_use: f64,
    /// Calls a second by account, region and action. An action that is not named has no limit.
    pub rate_limits: BTreeMap<String, u32>,
    /// Seconds that the cloud's own clock is ahead of true time: it dates answers and judges signatures.
    pub clock_ahead: f64,
    /// Whether a machine that leaves gives its stock back.
    pub stock_returns: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let limits = [
            ("DescribeInstances", 40),
            ("DescribeAccountQuota", 20),
            ("DescribeZoneInstanceConfigInfos", 40),
            ("RunInstances", 10),
            ("TerminateInstances", 10),
        ];
        Self {
            boot: Span::secs(5),
            load: Span::between(Duration::from_secs(1), Duration::from_secs(2)),
            terminate: Span::secs(2),
            visibility_lag: Span::default(),
            tag_lag: Span::default(),
            linger: Span::default(),
            launch_failure: 0.0,
            launch_failed_shows: Span::secs(30),
            token_mode: TokenMode::Replay,
            token_error: "InvalidClientToken.Used".to_owned(),
            sold_out_code: "ResourceInsufficient.SpecifiedInstanceType".to_owned(),
            disk_sold_out_code: "ResourceInsufficient.CloudDiskSoldOut".to_owned(),
            subnet_full_code: "FailedOperation.NoAvailableIpAddressCountInSubnet".to_owned(),
            latency: Latency::Lognormal,
            name_filter: NameFilter::Exact,
            zone_information: ZoneInformation::default(),
            others_use: 0.0,
            rate_limits: limits.iter().map(|&(action, limit)| (action.to_owned(), limit)).collect(),
            clock_ahead: 0.0,
            stock_returns: true,
        }
    }
}

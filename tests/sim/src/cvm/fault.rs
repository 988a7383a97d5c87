//! What can go wrong with a call, and when it does.

use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::settings::Span;

/// How a connection behaves when nothing comes back over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// It stays open and silent.
    #[default]
    Silence,
    /// It is reset when the answer would have come.
    Reset,
    /// It never came about: not a byte left the caller. Only of use for a lost request, and only the
    /// virtual face can show it; over HTTP it is a reset.
    Refused,
}

/// One way of going wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The request never reaches the cloud.
    LostRequest {
        /// What the caller sees.
        #[serde(default)]
        loss: Loss,
    },
    /// The request takes effect, its answer never arrives.
    LostAnswer {
        /// What the caller sees.
        #[serde(default)]
        loss: Loss,
    },
    /// The request is held in the network: the cloud checks its signature's age only when it arrives.
    LateRequest {
        /// For how long.
        delay: Span,
    },
    /// The request is checked at once and takes effect later.
    LateCommit {
        /// How much later.
        delay: Span,
    },
    /// The answer takes this much longer.
    SlowAnswer {
        /// How much.
        delay: Span,
    },
    /// The request arrives a second time; nobody hears the second answer.
    DoubledRequest {
        /// How long after the first.
        delay: Span,
    },
    /// The connection breaks in the middle of the answer's body.
    CutAnswer,
    /// The body of the answer is there twice.
    DoubledBody,
    /// The answer is 200 with no body.
    EmptyAnswer,
    /// The answer is `{}`: an envelope without its content.
    HollowAnswer,
    /// A gateway in front of the cloud answers with a page of HTML.
    HttpError {
        /// Such as 502.
        status: u16,
        /// Whether the request took effect all the same.
        #[serde(default)]
        committed: bool,
    },
    /// The call is refused with this code and has no effect.
    Refuse {
        /// Such as `RequestLimitExceeded`.
        code: String,
    },
    /// The call takes effect and is answered with this error code.
    FailAfterCommit {
        /// Such as `InternalError`.
        code: String,
    },
    /// The `Date` header of the answer is wrong.
    WrongDate {
        /// Seconds that it is ahead.
        ahead: f64,
    },
    /// A listing says that there is nothing at all.
    EmptyListing,
    /// A page has no entries, though `TotalCount` says that there are some.
    EmptyPage,
    /// A page lacks its last entries, though `TotalCount` says that there are more.
    ShortPage {
        /// How many are missing.
        missing: usize,
    },
    /// Each entry of a page is there twice.
    DoubledEntries,
    /// `TotalCount` is off.
    MovedTotal {
        /// By this much.
        by: i64,
    },
    /// The machines that the call makes end in `LAUNCH_FAILED`.
    LaunchFails,
}

impl Fault {
    /// Its name in the ledger: the `kind` of its JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LostRequest { .. } => "lost_request",
            Self::LostAnswer { .. } => "lost_answer",
            Self::LateRequest { .. } => "late_request",
            Self::LateCommit { .. } => "late_commit",
            Self::SlowAnswer { .. } => "slow_answer",
            Self::DoubledRequest { .. } => "doubled_request",
            Self::CutAnswer => "cut_answer",
            Self::DoubledBody => "doubled_body",
            Self::EmptyAnswer => "empty_answer",
            Self::HollowAnswer => "hollow_answer",
            Self::HttpError { .. } => "http_error",
            Self::Refuse { .. } => "refuse",
            Self::FailAfterCommit { .. } => "fail_after_commit",
            Self::WrongDate { .. } => "wrong_date",
            Self::EmptyListing => "empty_listing",
            Self::EmptyPage => "empty_page",
            Self::ShortPage { .. } => "short_page",
            Self::DoubledEntries => "doubled_entries",
            Self::MovedTotal { .. } => "moved_total",
            Self::LaunchFails => "launch_fails",
        }
    }
}

/// A fault and the calls it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// Only calls of this action.
    #[serde(default)]
    pub action: Option<String>,
    /// Only calls with this `SecretId`.
    #[serde(default)]
    pub secret_id: Option<String>,
    /// Only launches in this zone.
    #[serde(default)]
    pub zone: Option<String>,
    /// Only launches of this type.
    #[serde(default)]
    pub instance_type: Option<String>,
    /// The chance for each call that fits.
    #[serde(default = "always")]
    pub probability: f64,
    /// This many calls that fit go through first.
    #[serde(default)]
    pub skip: u64,
    /// It strikes at most so often.
    #[serde(default)]
    pub count: Option<u64>,
    /// Not before.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Not at or after.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Sets `until` to so long after the rule is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
}

fn always() -> f64 {
    1.0
}

impl FaultRule {
    /// Strikes every call.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            action: None,
            secret_id: None,
            zone: None,
            instance_type: None,
            probability: 1.0,
            skip: 0,
            count: None,
            from: None,
            until: None,
            lasts: None,
        }
    }

    /// Only calls of this action.
    #[must_use]
    pub fn on(mut self, action: &str) -> Self {
        self.action = Some(action.to_owned());
        self
    }

    /// Only launches of this type in this zone.
    #[must_use]
    pub fn of(mut self, instance_type: &str, zone: &str) -> Self {
        self.zone = Some(zone.to_owned());
        self.instance_type = Some(instance_type.to_owned());
        self
    }

    /// At most so often.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// With this chance for each call that fits.
    #[must_use]
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }
}

/// What a launch is for, as far as it can be read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wanted {
    instance_type: Option<String>,
    placement: Option<WantedPlace>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct WantedPlace {
    zone: Option<String>,
}

impl FaultRule {
    /// Whether it is for the type and zone that this body asks for.
    fn wants(&self, body: &[u8]) -> bool {
        if self.zone.is_none() && self.instance_type.is_none() {
            return true;
        }
        let wanted: Wanted = serde_json::from_slice(body).unwrap_or_default();
        let zone = wanted.placement.and_then(|place| place.zone);
        let fits = |only: &Option<String>, wanted: &Option<String>| only.is_none() || only == wanted;
        fits(&self.zone, &zone) && fits(&self.instance_type, &wanted.instance_type)
    }
}

/// A rule at work.
#[derive(Debug, Clone, Serialize)]
pub struct ActiveFault {
    /// Its number, by which it is taken away again.
    pub id: u64,
    /// How often it struck.
    pub struck: u64,
    /// What it is.
    #[serde(flatten)]
    pub rule: FaultRule,
}

impl ActiveFault {
    /// Whether it strikes this call; counts it when it does.
    pub(crate) fn strikes(
        &mut self,
        now: Timestamp,
        action: &str,
        secret_id: &str,
        body: &[u8],
        rng: &mut ChaCha8Rng,
    ) -> bool {
        let rule = &mut self.rule;
        let fits = rule.action.as_deref().is_none_or(|only| only == action)
            && rule.secret_id.as_deref().is_none_or(|only| only == secret_id)
            && rule.from.is_none_or(|from| from <= now)
            && rule.until.is_none_or(|until| now < until)
            && rule.count.is_none_or(|count| self.struck < count);
        if !fits || !rule.wants(body) {
            return false;
        }
        if rule.skip > 0 {
            rule.skip -= 1;
            return false;
        }
        let strikes = rule.probability >= 1.0 || rng.random_bool(rule.probability.clamp(0.0, 1.0));
        self.struck += u64::from(strikes);
        strikes
    }

    /// Whether it can never strike again.
    pub(crate) fn is_spent(&self, now: Timestamp) -> bool {
        self.rule.count.is_some_and(|count| self.struck >= count)
            || self.rule.until.is_some_and(|until| until <= now)
    }
}

/// What the faults that struck do to one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) network_delay: Duration,
    pub(crate) commit_delay: Duration,
    pub(crate) answer_delay: Duration,
    pub(crate) doubled_after: Option<Duration>,
    pub(crate) lost_request: Option<Loss>,
    pub(crate) lost_answer: Option<Loss>,
    pub(crate) gateway_before: Option<u16>,
    pub(crate) refuse: Option<String>,
    pub(crate) launch_fails: bool,
    pub(crate) date_ahead: f64,
    /// What happens to a listing and to the finished answer, in the order the rules were added.
    pub(crate) tampering: Vec<Fault>,
}

impl Plan {
    pub(crate) fn add(&mut self, fault: Fault, rng: &mut ChaCha8Rng) {
        match fault {
            Fault::LostRequest { loss } => self.lost_request = Some(loss),
            Fault::LostAnswer { loss } => self.lost_answer = Some(loss),
            Fault::LateRequest { delay } => self.network_delay += delay.draw(rng),
            Fault::LateCommit { delay } => self.commit_delay += delay.draw(rng),
            Fault::SlowAnswer { delay } => self.answer_delay += delay.draw(rng),
            Fault::DoubledRequest { delay } => self.doubled_after = Some(delay.draw(rng)),
            Fault::HttpError { status, committed: false } => self.gateway_before = Some(status),
            Fault::Refuse { code } => self.refuse = Some(code),
            Fault::WrongDate { ahead } => self.date_ahead = ahead,
            Fault::LaunchFails => self.launch_fails = true,
            Fault::CutAnswer
            | Fault::DoubledBody
            | Fault::EmptyAnswer
            | Fault::HollowAnswer
            | Fault::HttpError { .. }
            | Fault::FailAfterCommit { .. }
            | Fault::EmptyListing
            | Fault::EmptyPage
            | Fault::ShortPage { .. }
            | Fault::DoubledEntries
            | Fault::MovedTotal { .. } => self.tampering.push(fault),
        }
    }
}

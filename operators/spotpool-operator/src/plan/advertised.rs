//! What the cloud advertises of its stock, and what that is worth. Pure.
//!
//! It is a hint and never a proof: it orders candidates, and it ends a back-off early. A refusal of what was advertised
//! when it was asked for has shown that to be false, until the cloud says otherwise and comes back to it.

use std::time::Duration;

use jiff::Timestamp;

use crate::crd::Candidate;

/// What was said counts for so long, and is asked for again as long as somebody waits for stock.
pub const ASK_AGAIN: Duration = Duration::from_secs(10);

/// What the cloud said of a pool's candidates when it was last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advertised {
    /// Not asked again before this time, by the cloud's clock, whether an answer came or not.
    pub again_at: Timestamp,
    /// When it was last asked, by the cloud's clock: nothing below became known later.
    pub asked_at: Timestamp,
    /// What it said; nothing about a candidate that it did not name, nor when it did not answer.
    pub adverts: Vec<Advert>,
}

/// What the cloud says of one type in one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advert {
    /// The type.
    pub instance_type: String,
    /// The zone.
    pub availability_zone: String,
    /// Whether there is any left.
    pub in_stock: bool,
    /// When the first look began since which every look said the same.
    pub since: Timestamp,
}

impl Advertised {
    /// Whether it still counts. What is older is asked for again, if anybody has use for it.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.again_at
    }

    /// What is said of this candidate.
    pub fn of(&self, candidate: &Candidate) -> Option<&Advert> {
        self.adverts.iter().find(|advert| {
            advert.instance_type == candidate.instance_type
                && advert.availability_zone == candidate.availability_zone
        })
    }
}

//! Which candidate is asked for next, and by how many at once. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::Rules;
use super::advertised::{Advert, Advertised};
use super::back_off::{Known, LONGEST, Memory};
use crate::crd::{AttemptOutcome, Candidate};
use crate::span::later;
use crate::valid::ValidPool;

/// How long a success says that there is stock.
const STOCK_KNOWN: Duration = Duration::from_secs(300);
/// How long the others wait for the answer to the first one.
const SCOUT_DEADLINE: Duration = Duration::from_secs(15);

/// Who may send a first request now, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// So many of those who are due, for this candidate, those under way included.
    Open(Candidate, usize),
    /// One, whose answer the others follow.
    Scout(Candidate),
    /// Nobody before this time.
    Shut(Timestamp),
}

/// The first candidate that may be asked for: in the order of the spec, but what the cloud advertises as sold out
/// comes last, one that was refused a moment ago comes after those that were not, and when refusals have been many,
/// the one refused longest ago goes first. So all have been asked before any is asked twice.
///
/// Stock that is advertised anew ends a back-off for want of stock; see `Memory::is_news`.
pub fn gate(
    memory: &Memory,
    instances: &[Known<'_>],
    pool: &ValidPool,
    advertised: Option<&Advertised>,
    rules: &Rules,
    now: Timestamp,
) -> Gate {
    let advertised = advertised.filter(|advertised| advertised.is_fresh(now));
    let mut prospects: Vec<Prospect<'_>> = pool
        .candidates
        .iter()
        .map(|candidate| Prospect::of(candidate, memory, instances, pool, advertised, now))
        .collect();
    prospects.sort_by_key(|prospect| prospect.turn);
    let mut next = Timestamp::MAX;
    for prospect in prospects {
        let candidate = prospect.candidate;
        // Whoever asks may be refused: no more ask at once than have just been given machines, twice over, nor than could
        // be paid for. One may always follow another.
        let at_most = |wanted: usize| wanted.min(memory.payable(now)).max(1);
        if prospect.has_stock(now) {
            return Gate::Open(candidate.clone(), at_most(2 * prospect.given));
        }
        let is_said = prospect.advert.is_some_and(|advert| advert.in_stock);
        if is_said && !rules.guards.probe_once {
            return Gate::Scout(candidate.clone());
        }
        let until = if prospect.is_news {
            memory.payable_on_news_at()
        } else {
            let paid = memory.payable_at().filter(|_| prospect.made.is_none());
            memory.backs_off_until(candidate, pool).max(paid)
        };
        if let Some(until) = until.filter(|until| *until > now) {
            next = next.min(until);
            continue;
        }
        return match prospect.unanswered {
            Some(until) if until > now => Gate::Shut(until),
            Some(_) => Gate::Open(candidate.clone(), at_most(usize::MAX)),
            None => Gate::Scout(candidate.clone()),
        };
    }
    Gate::Shut(next)
}

/// Whether what the cloud advertises might change who is asked, or when.
pub fn is_a_guess(gate: &Gate, memory: &Memory, pool: &ValidPool, now: Timestamp) -> bool {
    match gate {
        Gate::Open(..) => false,
        Gate::Scout(_) => pool.candidates.len() > 1,
        Gate::Shut(_) => memory.waits_for_stock(pool, now),
    }
}

/// What is known of one candidate.
struct Prospect<'a> {
    candidate: &'a Candidate,
    /// When the last machine of it was given, if no refusal came since.
    made: Option<Timestamp>,
    /// How many machines were given since the last refusal.
    given: usize,
    /// Until when the answer to a request for it is awaited.
    unanswered: Option<Timestamp>,
    advert: Option<&'a Advert>,
    /// It is advertised, and no refusal says otherwise.
    is_news: bool,
    /// Lower comes first: when it was refused, if that counts, and how likely it is to be given.
    turn: (Timestamp, u8),
}

impl<'a> Prospect<'a> {
    fn of(
        candidate: &'a Candidate,
        memory: &Memory,
        instances: &[Known<'_>],
        pool: &ValidPool,
        advertised: Option<&'a Advertised>,
        now: Timestamp,
    ) -> Self {
        let failed = memory.last_failure(candidate, pool);
        let sent = |outcome| {
            let all = instances.iter().flat_map(|(_, status)| &status.attempts);
            let sent =
                all.filter(move |attempt| attempt.candidate == *candidate && attempt.outcome == outcome);
            sent.map(|attempt| attempt.sent_at.0).filter(move |at| *at > failed)
        };
        let advert = advertised.and_then(|advertised| advertised.of(candidate));
        let news_since = advert.filter(|advert| advert.in_stock).map(|advert| advert.since);
        let is_news = news_since.is_some_and(|since| memory.is_news(since, candidate, pool, now));
        let counts = !is_news && (later(failed, LONGEST) > now || memory.is_tight(now));
        let mut prospect = Self {
            candidate,
            made: sent(AttemptOutcome::Made).max(),
            given: sent(AttemptOutcome::Made).count(),
            unanswered: sent(AttemptOutcome::Unknown).max().map(|at| later(at, SCOUT_DEADLINE)),
            advert,
            is_news,
            turn: (if counts { failed } else { Timestamp::MIN }, 0),
        };
        prospect.turn.1 = match advert {
            // Nobody knows anything: the order of the spec.
            _ if advertised.is_none_or(|advertised| advertised.adverts.is_empty()) => 0,
            _ if is_news || prospect.has_stock(now) => 0,
            Some(advert) if !advert.in_stock => 2,
            // Not named, or named in vain.
            _ => 1,
        };
        prospect
    }

    /// A machine has shown it, a moment ago.
    fn has_stock(&self, now: Timestamp) -> bool {
        self.made.is_some_and(|made| later(made, STOCK_KNOWN) > now)
    }
}

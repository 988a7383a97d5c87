//! Asks each running machine's model server, at its pool's interval, whether it serves.
//!
//! Comes in: which machines are to be asked. Goes out: what each last said, and a wake-up when that changes
//! a machine's standing. It decides nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::metrics::Metrics;
use crate::ports::{PoolKey, ProbeTarget, Prober};
use crate::task::Tasks;

/// What a machine's model server said to this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeView {
    /// Whether it answered the latest probe; `None` before the first.
    pub ok: Option<bool>,
    /// Failed probes since the last answer.
    pub failures: u32,
    /// "ok", or why not.
    pub text: String,
    /// How long ago it last answered; `None`: never.
    pub answered_ago: Option<Duration>,
    /// How long ago another machine of the pool had last answered when this one began to be asked in vain, the last
    /// time; `None`: it answered, or none had. What it did not answer before may have been lost on a way that is
    /// whole again.
    pub others_answered_ago: Option<Duration>,
    /// For how long it has failed as often in a row as takes it out of service; `None`: it has not.
    pub out_for: Option<Duration>,
}

/// One machine to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Where.
    pub target: ProbeTarget,
    /// From the start of one probe to the start of the next.
    pub interval: Duration,
    /// So many failed probes in a row take it out of service.
    pub threshold: u32,
}

impl Question {
    /// After this at the latest a probe has been followed by another one, or by two on a busy machine.
    fn holds_for(&self) -> Duration {
        self.interval.saturating_mul(2).saturating_add(self.target.timeout)
    }
}

struct Asked {
    pool: PoolKey,
    question: Question,
    record: Record,
    /// Tells a task that it has been replaced.
    task: u64,
}

/// The probes of one operator.
pub struct Probes {
    asked: Mutex<(u64, BTreeMap<String, Asked>)>,
    prober: Arc<dyn Prober>,
    metrics: Arc<Metrics>,
    tasks: Tasks,
}

impl Probes {
    pub(crate) fn new(prober: Arc<dyn Prober>, metrics: Arc<Metrics>, tasks: Tasks) -> Arc<Self> {
        Arc::new(Self { asked: Mutex::new((0, BTreeMap::new())), prober, metrics, tasks })
    }

    /// From now on exactly these machines of the pool are asked (by the uid of their SpotInstance).
    pub fn ask(self: &Arc<Self>, pool: &PoolKey, questions: &BTreeMap<String, Question>) {
        let mut started = Vec::new();
        {
            let mut guard = self.lock();
            let (counter, asked) = &mut *guard;
            asked.retain(|uid, entry| entry.pool != *pool || questions.contains_key(uid));
            for (uid, question) in questions {
                if asked.get(uid).is_some_and(|entry| entry.question == *question) {
                    continue;
                }
                *counter += 1;
                // A changed question (another address, another port) starts from nothing known.
                let entry = Asked {
                    pool: pool.clone(),
                    question: question.clone(),
                    record: Record::default(),
                    task: *counter,
                };
                asked.insert(uid.clone(), entry);
                started.push((uid.clone(), *counter, question.clone()));
            }
        }
        for (uid, task, question) in started {
            let probes = Arc::clone(self);
            self.tasks.spawn(async move { probes.ask_for_ever(&uid, task, &question).await });
        }
    }

    /// What is known of the pool's machines, by the uid of their SpotInstance. Nothing is, like at the beginning, of one
    /// that should have been asked again by now: this process has stood still, and much may have happened meanwhile.
    pub fn views(&self, pool: &PoolKey) -> BTreeMap<String, ProbeView> {
        let guard = self.lock();
        let of_pool = guard.1.iter().filter(|(_, entry)| entry.pool == *pool);
        let now = Instant::now();
        let view = |entry: &Asked| entry.record.view(now, entry.question.holds_for()).unwrap_or_default();
        of_pool.map(|(uid, entry)| (uid.clone(), view(entry))).collect()
    }

    /// When another machine of the pool last answered, if this one is out of service: else nobody asks.
    fn others_answered(&self, uid: &str) -> Option<Instant> {
        let guard = self.lock();
        let this = guard.1.get(uid).filter(|entry| entry.record.out_since.is_some())?;
        let others = guard.1.iter().filter(|(other, entry)| *other != uid && entry.pool == this.pool);
        others.filter_map(|(_, entry)| entry.record.answered_at).max()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (u64, BTreeMap<String, Asked>)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_for_ever(&self, uid: &str, task: u64, question: &Question) {
        loop {
            let begun = Instant::now();
            let others = self.others_answered(uid);
            let result = self.prober.probe(&question.target).await;
            {
                let mut guard = self.lock();
                let Some(entry) = guard.1.get_mut(uid).filter(|entry| entry.task == task) else { return };
                self.metrics.probe(&entry.pool, result.is_ok());
                let failure = result.err().map(|failure| failure.0);
                if entry.record.take(failure, others, question.threshold, begun, Instant::now()) {
                    self.tasks.wake(entry.pool.clone());
                }
            }
            tokio::time::sleep_until(begun + question.interval).await;
        }
    }
}

/// What one machine said so far.
#[derive(Debug, Clone, Default)]
struct Record {
    ok: Option<bool>,
    failures: u32,
    text: String,
    answered_at: Option<Instant>,
    asked_at: Option<Instant>,
    others_answered_at: Option<Instant>,
    out_since: Option<Instant>,
}

impl Record {
    /// Notes a probe's result, and when others had last answered before it; whether it changes the machine's
    /// standing.
    fn take(
        &mut self,
        failure: Option<String>,
        others: Option<Instant>,
        threshold: u32,
        begun: Instant,
        now: Instant,
    ) -> bool {
        let was = self.standing();
        self.ok = Some(failure.is_none());
        if failure.is_some() {
            self.failures = self.failures.saturating_add(1);
            if self.failures >= threshold {
                self.out_since.get_or_insert(now);
            }
            self.others_answered_at = others;
        } else {
            *self = Self { ok: self.ok, answered_at: Some(begun), ..Self::default() };
        }
        self.asked_at = Some(begun);
        self.text = failure.unwrap_or_else(|| "ok".to_owned());
        was != self.standing()
    }

    /// Whether it answers, is out of service, and is so while others answer.
    fn standing(&self) -> (Option<bool>, bool, bool) {
        let alone = self.out_since.is_some_and(|out| self.others_answered_at >= Some(out));
        (self.ok, self.out_since.is_some(), alone)
    }

    /// What is known, unless the latest probe began longer ago than it may.
    fn view(&self, now: Instant, holds_for: Duration) -> Option<ProbeView> {
        let ago = |at: Instant| now.saturating_duration_since(at);
        let holds = self.asked_at.is_some_and(|at| ago(at) <= holds_for);
        holds.then(|| ProbeView {
            ok: self.ok,
            failures: self.failures,
            text: self.text.clone(),
            answered_ago: self.answered_at.map(ago),
            others_answered_ago: self.others_answered_at.map(ago),
            out_for: self.out_since.map(ago),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_standing_is_news() {
        let mut record = Record::default();
        let now = Instant::now();
        let no = || Some("connection refused".to_owned());
        let news: Vec<bool> = [no(), no(), no(), no(), None, None, no()]
            .into_iter()
            .map(|r| record.take(r, None, 3, now, now))
            .collect();
        assert_eq!(news, [true, false, true, false, true, false, true]);
    }

    #[test]
    fn that_others_answer_meanwhile_is_news_once() {
        let mut record = Record::default();
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut ask = |others: Option<u64>, now| {
            record.take(Some("connection refused".to_owned()), others.map(at), 1, at(now), at(now))
        };
        assert!(ask(None, 10));
        assert!(!ask(Some(9), 15), "it answered before this one was out");
        assert!(ask(Some(16), 20));
        assert!(!ask(Some(21), 25));
        let view = |record: &Record, seconds| record.view(at(seconds), Duration::from_secs(15));
        assert_eq!(view(&record, 30).unwrap().others_answered_ago, Some(Duration::from_secs(9)));
        record.take(None, None, 1, at(30), at(34));
        let now = view(&record, 34).unwrap();
        assert_eq!(now.others_answered_ago, None);
        // Nobody knows when within the question it was answered.
        assert_eq!(now.answered_ago, Some(Duration::from_secs(4)));
    }

    #[test]
    fn what_was_said_before_a_standstill_is_not_known_any_more() {
        let mut record = Record::default();
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let known = |record: &Record, seconds| record.view(at(seconds), Duration::from_secs(15)).is_some();
        assert!(!known(&record, 0), "nobody has asked");
        // It was asked when the probe began: what happened while it waited is no part of the answer.
        for failure in [None, Some("connection refused".to_owned())] {
            record.take(failure, None, 1, at(10), at(14));
            assert!(known(&record, 25) && !known(&record, 26));
        }
    }
}

//! What a person sees: one line per thing that happens, with the seconds since the start.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use testkit::{SimCvm, SimEvent};
use tokio::task::JoinHandle;

/// How often the ledger is read for the timeline.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Nobody looks at a silent screen for longer.
const SILENT_FOR: Duration = Duration::from_secs(10);

/// The clock of the demo and the way to its output.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    started: Instant,
    /// No more lines from the background: the summary is being written.
    closed: Arc<AtomicBool>,
    silence: Arc<Mutex<Silence>>,
}

/// Since when nothing was said, and what is waited for since when.
#[derive(Debug)]
struct Silence {
    since: Instant,
    awaited: Option<(String, Instant)>,
}

impl Silence {
    /// A line, when there was none for a while.
    fn broken(&self, now: Instant) -> Option<String> {
        let (what, since) = self.awaited.as_ref()?;
        let silent = now.saturating_duration_since(self.since) >= SILENT_FOR;
        let waited = now.saturating_duration_since(*since).as_secs();
        silent.then(|| format!("    ... {what} ({waited} s so far)"))
    }
}

impl Timeline {
    pub(crate) fn start() -> Self {
        println!("\n seconds  what happens");
        let started = Instant::now();
        let silence = Silence { since: started, awaited: None };
        Self { started, closed: Arc::default(), silence: Arc::new(Mutex::new(silence)) }
    }

    /// One line of the story.
    pub(crate) fn say(&self, what: &str) {
        println!("{:8.1}  {what}", self.started.elapsed().as_secs_f64());
        self.silence().since = Instant::now();
    }

    /// What is waited for from now on; said when nothing else is.
    pub(crate) fn awaits(&self, what: &str) {
        self.silence().awaited = Some((what.to_owned(), Instant::now()));
    }

    fn silence(&self) -> std::sync::MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line about a check that held.
    pub(crate) fn holds(&self, what: &str) {
        self.say(&format!("  ok: {what}"));
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Prints what the cloud's ledger records, as it happens, and what is waited for when nothing does, until the
    /// timeline is closed.
    pub(crate) fn follow(&self, sim: Arc<SimCvm>) -> JoinHandle<()> {
        let timeline = self.clone();
        tokio::spawn(async move {
            let mut seen = 0;
            while !timeline.closed.load(Ordering::Acquire) {
                for event in sim.ledger(seen).await.unwrap_or_default() {
                    seen = event.seq;
                    if let Some(line) = in_words(&event) {
                        timeline.say(&format!("    cloud: {line}"));
                    }
                }
                let waiting = timeline.silence().broken(Instant::now());
                if let Some(line) = waiting {
                    timeline.say(&line);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        })
    }
}

/// What a person wants to know of an event; the ledger has more.
fn in_words(event: &SimEvent) -> Option<String> {
    let machine = event.instance_id.as_deref().unwrap_or("a machine");
    let text = |name: &str| event.rest.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    match event.event.as_str() {
        "launched" if event.rest.get("caller").is_some_and(|caller| !caller.is_null()) => {
            Some(format!("{machine} launched as {}", text("name")))
        }
        "running" => Some(format!("{machine} is RUNNING")),
        "termination_accepted" => Some(format!("{machine} is to be terminated")),
        "gone" => Some(format!("{machine} is gone ({})", text("why"))),
        "refused" => {
            Some(format!("{} refused: {}", event.action.as_deref().unwrap_or("a call"), text("code")))
        }
        "fault" => {
            Some(format!("fault {} strikes {}", text("kind"), event.action.as_deref().unwrap_or("a call")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_silence_is_broken_by_what_is_waited_for() {
        let now = Instant::now();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let silence = |since, awaited| Silence { since: ago(since), awaited };
        let awaited = Some(("machines boot".to_owned(), ago(17)));
        assert_eq!(silence(11, awaited.clone()).broken(now).unwrap(), "    ... machines boot (17 s so far)");
        assert_eq!(silence(9, awaited).broken(now), None, "something was said just now");
        assert_eq!(silence(60, None).broken(now), None, "nothing is waited for");
    }
}

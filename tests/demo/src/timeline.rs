//! What a person sees: one line per thing that happens, with the seconds since the start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use testkit::{SimCvm, SimEvent};
use tokio::task::JoinHandle;

/// How often the ledger is read for the timeline.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The clock of the demo and the way to its output.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    started: Instant,
    /// No more lines from the background: the summary is being written.
    closed: Arc<AtomicBool>,
}

impl Timeline {
    pub(crate) fn start() -> Self {
        println!("\n seconds  what happens");
        Self { started: Instant::now(), closed: Arc::default() }
    }

    /// One line of the story.
    pub(crate) fn say(&self, what: &str) {
        println!("{:8.1}  {what}", self.started.elapsed().as_secs_f64());
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

    /// Prints what the cloud's ledger records, as it happens, until the timeline is closed.
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

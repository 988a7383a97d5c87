//! Events through `events.k8s.io/v1`: the same thing said again counts one up instead of making another.
//!
//! kube's `Recorder` counts Events as the same whatever their note says, and keeps the first note: a pool
//! that lost two machines would show the first one twice. Here the note is part of what is the same, or the Event's
//! topic, where the note tells something that is new each time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::{Event as KubeEvent, EventSeries as Series};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Client;
use kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::ports::{Event, Regarding};

/// Who says so, in `kubectl describe`.
const REPORTER: &str = crate::rbac::NAME;
/// Something said again within this time is the same thing still. Longer than the pause between two reminders of what
/// lasts, and shorter than an Event is kept, whose life begins anew when it is counted up.
const SAME_FOR: SignedDuration = SignedDuration::from_mins(40);
/// So many are remembered at most; forgetting means at worst another Event of the same text.
const REMEMBERED: usize = 10_000;
/// The API server takes at most 1,024 bytes.
const LONGEST_NOTE: usize = 1024;

/// Publishes Events and remembers the latest, to count them up.
pub(super) struct EventSeries {
    client: Client,
    instance: String,
    latest: Mutex<BTreeMap<Said, Published>>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    regarding: Regarding,
    warning: bool,
    reason: &'static str,
    action: &'static str,
    /// What it is about: its topic, or else the note.
    what: String,
}

struct Published {
    name: String,
    count: i32,
    at: Timestamp,
}

impl EventSeries {
    pub(super) fn new(client: Client) -> Self {
        let instance = std::env::var("HOSTNAME").unwrap_or_else(|_| REPORTER.to_owned());
        Self { client, instance, latest: Mutex::default() }
    }

    pub(super) async fn publish(&self, event: &Event) -> Result<(), kube::Error> {
        let said = Said {
            regarding: event.regarding.clone(),
            warning: event.warning,
            reason: event.reason,
            action: event.action,
            what: event.topic.clone().unwrap_or_else(|| event.note.clone()),
        };
        let now = Timestamp::now();
        let api = Api::<KubeEvent>::namespaced(self.client.clone(), &said.regarding.namespace);
        if let Some((name, count)) = self.said_before(&said, now) {
            match count_up(&api, &name, count, now).await {
                Ok(()) => {
                    self.remember(said, Published { name, count, at: now });
                    return Ok(());
                }
                // Somebody has cleared the Events: it is said anew.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        let fresh = self.fresh(&said, &event.note, now);
        let name = fresh.metadata.name.clone().unwrap_or_default();
        api.create(&PostParams::default(), &fresh).await?;
        self.remember(said, Published { name, count: 1, at: now });
        Ok(())
    }

    fn said_before(&self, said: &Said, now: Timestamp) -> Option<(String, i32)> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.retain(|_, published| now.duration_since(published.at) < SAME_FOR);
        latest.get(said).map(|published| (published.name.clone(), published.count.saturating_add(1)))
    }

    fn remember(&self, said: Said, published: Published) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() >= REMEMBERED {
            latest.clear();
        }
        latest.insert(said, published);
    }

    fn fresh(&self, said: &Said, note: &str, now: Timestamp) -> KubeEvent {
        let Regarding { api_version, kind, namespace, name, uid } = said.regarding.clone();
        KubeEvent {
            metadata: ObjectMeta {
                // Names of Events are the object's and the time: unique enough, and sorted by age.
                name: Some(format!("{name}.{:x}", now.as_nanosecond())),
                namespace: Some(namespace.clone()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some(if said.warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(said.reason.to_owned()),
            action: Some(said.action.to_owned()),
            note: Some(cut(note, LONGEST_NOTE).to_owned()),
            regarding: Some(ObjectReference {
                api_version: Some(api_version),
                kind: Some(kind),
                namespace: Some(namespace),
                name: Some(name),
                uid,
                ..ObjectReference::default()
            }),
            reporting_controller: Some(format!("aiops.org/{REPORTER}")),
            reporting_instance: Some(self.instance.clone()),
            ..KubeEvent::default()
        }
    }
}

async fn count_up(api: &Api<KubeEvent>, name: &str, count: i32, now: Timestamp) -> Result<(), kube::Error> {
    let series = Series { count, last_observed_time: MicroTime(now) };
    let patch = json!({"series": series});
    api.patch_metadata(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(|_| ())
}

/// At most `bytes` of the text, cut where a character ends.
fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reminders::AGAIN_AFTER;

    #[test]
    fn a_reminder_counts_one_up() {
        const { assert!(SAME_FOR.as_secs() > AGAIN_AFTER.as_secs()) };
    }

    #[test]
    fn a_long_note_is_cut_between_two_characters() {
        assert_eq!(cut("short", 1024), "short");
        assert_eq!(cut("已售罄", 7), "已售");
        assert_eq!(cut("已售罄", 9), "已售罄");
    }
}

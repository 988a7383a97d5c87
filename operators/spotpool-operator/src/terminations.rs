//! What the cloud said when machines were to be terminated: when to ask again, and what stands in the way. May be lost
//! at any time: then it is asked again at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use tencent_cvm::{Class, Error, InstanceId};
use tokio::time::Instant;

use crate::core::lock;
use crate::plan::AFTER_TERMINATE;
use crate::plan::seen::Told;
use crate::sweep::Trouble;

/// What passes by itself is tried again after at most this.
const AT_MOST: Duration = Duration::from_secs(60);
/// What a person has to end is tried again after this, and then less and less often.
const LASTING: Duration = Duration::from_secs(15);
/// But at least this often.
const LASTING_AT_MOST: Duration = Duration::from_secs(300);
/// What was said so long ago is of no use to anybody.
const KEPT_FOR: Duration = Duration::from_secs(3600);

/// See the module.
#[derive(Default)]
pub(crate) struct Terminations(Mutex<BTreeMap<InstanceId, Answer>>);

#[derive(Clone)]
struct Answer {
    again_at: Instant,
    refusals: u32,
    /// The first of the refusals with this code.
    refused: Option<Trouble>,
}

impl Terminations {
    /// The call goes out: none of these is asked for again while its answer and the cloud take their time.
    pub(crate) fn ask(&self, ids: &[InstanceId]) {
        let now = Instant::now();
        let mut answers = lock(&self.0);
        answers.retain(|_, answer| now < answer.again_at + KEPT_FOR);
        for id in ids {
            let answer =
                answers.entry(id.clone()).or_insert(Answer { again_at: now, refusals: 0, refused: None });
            answer.again_at = now + AFTER_TERMINATE;
        }
    }

    /// Notes the answer; whether it is another refusal than the one before.
    pub(crate) fn note(&self, id: &InstanceId, error: Option<&Error>) -> bool {
        let mut answers = lock(&self.0);
        let Some(answer) = answers.get_mut(id) else { return error.is_some() };
        let Some(error) = error else {
            (answer.refusals, answer.refused) = (0, None);
            return false;
        };
        let trouble = Trouble::of(error);
        answer.again_at = Instant::now() + pause(&trouble, answer.refusals);
        answer.refusals = answer.refusals.saturating_add(1);
        let same = answer.refused.as_ref().is_some_and(|known| known.code == trouble.code);
        if !same {
            answer.refused = Some(trouble);
        }
        !same
    }

    /// What was said of these.
    pub(crate) fn told(&self, ids: &BTreeSet<InstanceId>) -> BTreeMap<InstanceId, Told> {
        let now = Instant::now();
        let answers = lock(&self.0);
        let told = |answer: &Answer| Told {
            again_in: answer.again_at.saturating_duration_since(now),
            refused: answer.refused.clone(),
        };
        ids.iter().filter_map(|id| Some((id.clone(), told(answers.get(id)?)))).collect()
    }
}

/// How long to wait after so many refusals before this one.
fn pause(trouble: &Trouble, refusals: u32) -> Duration {
    let doublings = 1 << refusals.min(16);
    if trouble.class == Some(Class::Wait) {
        // Something else is under way with the machine, a boot as a rule, and that ends.
        AFTER_TERMINATE
    } else if trouble.is_lasting() {
        (LASTING * doublings).min(LASTING_AT_MOST)
    } else {
        (AFTER_TERMINATE * doublings).min(AT_MOST)
    }
}

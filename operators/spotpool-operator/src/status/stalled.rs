//! What waits for a person, the gravest first.

use tencent_cvm::Class;

use super::capacity::{sentence, stalled_reason};
use super::{LISTED, NAMED, Truth, Verdict, reachable, some_of, unwell, would_leak};
use crate::blame::sentences;
use crate::conditions::reason;
use crate::crd::pool::LaunchBackOff;
use crate::plan::health::{GaveUp, Reach};
use crate::plan::{Observed, Plan};

type Cause = fn(&Observed, &Plan) -> Option<(&'static str, String)>;

/// The first of these that holds is told.
const CAUSES: [Cause; 10] = [
    held,
    arrears,
    leaving_namespace,
    another_account,
    disputed,
    other_cluster,
    termination_refused,
    boots_fail,
    nobody_answers,
    launches_refused,
];

pub(super) fn stalled(seen: &Observed, plan: &Plan) -> Verdict {
    match CAUSES.iter().find_map(|cause| cause(seen, plan)) {
        Some((why, message)) => (Truth::True, why, message),
        None => (Truth::False, reason::NOTHING_STALLED, "nothing waits for a person".to_owned()),
    }
}

fn held(seen: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let passes = [reason::NOT_LOOKED_YET, reason::CLOUD_UNREACHABLE, reason::PAUSED];
    let hold = plan.hold.as_ref().filter(|hold| !passes.contains(&hold.reason))?;
    Some((hold.reason, sentences(&[&hold.message, &would_leak(seen)])))
}

fn arrears(_: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let names = some(&plan.in_arrears)?;
    let message = format!(
        "the account has not paid, and the cloud keeps the machines of these SpotInstances from working (IsolatedSource \
         ARREAR): {}. Pay, and they come back by themselves; until then they are neither replaced nor terminated, \
         and the cloud takes them away some time after the due date",
        some_of(names.clone(), NAMED)
    );
    Some((reason::ACCOUNT_PROBLEM, message))
}

fn leaving_namespace(seen: &Observed, _: &Plan) -> Option<(&'static str, String)> {
    let stays = seen.pool.valid().is_some_and(|pool| !pool.leaving);
    let message = "the namespace is being deleted: nothing is launched in it any more, and the machines go with the pool";
    (seen.namespace_leaving && stays).then(|| (reason::NAMESPACE_LEAVING, message.to_owned()))
}

fn another_account(_: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let places = some(&plan.elsewhere)?.iter().map(|(name, account)| format!("{name} (account {account})"));
    let message = format!(
        "the machines of these SpotInstances were asked for in another account than the key opens, are not seen, \
         and are billed: {}. Give a key of that account back, or terminate them there by hand and remove the \
         SpotInstances' finalizers",
        some_of(places.collect(), LISTED)
    );
    Some((reason::ANOTHER_ACCOUNT, message))
}

fn disputed(_: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let ids = some(&plan.disputed)?.iter().map(ToString::to_string).collect();
    let message = format!(
        "{} should go, but name or tags were changed by hand, so they may be anybody's by now: give them back (see \
         the Events of the SpotInstances) or terminate the machines by hand",
        some_of(ids, LISTED)
    );
    Some((reason::DISPUTED_MACHINE, message))
}

fn other_cluster(_: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let names = some(&plan.other_cluster)?;
    let message = format!(
        "these SpotInstances are being deleted and were made in another cluster, whose operator alone may terminate \
         their machines, so nothing happens to them here: {}. If that cluster is gone, or this one is a copy of it, \
         remove their finalizers, and terminate the machines by hand or let the pool take them over",
        some_of(names.clone(), LISTED)
    );
    Some((reason::OTHER_CLUSTER, message))
}

/// Which machines the cloud does not take back, and why.
fn termination_refused(_: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let refused = some(&plan.refused)?;
    let told =
        refused.iter().take(NAMED).map(|(name, id, trouble)| format!("{id} of {name}: {}", trouble.advice()));
    let more = refused.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more"));
    let told = told.chain(more).collect::<Vec<_>>().join(" ");
    let begin = "the cloud refuses to terminate machines that should go, and they are billed. ";
    Some((reason::TERMINATION_REFUSED, format!("{begin}{told} It is asked again every few minutes")))
}

fn boots_fail(_: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let silent = unwell(plan);
    let message = match plan.health.gave_up? {
        GaveUp::Hopeless => format!(
            "no machine made from the present spec ever answered ({silent}), and others do: no more of them are \
             replaced. Check spec.imageId, spec.instance.userData, spec.securityGroupIds and spec.health; a changed \
             spec is tried at once"
        ),
        GaveUp::TooMany => format!(
            "too many machines came up within the hour and never answered ({silent}); the next is replaced when that \
             is over. Check spec.imageId, spec.instance.userData and spec.health.startupTimeout"
        ),
    };
    Some((reason::BOOTS_FAIL, message))
}

fn nobody_answers(seen: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let (_, why, message) =
        (plan.health.reach == Reach::Nobody).then(|| reachable(plan, seen.pool.valid()))?;
    Some((why, message))
}

/// Every candidate was refused, and for none of them is it enough to wait.
fn launches_refused(seen: &Observed, plan: &Plan) -> Option<(&'static str, String)> {
    let pool = seen.pool.valid()?;
    let refusals = plan.memory.refusals(pool);
    let refused: usize = refusals.iter().map(|(_, candidates)| candidates.len()).sum();
    let (first, _) = refusals.first().filter(|_| refused == pool.candidates.len())?;
    if !refusals.iter().all(|(refusal, _)| waits_for_a_person(refusal)) {
        return None;
    }
    let next = format!("{} at {}", tried_again(first), first.until.0);
    let several = pool.candidates.len() > 1;
    Some((stalled_reason(first), sentences(&[&sentence(first, several), &next])))
}

/// What is tried again when, besides at the time that follows.
fn tried_again(refusal: &LaunchBackOff) -> &'static str {
    match refusal.class() {
        Class::Fatal | Class::CandidateFatal | Class::Forbidden => {
            "A changed spec is tried at once, the same again"
        }
        Class::NotOffered => "Another type, zone or charge type is tried at once, the same again",
        _ => "It is tried again",
    }
}

fn waits_for_a_person(refusal: &LaunchBackOff) -> bool {
    use Class::{Auth, CandidateFatal, Fatal, Forbidden, Money, NotOffered};
    matches!(refusal.class(), Fatal | CandidateFatal | NotOffered | Forbidden | Money | Auth)
}

fn some<T>(those: &Vec<T>) -> Option<&Vec<T>> {
    (!those.is_empty()).then_some(those)
}

//! What people read of launches: what the cloud gave, what it refused where, and when it is asked again.

use tencent_cvm::{AccountQuota, Class, ZoneQuota};

use super::{NAMED, Truth, Verdict};
use crate::blame;
use crate::conditions::reason;
use crate::crd::pool::LaunchBackOff;
use crate::crd::{AttemptOutcome, Candidate, ChargeType, SpotInstance};
use crate::plan::back_off::{LAUNCH_FAILED, NOT_SENT};
use crate::plan::{InstancePlan, Memory, Observed, Plan};
use crate::valid::ValidPool;

pub(super) fn capacity(seen: &Observed, plan: &Plan) -> Verdict {
    let pool = seen.pool.valid();
    let quota = seen.cloud.account().and_then(|account| account.quota.as_deref());
    if let Some(pool) = pool
        && let Some(first) = plan.memory.drought(pool)
    {
        let told = refused_where(&plan.memory, pool, quota, "next try at");
        return (Truth::False, capacity_reason(first), told);
    }
    let meanwhile = pool
        .map(|pool| refused_where(&plan.memory, pool, quota, "not asked again before"))
        .filter(|text| !text.is_empty());
    let meanwhile = meanwhile.map_or_else(String::new, |text| format!("; refused meanwhile: {text}"));
    // What was taken over, nobody asked the cloud for.
    let asked_for = |entry: &&InstancePlan| entry.instance.spec.adopted.is_none();
    let has_machine =
        |entry: &InstancePlan| entry.latest().is_some_and(|status| status.instance_id.is_some());
    if plan.instances.iter().filter(asked_for).any(has_machine) {
        let given = "the cloud gave the machines that were asked for";
        (Truth::True, reason::LAUNCHES_SUCCEED, format!("{given}{meanwhile}"))
    } else if !meanwhile.is_empty() {
        (Truth::Unknown, reason::LAUNCHING, format!("the next candidate is asked for{meanwhile}"))
    } else if seen.instances.iter().any(was_asked_for) {
        let asked = "a machine was asked for, and what became of it is not known yet";
        (Truth::Unknown, reason::LAUNCHING, asked.to_owned())
    } else {
        let launched =
            seen.pool.object().and_then(|pool| pool.status.as_ref()).map_or(0, |status| status.launched);
        let asked = if launched > 0 && seen.instances.is_empty() {
            "no machine is asked for now"
        } else {
            "no machine was asked for yet"
        };
        (Truth::Unknown, reason::NOTHING_ASKED, asked.to_owned())
    }
}

/// Whether a request for its machine may have reached the cloud.
fn was_asked_for(instance: &SpotInstance) -> bool {
    let attempts = instance.status.iter().flat_map(|status| &status.attempts);
    attempts.into_iter().any(|attempt| attempt.outcome != AttemptOutcome::NotSent)
}

/// What the cloud refused where, how often, and when it is asked again; empty when nothing stands refused.
/// Nobody waits for what is refused beside machines that can be had, so its time may pass; `next` fits both.
fn refused_where(memory: &Memory, pool: &ValidPool, quota: Option<&AccountQuota>, next: &str) -> String {
    let refusals = memory.refusals(pool);
    let texts = refusals.iter().take(NAMED).map(|(refusal, candidates)| {
        let several = pool.candidates.len() > 1;
        let whom = if several { format!("{}: ", whom(candidates)) } else { String::new() };
        let until = memory.payable_at().map_or(refusal.until.0, |payable| payable.max(refusal.until.0));
        let quota = quota.filter(|_| refusal.is_about_a_quota());
        format!(
            "{whom}{}{} Refused or failed {} times since the last success; {next} {until}",
            sentence(refusal, several),
            quota.map(|quota| in_figures(quota, pool, candidates)).unwrap_or_default(),
            refusal.failures,
        )
    });
    let more = refusals.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more, see status.launchBackOff"));
    texts.chain(more).collect::<Vec<_>>().join(". ")
}

/// What the account has of what it may have, in the zones of these candidates.
fn in_figures(quota: &AccountQuota, pool: &ValidPool, candidates: &[&Candidate]) -> String {
    let (what, zones) = match pool.template.charge_type {
        ChargeType::Spotpaid => ("spot", &quota.spot),
        ChargeType::PostpaidByHour => ("pay-as-you-go", &quota.on_demand),
    };
    let concerns = |zone: &&ZoneQuota| {
        candidates.iter().any(|candidate| zone.zone.as_deref() == Some(&candidate.availability_zone))
    };
    let figures: Vec<String> = zones
        .iter()
        .filter(concerns)
        .take(NAMED)
        .filter_map(|zone| Some(format!("{}: {} of {} vCPU", zone.zone.as_deref()?, zone.used?, zone.total?)))
        .collect();
    if figures.is_empty() { String::new() } else { format!(" In use ({what}): {}.", figures.join(", ")) }
}

fn whom(candidates: &[&Candidate]) -> String {
    let named = candidates.iter().take(NAMED);
    let mut names: Vec<String> = named
        .map(|candidate| format!("{} in {}", candidate.instance_type, candidate.availability_zone))
        .collect();
    let more = candidates.len().saturating_sub(NAMED);
    names.extend((more > 0).then(|| format!("{more} more")));
    names.join(", ")
}

pub(super) fn sentence(refusal: &LaunchBackOff, several: bool) -> String {
    let said = refusal.message.clone().unwrap_or_else(|| format!("the cloud answered {}", refusal.code));
    let tell = if several { blame::sentence_of_candidates } else { blame::sentence };
    tell(&said, &refusal.code, refusal.class().advice())
}

pub(super) fn stalled_reason(refusal: &LaunchBackOff) -> &'static str {
    use Class::{CandidateFatal, Fatal, Forbidden};
    match refusal.class() {
        Fatal | CandidateFatal | Forbidden => reason::REQUEST_REFUSED,
        _ => capacity_reason(refusal),
    }
}

pub(super) fn capacity_reason(refusal: &LaunchBackOff) -> &'static str {
    match refusal.code.as_str() {
        LAUNCH_FAILED => return reason::LAUNCH_FAILED,
        NOT_SENT => return reason::CLOUD_UNREACHABLE,
        _ => {}
    }
    match refusal.class() {
        Class::SoldOut | Class::ZoneSoldOut | Class::DiskSoldOut | Class::SubnetFull => reason::SOLD_OUT,
        Class::NotOffered => reason::NOT_OFFERED,
        Class::ZoneQuota | Class::AccountQuota => reason::QUOTA_EXCEEDED,
        Class::Money => reason::ACCOUNT_PROBLEM,
        _ => reason::REFUSED,
    }
}

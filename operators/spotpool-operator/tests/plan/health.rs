//! Line 7, not by rumour: which machines that do not answer may go, and when nothing may happen at all.

use std::time::Duration;

use spotpool_operator::conditions::kind;
use spotpool_operator::crd::{Phase, SpotInstance};

use crate::given::{at, instance, pool};
use crate::model::Model;

/// The shortest time between two machines that are sent away: failureThreshold x interval.
const PAUSE: u64 = 15;
const BOOT_DEADLINE: u64 = 15 * 60;

fn filled(minimum: i32, maximum: i32) -> Model {
    let mut model = Model::new(pool(minimum, maximum), 100);
    model.settle();
    model
}

impl Model {
    fn falls_silent(&mut self, n: i64) {
        self.silent.insert(n, self.now);
    }

    pub(crate) fn numbers(&self) -> Vec<i64> {
        let stays = |instance: &&SpotInstance| instance.metadata.deletion_timestamp.is_none();
        self.instances.iter().filter(stays).map(|instance| instance.spec.n).collect()
    }

    fn serving(&self) -> usize {
        let serves = |instance: &&SpotInstance| {
            let status = instance.status.clone().unwrap_or_default();
            status.phase == Phase::Ready && !self.silent.contains_key(&instance.spec.n)
        };
        self.instances.iter().filter(serves).count()
    }

    fn says(&self, kind: &str) -> (String, String) {
        let status = self.pool.as_ref().unwrap().status.as_ref().unwrap();
        let found = status.conditions.iter().find(|condition| condition.type_ == kind).unwrap();
        (found.status.clone(), found.reason.clone())
    }
}

fn said(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_sick_machine_is_replaced_when_another_one_answers() {
    let mut model = filled(2, 2);
    model.falls_silent(1);
    model.pass_for(10);
    assert_eq!(model.numbers(), [1, 2], "two failed answers are nothing");
    model.pass_for(60);
    assert_eq!(model.numbers(), [2, 3]);
    assert_eq!(model.living(), 2);
}

#[test]
fn a_pool_of_one_gets_its_replacement_first() {
    let mut model = filled(1, 1);
    model.falls_silent(1);
    let mut together = false;
    for _ in 0..20 {
        model.pass();
        together |= model.numbers() == [1, 2];
        assert!(
            model.numbers().contains(&1) || model.serving() == 1,
            "it went before its replacement served"
        );
        model.wait(5);
    }
    assert!(together);
    assert_eq!(model.numbers(), [2]);
}

#[test]
fn sick_machines_go_one_at_a_time() {
    let mut model = filled(5, 5);
    (1..=4).for_each(|n| model.falls_silent(n));
    let mut left = Vec::new();
    for _ in 0..30 {
        let before = model.numbers();
        model.pass();
        let gone = before.iter().filter(|n| !model.numbers().contains(n)).count();
        if gone > 0 {
            assert_eq!(gone, 1);
            left.push(model.now);
        }
        model.wait(5);
    }
    assert_eq!(left.len(), 4);
    for pair in left.windows(2) {
        assert!(pair[1].duration_since(pair[0]).as_secs() >= PAUSE.cast_signed());
    }
    assert_eq!(model.serving(), 5);
}

#[test]
fn a_cut_between_prober_and_pool_costs_one_machine_beside_and_ends_nothing() {
    let mut model = filled(10, 10);
    model.cut_since = Some(model.now);
    model.pass_for(30 * 60);
    assert_eq!(model.numbers(), (1..=11).collect::<Vec<_>>(), "one replacement, and nobody went");
    assert_eq!(model.says(kind::HEALTH_CHECK_REACHABLE), said("False", "NobodyAnswers"));
    assert_eq!(model.says(kind::STALLED), said("True", "NobodyAnswers"));
    model.cut_since = None;
    model.pass_for(60);
    assert_eq!(model.numbers(), (1..=10).collect::<Vec<_>>(), "only the surplus went");
    assert_eq!(model.says(kind::HEALTH_CHECK_REACHABLE), said("True", "Answering"));
    assert_eq!(model.serving(), 10);
}

#[test]
fn an_operator_that_begins_during_a_cut_sends_nobody_away() {
    for nobody_is_asked in [0, 5, 60] {
        let mut model = filled(2, 2);
        model.cut_since = Some(model.now);
        model.pass_for(60);
        assert_eq!(model.numbers(), [1, 2, 3], "one beside");
        // A restart, or an edit of spec.health: whoever asks begins with nothing known.
        model.nobody_asked = true;
        model.pass_for(nobody_is_asked);
        model.pass();
        assert_eq!(model.numbers(), [1, 2, 3], "nobody has answered, so nobody goes");
        model.nobody_asked = false;
        model.pass_for(600);
        assert_eq!(model.numbers(), [1, 2, 3]);
        model.cut_since = None;
        model.pass_for(60);
        assert_eq!(model.numbers(), [1, 2], "only the surplus went");
    }
}

#[test]
fn a_wish_that_comes_late_during_a_cut_is_not_wanted() {
    let mut model = filled(1, 3);
    model.cut_since = Some(model.now);
    model.pass_for(60);
    assert_eq!(model.numbers(), [1, 2], "one beside");
    // Another leader, which has stood still, makes the SpotInstance that it had raised the number for.
    model.pool.as_mut().unwrap().status.as_mut().unwrap().launched = 3;
    model.instances.push(instance(3));
    model.pass_for(60);
    assert_eq!(model.numbers(), [1, 2]);
    assert_eq!(model.living(), 2, "and no machine is made for it");
}

#[test]
fn a_pool_that_is_made_smaller_during_a_cut_gives_back_the_one_beside_too() {
    let mut model = filled(3, 3);
    model.cut_since = Some(model.now);
    model.pass_for(60);
    assert_eq!(model.numbers(), [1, 2, 3, 4]);
    let spec = &mut model.pool.as_mut().unwrap().spec;
    (spec.minimum, spec.maximum) = (2, 2);
    model.pass_for(60);
    model.cut_since = None;
    model.pass_for(60);
    assert_eq!(model.numbers().len(), 2);
    assert_eq!(model.serving(), 2);
}

#[test]
fn within_its_bounds_too_a_pool_gives_back_what_was_started_beside() {
    let mut model = filled(1, 3);
    model.cut_since = Some(model.now);
    model.pass_for(60);
    assert_eq!(model.numbers(), [1, 2]);
    model.cut_since = None;
    model.pass_for(60);
    assert_eq!(model.numbers(), [1]);
}

#[test]
fn two_machines_that_fall_silent_at_once_do_not_vouch_against_each_other() {
    let mut model = filled(2, 2);
    model.cut_since = Some(model.now);
    model.pass_for(60);
    assert_eq!(model.numbers(), [1, 2, 3]);
}

#[test]
fn an_answer_speaks_only_against_one_that_is_asked_again_after_it() {
    for by_hand in [false, true] {
        let mut model = filled(2, 2);
        model.stock = 0;
        if by_hand {
            delete_all(&mut model);
        }
        let silent = model.machines.keys().next().unwrap().clone();
        model.falls_silent(1);
        // The other one answered, but nobody has asked this one since, or that was before it had failed for good.
        for ago in [None, Some(Duration::from_secs(3600))] {
            model.others_answered_ago = ago;
            model.pass_for(40);
            assert!(model.machines.contains_key(&silent), "by hand: {by_hand}, {ago:?}");
        }
        model.others_answered_ago = Some(Duration::ZERO);
        model.pass_for(60);
        assert!(!model.machines.contains_key(&silent), "by hand: {by_hand}");
    }
}

#[test]
fn a_machine_that_never_answers_is_replaced_after_its_boot_deadline() {
    let mut model = filled(2, 2);
    model.silent.insert(3, model.now);
    let id = model.machines.keys().next().unwrap().clone();
    model.machines.remove(&id);
    model.pass_for(BOOT_DEADLINE - 60);
    assert_eq!(model.numbers(), [2, 3]);
    model.pass_for(120);
    assert_eq!(model.numbers(), [2, 4]);
    assert_eq!(model.says(kind::STALLED), said("False", "NothingStalled"));
}

#[test]
fn whoever_stood_still_past_a_boot_deadline_asks_first() {
    for in_what_state in ["RUNNING", "PENDING"] {
        let mut model = filled(2, 2);
        model.silent.insert(3, model.now);
        let id = model.machines.keys().next().unwrap().clone();
        model.machines.remove(&id);
        model.pass_for(60);
        model.is_shown_as(3, in_what_state);
        // It goes on before it has asked this one or looked again, and the other one has answered already.
        model.wait(BOOT_DEADLINE);
        model.looked_ago = Duration::from_secs(BOOT_DEADLINE);
        model.not_asked = Some(3);
        let plan = model.pass();
        assert_eq!(model.numbers(), [2, 3], "{in_what_state}: it may have booted meanwhile");
        assert!(plan.wake_after.is_some_and(|pause| pause <= Duration::from_secs(1)), "{in_what_state}");
        (model.looked_ago, model.not_asked) = (Duration::ZERO, None);
        model.pass_for(60);
        assert_eq!(model.numbers(), [2, 4], "{in_what_state}: it was asked, and does not answer");
    }
}

#[test]
fn a_template_of_which_no_machine_ever_answers_stops_after_two_boot_deadlines() {
    let mut model = filled(2, 2);
    let edited = model.pool.as_mut().unwrap();
    edited.spec.image_id = "img-broken".to_owned();
    (3..20).for_each(|n| model.falls_silent(n));
    let id = model.machines.keys().next().unwrap().clone();
    model.machines.remove(&id);
    model.pass_for(6 * BOOT_DEADLINE);
    assert_eq!(model.numbers(), [2, 5], "3 and 4 were given up, 5 stays");
    assert_eq!(model.says(kind::STALLED), said("True", "BootsFail"));
    assert_eq!(model.says(kind::READY), said("False", "BootsFail"));
    // Another template is tried at once.
    model.pool.as_mut().unwrap().spec.image_id = "img-right".to_owned();
    model.silent.clear();
    model.pass_for(60);
    assert_eq!(model.says(kind::STALLED), said("False", "NothingStalled"));
}

#[test]
fn failed_boots_are_at_most_ten_an_hour() {
    let mut model = filled(1, 3);
    let health = &mut model.pool.as_mut().unwrap().spec.health;
    health.startup_timeout = "10s".to_owned();
    model.pool.as_mut().unwrap().spec.minimum = 3;
    // Each that comes answers once too late.
    (2..400).for_each(|n| model.falls_silent(n));
    let made = |model: &Model| model.pool.as_ref().unwrap().status.as_ref().unwrap().launched;
    model.pass_for(60);
    let before = made(&model);
    model.pass_for(3600);
    assert!(made(&model) - before <= 10, "{} in an hour", made(&model) - before);
    assert_eq!(model.says(kind::STALLED), said("True", "BootsFail"));
}

#[test]
fn kubectl_delete_si_replaces_a_machine_before_it_goes() {
    let mut model = filled(1, 1);
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    model.instances[0].metadata.deletion_timestamp = Some(time);
    for _ in 0..20 {
        model.pass();
        assert!(model.serving() >= 1, "nobody serves");
        model.wait(5);
    }
    assert_eq!(model.instances.iter().map(|instance| instance.spec.n).collect::<Vec<_>>(), [2]);
}

#[test]
fn deleting_all_of_them_is_a_slow_roll() {
    let mut model = filled(3, 3);
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    for instance in &mut model.instances {
        instance.metadata.deletion_timestamp = Some(time.clone());
    }
    for _ in 0..60 {
        model.pass();
        assert!(model.serving() >= 3, "{} of 3 serve", model.serving());
        assert!(model.living() <= 4);
        let status = model.pool.as_ref().unwrap().status.as_ref().unwrap();
        assert!(status.size >= 3 && status.instances.len() >= 3, "what serves is told: {status:?}");
        model.wait(5);
    }
    assert_eq!(model.numbers(), [4, 5, 6]);
    assert_eq!(model.instances.len(), 3);
}

#[test]
fn a_slow_roll_buys_one_at_a_time_whatever_the_maximum() {
    let mut model = filled(4, 12);
    delete_all(&mut model);
    for _ in 0..100 {
        model.pass();
        assert!(model.serving() >= 4, "{} of 4 serve", model.serving());
        assert!(model.living() <= 5, "{} machines for 4", model.living());
        model.wait(5);
    }
    assert_eq!(model.numbers(), [5, 6, 7, 8]);
}

#[test]
fn what_vanishes_during_a_slow_roll_is_replaced_at_once() {
    let mut model = filled(6, 12);
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    model.instances[5].metadata.deletion_timestamp = Some(time);
    model.pass();
    let gone: Vec<_> = model.machines.keys().take(3).cloned().collect();
    model.machines.retain(|id, _| !gone.contains(id));
    model.pass_for(30);
    assert!(model.living() >= 6, "{} live", model.living());
}

#[test]
fn a_deleted_machine_that_may_be_spared_goes_at_once() {
    let mut model = filled(1, 3);
    model.pool.as_mut().unwrap().spec.minimum = 3;
    model.settle();
    model.pool.as_mut().unwrap().spec.minimum = 1;
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    model.instances[0].metadata.deletion_timestamp = Some(time);
    model.pass_for(60);
    assert_eq!(model.numbers(), [2, 3], "the size may shrink: nothing comes instead");
}

/// `kubectl delete si --all`.
fn delete_all(model: &mut Model) {
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    for instance in &mut model.instances {
        instance.metadata.deletion_timestamp.get_or_insert_with(|| time.clone());
    }
}

#[test]
fn machines_that_are_deleted_during_a_cut_stay_until_another_one_answers() {
    let mut model = filled(3, 3);
    model.cut_since = Some(model.now);
    model.pass_for(60);
    delete_all(&mut model);
    let first: Vec<_> = model.machines.keys().take(3).cloned().collect();
    for _ in 0..120 {
        model.pass();
        assert!(first.iter().all(|id| model.machines.contains_key(id)), "one went, and nobody had answered");
        model.wait(5);
    }
    model.cut_since = None;
    for _ in 0..60 {
        model.pass();
        assert!(model.living() >= 3, "{} live", model.living());
        model.wait(5);
    }
    assert!(first.iter().all(|id| !model.machines.contains_key(id)), "then all are replaced");
    assert_eq!(model.serving(), 3);
}

#[test]
fn a_short_cut_during_a_slow_roll_ends_nothing() {
    let mut model = filled(5, 5);
    delete_all(&mut model);
    model.pass_for(10);
    let before = model.living();
    model.cut_since = Some(model.now);
    model.pass_for(25);
    assert!(model.living() >= before, "{} of {before} live", model.living());
    model.cut_since = None;
    model.pass_for(600);
    assert_eq!((model.numbers().len(), model.serving(), model.living()), (5, 5, 5));
}

#[test]
fn a_deleted_machine_that_does_not_answer_goes_when_another_one_does() {
    let mut model = filled(2, 2);
    model.falls_silent(1);
    model.pass_for(20);
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    model.instances[0].metadata.deletion_timestamp = Some(time);
    model.pass_for(60);
    assert_eq!(model.instances.iter().map(|instance| instance.spec.n).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(model.living(), 2);
}

impl Model {
    fn is_shown_as(&mut self, n: i64, state: &str) {
        let id = self.instances.iter().find(|it| it.spec.n == n).unwrap().status.clone().unwrap().instance_id;
        let machine = self.machines.get_mut(&id.unwrap().as_str().into()).unwrap();
        machine.state = Some(state.to_owned().into());
    }

    fn phase_of(&self, n: i64) -> (Phase, Option<String>) {
        let found = self.instances.iter().find(|instance| instance.spec.n == n).unwrap();
        let status = found.status.clone().unwrap();
        (status.phase, status.reason)
    }
}

#[test]
fn a_machine_that_the_cloud_shows_at_work_on_itself_does_not_serve() {
    let not_running = (Phase::NotReady, Some("NotRunning".to_owned()));
    for state in ["REBOOTING", "STARTING", "RESCUE_MODE", "ENTER_RESCUE_MODE", "WHATEVER_COMES"] {
        let mut model = filled(2, 2);
        model.is_shown_as(1, state);
        model.pass_for(10);
        assert_eq!(model.phase_of(1), not_running, "{state}");
        assert_eq!(model.says(kind::READY).0, "False", "{state}");
        // Only what should be over by itself has a deadline; a person may be at work on the rest.
        model.pass_for(BOOT_DEADLINE + 120);
        let stays = !["REBOOTING", "STARTING"].contains(&state);
        assert_eq!(model.numbers().contains(&1), stays, "{state}");
    }
    let mut model = filled(2, 2);
    model.is_shown_as(1, "REBOOTING");
    model.pass_for(60);
    model.is_shown_as(1, "RUNNING");
    model.pass_for(10);
    assert_eq!(model.phase_of(1).0, Phase::Ready, "it is asked again, and answers");
}

#[test]
fn a_sick_machine_is_replaced_beside_one_that_a_person_is_at_work_on() {
    for state in ["RESCUE_MODE", "WHATEVER_COMES"] {
        let mut model = filled(2, 2);
        model.is_shown_as(1, state);
        model.pass_for(10);
        model.falls_silent(2);
        model.pass_for(120);
        assert_eq!(
            model.numbers(),
            [1, 3],
            "{state}: one is started, answers, and takes the silent one's place"
        );
    }
}

#[test]
fn a_machine_that_is_moved_while_it_runs_serves_on() {
    let mut model = filled(1, 1);
    model.is_shown_as(1, "ENTER_SERVICE_LIVE_MIGRATE");
    model.pass_for(60);
    assert_eq!(model.phase_of(1).0, Phase::Ready);
}

#[test]
fn the_last_one_that_serves_is_not_let_go_beside_one_that_is_being_rebooted() {
    let mut model = filled(1, 2);
    model.pool.as_mut().unwrap().spec.minimum = 2;
    model.settle();
    model.pool.as_mut().unwrap().spec.minimum = 1;
    model.is_shown_as(2, "REBOOTING");
    model.pass_for(10);
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    model.instances[0].metadata.deletion_timestamp = Some(time);
    model.pass_for(60);
    assert_eq!(model.phase_of(1), (Phase::Ready, Some("WaitsForReplacement".to_owned())));
}

#[test]
fn a_deleted_machine_that_runs_again_is_asked_before_it_is_judged() {
    let mut model = filled(2, 2);
    // No replacement comes.
    model.stock = 0;
    model.is_shown_as(1, "RESCUE_MODE");
    model.pass_for(10);
    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(500));
    model.instances[0].metadata.deletion_timestamp = Some(time);
    model.is_shown_as(1, "RUNNING");
    model.nobody_asked = true;
    model.pass_for(5);
    assert_eq!(model.phase_of(1), (Phase::NotReady, Some("WaitsForReplacement".to_owned())));
    model.nobody_asked = false;
    model.pass_for(5);
    assert_eq!(model.phase_of(1), (Phase::Ready, Some("WaitsForReplacement".to_owned())));
}

//! What holds of every plan, over random pools and what may become of their machines.

use proptest::prelude::*;
use spotpool_operator::crd::SpotInstanceStatus;
use tencent_cvm::{Instance, InstanceId, InstanceState, Tag};

use crate::given::{instance, machine, pool};
use crate::model::Model;

/// What may happen to a pool from outside.
#[derive(Debug, Clone)]
enum Blow {
    Vanish(usize),
    Stop(usize),
    Reclaim(usize),
    LoseTags(usize),
    DeleteInstance(usize),
    Twin(usize),
    LookAlike,
    PointAtStranger(usize),
    Resize(i32, i32),
    SoldOut,
    Restock,
    Wait(u64),
}

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![
        (0..6_usize).prop_map(Blow::Vanish),
        (0..6_usize).prop_map(Blow::Stop),
        (0..6_usize).prop_map(Blow::Reclaim),
        (0..6_usize).prop_map(Blow::LoseTags),
        (0..6_usize).prop_map(Blow::DeleteInstance),
        (0..6_usize).prop_map(Blow::Twin),
        Just(Blow::LookAlike),
        (0..6_usize).prop_map(Blow::PointAtStranger),
        (0..5_i32, 0..4_i32).prop_map(|(minimum, more)| Blow::Resize(minimum, minimum + more)),
        Just(Blow::SoldOut),
        Just(Blow::Restock),
        (1..200_u64).prop_map(Blow::Wait),
    ]
}

impl Model {
    fn own(&self, i: usize) -> Option<InstanceId> {
        let own: Vec<_> = self.machines.keys().filter(|id| !self.strangers.contains(*id)).cloned().collect();
        (!own.is_empty()).then(|| own[i % own.len()].clone())
    }

    fn add_stranger(&mut self, name: &str, tags: Vec<Tag>) -> InstanceId {
        let id = InstanceId::new(format!("ins-stranger-{}", self.strangers.len()));
        let like = machine(&instance(1), id.as_str(), InstanceState::Running);
        self.machines.insert(id.clone(), Instance { name: name.to_owned(), tags, ..like });
        self.strangers.insert(id.clone());
        id
    }

    fn strike(&mut self, blow: &Blow) {
        let set_state = |model: &mut Self, i: usize, state: InstanceState| {
            if let Some(id) = model.own(i) {
                model.machines.get_mut(&id).unwrap().state = Some(state);
            }
        };
        match blow {
            Blow::Vanish(i) => {
                if let Some(id) = self.own(*i) {
                    self.machines.remove(&id);
                }
            }
            Blow::Stop(i) => set_state(self, *i, InstanceState::Stopped),
            Blow::Reclaim(i) => {
                if let Some(id) = self.own(*i) {
                    self.machines.get_mut(&id).unwrap().state = Some(InstanceState::Shutdown);
                    self.pass();
                    self.machines.remove(&id);
                }
            }
            Blow::LoseTags(i) => {
                // They come back before anything has to be decided on them.
                if let Some(id) = self.own(*i) {
                    let tags = std::mem::take(&mut self.machines.get_mut(&id).unwrap().tags);
                    self.pass();
                    if let Some(machine) = self.machines.get_mut(&id) {
                        machine.tags = tags;
                    }
                }
            }
            Blow::DeleteInstance(i) => {
                let count = self.instances.len();
                if count > 0 {
                    let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(self.now);
                    self.instances[i % count].metadata.deletion_timestamp.get_or_insert(time);
                }
            }
            Blow::Twin(i) => {
                if let Some(id) = self.own(*i) {
                    let twin = InstanceId::new(format!("{id}-twin"));
                    let copy = Instance { id: twin.clone(), ..self.machines[&id].clone() };
                    // The cloud gave it although nobody was to have it; it must go again.
                    self.machines.insert(twin, copy);
                }
            }
            Blow::LookAlike => {
                self.add_stranger("sp-aaaaaaaaaaaaaaaa-1-000000", Vec::new());
            }
            Blow::PointAtStranger(i) => {
                let stranger = self.add_stranger("somebody-elses-database", Vec::new());
                let count = self.instances.len();
                if count > 0 {
                    let status: &mut SpotInstanceStatus =
                        self.instances[i % count].status.get_or_insert_default();
                    status.instance_id = Some(stranger.to_string());
                }
            }
            Blow::Resize(minimum, maximum) => {
                let pool = self.pool.as_mut().unwrap();
                (pool.spec.minimum, pool.spec.maximum) = (*minimum, *maximum);
                pool.metadata.generation = pool.metadata.generation.map(|generation| generation + 1);
            }
            Blow::SoldOut => self.stock = 0,
            Blow::Restock => self.stock += 20,
            Blow::Wait(seconds) => self.wait(*seconds),
        }
    }

    fn bounds(&self) -> (usize, usize) {
        let spec = &self.pool.as_ref().unwrap().spec;
        (usize::try_from(spec.minimum).unwrap(), usize::try_from(spec.maximum).unwrap())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The model checks on the way that no stranger is ever terminated, that nothing that lives is forgotten,
    /// that no launch takes the living above the maximum, and that a SpotInstance with a machine never sends.
    #[test]
    fn whatever_happens_the_pool_comes_to_rest_between_its_bounds(
        minimum in 0..5_i32, more in 0..4_i32, blows in prop::collection::vec(blow(), 0..25),
    ) {
        let mut model = Model::new(pool(minimum, minimum + more), 10);
        for blow in &blows {
            model.strike(blow);
            model.pass();
            model.wait(1);
        }
        model.stock += 100;
        let last = model.settle();
        let (minimum, maximum) = model.bounds();
        prop_assert!(last.is_empty(), "a settled pool has nothing to write: {last:?}");
        let pool = model.pool.clone();
        let again = model.pass();
        prop_assert!(again.is_empty() && model.pool == pool, "nor is its status written again");
        prop_assert!((minimum..=maximum).contains(&model.living()), "{} of {minimum}..={maximum}", model.living());
        prop_assert_eq!(last.tally.ready, model.living());
        for stranger in &model.strangers {
            prop_assert!(model.machines.contains_key(stranger), "{stranger} was not ours to take");
        }
    }

    #[test]
    fn a_deleted_pool_leaves_nothing_but_strangers(
        size in 0..5_i32, blows in prop::collection::vec(blow(), 0..15),
    ) {
        let mut model = Model::new(pool(size, size), 10);
        for blow in &blows {
            model.strike(blow);
            model.pass();
            model.wait(1);
        }
        let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(model.now);
        model.pool.as_mut().unwrap().metadata.deletion_timestamp = Some(time);
        for _ in 0..300 {
            if model.pool.is_none() {
                break;
            }
            model.pass();
            model.wait(5);
        }
        prop_assert!(model.pool.is_none(), "it never went: {:?}", model.instances);
        prop_assert_eq!(model.machines.keys().cloned().collect::<std::collections::BTreeSet<_>>(), model.strangers);
    }
}

#[test]
fn a_size_between_the_bounds_is_left_alone() {
    let mut model = Model::new(pool(3, 5), 10);
    model.settle();
    assert_eq!(model.living(), 3);
    model.strike(&Blow::Resize(1, 5));
    model.settle();
    assert_eq!(model.living(), 3, "lowering the minimum sends nobody away");
    model.strike(&Blow::Resize(1, 2));
    model.settle();
    assert_eq!(model.living(), 2, "lowering the maximum does");
}

#[test]
fn sold_out_is_asked_for_by_one_and_the_rest_follow() {
    let mut model = Model::new(pool(4, 4), 0);
    for _ in 0..50 {
        model.pass();
        model.wait(2);
    }
    let attempts = |model: &Model| -> Vec<i64> {
        let statuses = model.instances.iter().map(|instance| instance.status.as_ref());
        statuses.map(|status| status.map_or(0, |status| status.attempted)).collect()
    };
    assert_eq!(attempts(&model)[1..], [0, 0, 0], "the others waited");
    assert!((5..=8).contains(&attempts(&model)[0]), "100 s of 1, 2, 4, ... s: {:?}", attempts(&model));
    model.stock = 4;
    model.settle();
    assert_eq!(model.living(), 4);
}

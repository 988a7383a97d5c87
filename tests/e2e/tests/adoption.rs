//! A pool that was lost and made again, as after a restored backup: its machines run on and are taken over.

use e2e::{FILLED_WITHIN, SOON, World};
use serde_json::json;
use spotpool_operator::crd::SpotPool;

#[tokio::test]
async fn machines_of_a_lost_pool_are_listed_and_taken_over_by_the_command_that_the_condition_gives() {
    let world = World::begin("restored").await.unwrap();
    world.filled("restored", 2, 2).await.unwrap();
    let keep = json!({"metadata": {"annotations": {"demo.aiops.org/keep-machines": "true"}}});
    world.people.edit::<SpotPool>("restored", &keep).await.unwrap();
    world.people.delete::<SpotPool>("restored").await.unwrap();
    world
        .until("the pool to be gone", SOON, async || {
            Ok(world.people.api::<SpotPool>().get_opt("restored").await?.is_none().then_some(()))
        })
        .await
        .unwrap();
    let ids = async || -> Vec<String> {
        world.ours().await.unwrap().into_iter().map(|machine| machine.id).collect()
    };
    let (left, asked) = (ids().await, world.cloud.calls("RunInstances").await.unwrap());
    assert_eq!(left.len(), 2);

    // The same manifest again is another pool: it has another uid, and no status.
    let manifest = world.manifest("restored", 0, 3).unwrap();
    world.people.create::<SpotPool>(&manifest).await.unwrap();
    let unclaimed = world.people.condition("restored", "UnclaimedMachines", "True", SOON).await.unwrap();
    let command = unclaimed.message.rsplit("kubectl ").next().unwrap().to_owned();
    assert!(left.iter().all(|id| command.contains(id)), "{}", unclaimed.message);
    world.people.kubectl(&command.split(' ').collect::<Vec<_>>()).unwrap();

    world.people.condition("restored", "UnclaimedMachines", "False", SOON).await.unwrap();
    world
        .until("both to serve again", FILLED_WITHIN, async || {
            let status = world.people.pool("restored").await?.status.unwrap_or_default();
            Ok((status.ready_size == 2).then_some(()))
        })
        .await
        .unwrap();
    assert_eq!(ids().await, left);
    assert_eq!(world.cloud.calls("RunInstances").await.unwrap(), asked, "nothing was bought");
    let events = world.people.events_about("SpotPool", "restored").await.unwrap();
    let told = |id: &String| {
        let says = |note: &String| note.contains(&format!("machine {id} was taken over"));
        events.iter().any(|event| event.message.as_ref().is_some_and(says))
    };
    assert!(left.iter().all(told), "{events:#?}");

    // From now on they are its own: they go with it.
    world.people.delete::<SpotPool>("restored").await.unwrap();
    world
        .until("pool and machines to be gone", FILLED_WITHIN, async || {
            let pool = world.people.api::<SpotPool>().get_opt("restored").await?;
            Ok((pool.is_none() && world.ours().await?.is_empty()).then_some(()))
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_be_taken_over_is_told_with_the_reason() {
    let world = World::begin("strangers").await.unwrap();
    world.filled("strangers", 1, 2).await.unwrap();
    let stranger = world.cloud.add_stranger("database-do-not-touch").await.unwrap();
    let adopt = json!({"metadata": {"annotations": {"demo.aiops.org/adopt": stranger}}});
    world.people.edit::<SpotPool>("strangers", &adopt).await.unwrap();
    let why = format!("{stranger} is not taken over: no machine of this id is seen in");
    let told = world.people.told("strangers", ("UnclaimedMachines", "False"), &[&why], SOON).await.unwrap();
    assert_eq!(told.reason, "NotTakenOver");
}

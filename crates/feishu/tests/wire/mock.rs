//! A program that uses the traits, and its tests, which need no Feishu.

use std::time::Duration;

use feishu::{
    Class, CustomBot, Delivery, Error, FlowTrigger, Message, MockCustomBot, MockFlowTrigger, Operation, Text,
};
use serde_json::json;

/// What became of an alarm.
#[derive(Debug, PartialEq)]
enum Alarm {
    InTheGroup,
    Later(Duration),
    /// The group is out of reach, and the flow was told.
    Escalated,
}

/// An alarm goes to the group; when the group's bot is gone, to a flow.
async fn alarm(bot: &dyn CustomBot, flow: &dyn FlowTrigger, text: &str) -> Result<Alarm, Error> {
    match bot.send(&Message::from(Text::new(text)).with_reference("INC-42")).await {
        Ok(_) => Ok(Alarm::InTheGroup),
        Err(error) if error.class() == Some(Class::Webhook) => {
            flow.trigger(&json!({"text": text})).await?;
            Ok(Alarm::Escalated)
        }
        Err(error) => error.retry_after().map(Alarm::Later).ok_or(error),
    }
}

#[tokio::test]
async fn a_program_is_tested_with_a_group_that_takes_its_alarm() {
    let mut bot = MockCustomBot::new();
    bot.expect_send().once().returning(|_| Ok(Delivery::at_once()));
    assert_eq!(alarm(&bot, &MockFlowTrigger::new(), "down").await.expect("sent"), Alarm::InTheGroup);
}

#[tokio::test]
async fn a_program_is_tested_with_a_bot_that_is_gone_and_one_without_room() {
    let mut bot = MockCustomBot::new();
    bot.expect_send().once().returning(|_| {
        Err(Error::Refused {
            operation: Operation::Send,
            code: 19001,
            message: "param invalid".into(),
            class: Class::Webhook,
            status: 200,
            retry_after: None,
        })
    });
    let mut flow = MockFlowTrigger::new();
    flow.expect_trigger().once().withf(|payload| payload["text"] == "down").returning(|_| Ok(()));
    assert_eq!(alarm(&bot, &flow, "down").await.expect("told"), Alarm::Escalated);

    let wait = Duration::from_secs(9);
    bot.expect_send()
        .once()
        .returning(move |_| Err(Error::RateLimited { operation: Operation::Send, wait, source: None }));
    assert_eq!(alarm(&bot, &flow, "down").await.expect("later"), Alarm::Later(wait));
}

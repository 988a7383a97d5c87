//! Chat: bots and webhooks.

use super::{Alphabet, Class, between, exactly, key, key_of, literal};
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Chat, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "slack-token",
        "Token of Slack",
        "https://api.slack.com/concepts/token-types",
        Rule::Shapes(&[
            Shape::new(
                &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxd-"],
                &[between(Alphabet::SLACK, 20, 512)],
            ),
            Shape::new(&["xoxe.xoxb-", "xoxe.xoxp-", "xoxe-"], &[between(Alphabet::URL64, 20, 512)]),
            Shape::new(
                &["xapp-"],
                &[
                    exactly(Alphabet::DIGITS, 1),
                    literal("-"),
                    between(Alphabet::UPPER_DIGITS, 8, 16),
                    literal("-"),
                    between(Alphabet::DIGITS, 8, 16),
                    literal("-"),
                    between(Alphabet::ALNUM, 32, 128),
                ],
            ),
        ]),
    )
    .length(Length::Exactly(&[56])),
    class(
        "slack-webhook",
        "Incoming webhook of Slack",
        "https://api.slack.com/messaging/webhooks",
        Rule::Shapes(&[Shape::new(
            &["hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/"],
            &[between(Alphabet::WORD_SLASH, 30, 200)],
        )
        .keep_literal()]),
    )
    // Two ids, which get longer, and 24 letters, as the document shows them.
    .length(Length::Ending(b'/', 24)),
    class(
        "discord-bot-token",
        "Bot token of Discord",
        "https://discord.com/developers/docs/reference#authentication",
        Rule::Shapes(&[Shape::new(
            &["M", "N", "O"],
            &[
                between(Alphabet::URL64, 22, 28),
                literal("."),
                between(Alphabet::URL64, 6, 7),
                literal("."),
                between(Alphabet::URL64, 27, 40),
            ],
        )]),
    )
    // The document promises no length: the first part spells an id that grows.
    .length(Length::AtLeast(70)),
    class(
        "discord-webhook",
        "Webhook of Discord",
        "https://discord.com/developers/docs/resources/webhook",
        Rule::Shapes(&[Shape::new(
            &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
            &[between(Alphabet::DIGITS, 17, 20), literal("/"), between(Alphabet::URL64, 60, 80)],
        )
        .keep_literal()]),
    )
    .length(Length::Exactly(&[87, 88])),
    class(
        "telegram-bot-token",
        "Bot token of Telegram",
        "https://core.telegram.org/bots/features#botfather",
        Rule::Shapes(&[Shape::new(&[":AA"], &[exactly(Alphabet::URL64, 33)])
            .before(Alphabet::DIGITS, 8, 10)
            .glued_to("bot")]),
    ),
    class(
        "teams-webhook",
        "Incoming webhook of Microsoft Teams",
        "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",
        Rule::Shapes(&[Shape::new(
            &[".webhook.office.com/webhookb2/", "outlook.office.com/webhook/"],
            &[between(Alphabet::WEBHOOK, 70, 300)],
        )
        .keep_literal()]),
    )
    .length(Length::Exactly(&[159])),
    class(
        "zapier-webhook",
        "Webhook of Zapier",
        "https://help.zapier.com/hc/en-us/articles/8496288690317-Trigger-Zaps-from-webhooks",
        Rule::Shapes(&[Shape::new(
            &["hooks.zapier.com/hooks/catch/"],
            &[between(Alphabet::DIGITS, 5, 12), literal("/"), between(Alphabet::ALNUM, 6, 32)],
        )
        .keep_literal()]),
    ),
    class(
        "feishu-webhook",
        "Custom bot of Feishu or Lark",
        "https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot",
        Rule::Shapes(&[Shape::new(
            &[
                "open.feishu.cn/open-apis/bot/v2/hook/",
                "open.larksuite.com/open-apis/bot/v2/hook/",
                "open.feishu.cn/open-apis/bot/hook/",
                "open.larksuite.com/open-apis/bot/hook/",
                "feishu.cn/flow/api/trigger-webhook/",
                "larksuite.com/flow/api/trigger-webhook/",
            ],
            &[between(Alphabet::URL64, 20, 64)],
        )
        .keep_literal()]),
    ),
    class(
        "dingtalk-webhook",
        "Custom bot of DingTalk",
        "https://open.dingtalk.com/document/robots/custom-robot-access",
        Rule::Shapes(&[
            Shape::new(&["oapi.dingtalk.com/robot/send?access_token="], &[exactly(Alphabet::HEX, 64)])
                .keep_literal(),
            Shape::new(&["SEC"], &[exactly(Alphabet::HEX_LOWER, 64)]),
        ]),
    )
    .length(Length::Exactly(&[64])),
    class(
        "wecom-webhook",
        "Group bot of WeCom",
        "https://developer.work.weixin.qq.com/document/path/91770",
        Rule::Shapes(&[Shape::new(
            &["qyapi.weixin.qq.com/cgi-bin/webhook/send?key="],
            &[
                exactly(Alphabet::HEX, 8),
                literal("-"),
                exactly(Alphabet::HEX, 4),
                literal("-"),
                exactly(Alphabet::HEX, 4),
                literal("-"),
                exactly(Alphabet::HEX, 4),
                literal("-"),
                exactly(Alphabet::HEX, 12),
            ],
        )
        .keep_literal()]),
    ),
    class(
        "feishu-app-secret",
        "App secret of Feishu or Lark",
        "https://open.feishu.cn/document/server-docs/api-call-guide/terminology",
        Rule::Keys(&[
            key_of("feishu", "appsecret"),
            key_of("lark", "appsecret"),
            key_of("feishu", "signsecret"),
        ]),
    )
    .length(Length::Exactly(&[32])),
    class(
        "wechat-app-secret",
        "App secret of WeChat",
        "https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_access_token.html",
        Rule::Keys(&[
            key_of("wechat", "appsecret"),
            key_of("weixin", "appsecret"),
            key_of("wx", "appsecret"),
            key_of("wecom", "secret"),
            key("corpsecret"),
        ]),
    )
    .length(Length::Exactly(&[32, 43])),
];

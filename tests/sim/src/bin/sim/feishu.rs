//! `sim feishu`.

use std::net::SocketAddr;

use clap::Args;
use jiff::Timestamp;
use sim::feishu::{Bot, Settings, SimFeishu, Throttle};

use crate::stage;

// A flag that is given again counts as it was given last: a caller can append to a list of defaults.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct FeishuArgs {
    /// Where to listen. Port 0 takes a free one; the first line on stdout says which.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// The last part of the first bot's webhook. More bots, and flows, are made over the admin API.
    #[arg(long, default_value = "EXAMPLE-BOT")]
    token: String,
    /// The bot demands signatures with this secret.
    #[arg(long)]
    secret: Option<String>,
    /// The bot demands one of these words. May be given more than once.
    #[arg(long, value_name = "WORD")]
    keyword: Vec<String>,
    /// How messages beyond 5 a second or 100 a minute are refused.
    #[arg(long, value_enum, default_value = "frequency-limited")]
    throttle: Throttle,
    /// Seconds that Feishu's own clock is ahead.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true, value_name = "SECONDS")]
    clock_ahead: f64,
}

pub(crate) async fn run(args: FeishuArgs) -> anyhow::Result<()> {
    let (listener, address) = stage::listen(args.listen).await?;
    let greeting = [
        format!("feishu listening on http://{address}"),
        format!("feishu webhook http://{address}/open-apis/bot/v2/hook/{}", args.token),
    ];
    let bot = Bot { token: args.token, secret: args.secret, keywords: args.keyword, refuses_ip: false };
    let settings = Settings { clock_ahead: args.clock_ahead, throttle: args.throttle };
    stage::greet(&greeting)?;
    stage::until_ended(SimFeishu::new(settings, [bot], Timestamp::now()).serve(listener)).await
}

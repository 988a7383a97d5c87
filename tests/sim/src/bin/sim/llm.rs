//! `sim llm`.

use std::net::SocketAddr;

use clap::Args;
use jiff::Timestamp;
use sim::llm::{Dialect, Settings, SimLlm};

use crate::stage;

// A flag that is given again counts as it was given last: a caller can append to a list of defaults.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct LlmArgs {
    /// Where to listen. Port 0 takes a free one; the first line on stdout says which.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// Whose dialect it speaks.
    #[arg(long, value_enum, default_value = "openai")]
    dialect: Dialect,
    /// A model that it has. May be given more than once.
    #[arg(long, default_value = "sim-chat", value_name = "NAME")]
    model: Vec<String>,
    /// A key that may call. May be given more than once; without any, an obviously fake one is taken and printed.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Tokens of prompt and answer together.
    #[arg(long, default_value_t = 8192, value_name = "TOKENS")]
    context: u64,
    /// Requests that it takes in any 60 s; 0 for no limit.
    #[arg(long, default_value_t = 0, value_name = "N")]
    requests_per_minute: u64,
    /// Tokens that it takes in any 60 s; 0 for no limit.
    #[arg(long, default_value_t = 0, value_name = "N")]
    tokens_per_minute: u64,
    /// Seconds between the pieces of a stream.
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    pace: f64,
}

pub(crate) async fn run(args: LlmArgs) -> anyhow::Result<()> {
    let (listener, address) = stage::listen(args.listen).await?;
    let mut greeting = vec![format!("llm listening on http://{address}{}", args.dialect.base_path())];
    let mut keys = args.key;
    if keys.is_empty() {
        let fake = "sk-EXAMPLE-of-the-stand-in".to_owned();
        greeting.push(format!("llm key {fake}"));
        keys.push(fake);
    }
    let settings = Settings {
        models: args.model,
        context: args.context,
        requests_per_minute: args.requests_per_minute,
        tokens_per_minute: args.tokens_per_minute,
        pace: args.pace,
        ..Settings::new(args.dialect)
    };
    stage::greet(&greeting)?;
    stage::until_ended(SimLlm::new(settings, keys, Timestamp::now()).serve(listener)).await
}

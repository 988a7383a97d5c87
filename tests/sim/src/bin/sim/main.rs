//! The stand-ins as servers. `sim cvm --help` says what there is.

mod cvm;
mod feishu;
mod llm;
mod stage;

use clap::{Parser, Subcommand};

/// Stand-ins for services that cannot run on this machine, true to their wire.
#[derive(Debug, Parser)]
#[command(name = "sim", version)]
struct Cli {
    #[command(subcommand)]
    stand_in: StandIn,
}

#[derive(Debug, Subcommand)]
enum StandIn {
    /// Tencent Cloud CVM, version 2017-03-12: checks every signature, forgets nothing, misbehaves on
    /// demand. GET /_sim/ lists its admin API. Ends on SIGINT, SIGTERM or when asked to exit.
    Cvm(Box<cvm::CvmArgs>),
    /// OpenAI-compatible chat, in six dialects: checks keys and limits, and misbehaves on demand. GET /_sim/ lists
    /// its admin API. Ends on SIGINT or SIGTERM.
    Llm(llm::LlmArgs),
    /// Feishu's webhooks: checks signatures, keywords, rates, sizes and cards, and misbehaves on demand.
    /// GET /_sim/ lists its admin API, /_sim/cards draws what it got. Ends on SIGINT or SIGTERM.
    Feishu(feishu::FeishuArgs),
}

fn main() -> anyhow::Result<()> {
    let stand_in = Cli::parse().stand_in;
    // One thread is plenty, and keeps the order of what happens easy to read.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match stand_in {
        StandIn::Cvm(args) => runtime.block_on(cvm::run(*args)),
        StandIn::Llm(args) => runtime.block_on(llm::run(args)),
        StandIn::Feishu(args) => runtime.block_on(feishu::run(args)),
    }
}

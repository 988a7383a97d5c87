//! `sim cvm`.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::bail;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use sim::cvm::{
    Account, Addresses, Cloud, CloudConfig, Credential, Latency, NameFilter, Span, TokenMode, World,
};
use sim::http::{serve, serve_machines};
use sim::shared::SimCloud;

use crate::stage;

// A flag that is given again counts as it was given last: a caller can append to a list of defaults.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(crate) struct CvmArgs {
    /// Where to listen. Port 0 takes a free one; the first line on stdout says which.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// A key pair that may call: `SECRET_ID:SECRET_KEY`[:TOKEN][@ACCOUNT]. May be given more than once;
    /// without an account it belongs to `main`. Without any, an obviously fake one is taken and printed.
    #[arg(long, value_name = "ID:KEY")]
    credential: Vec<String>,
    /// Everything that is drawn is drawn from this.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long calls take.
    #[arg(long, value_enum, default_value = "lognormal")]
    latency: LatencyArg,
    /// From PENDING to RUNNING.
    #[arg(long, default_value = "5s", value_name = "TIME")]
    boot: Span,
    /// From RUNNING to the first answer of the model server.
    #[arg(long, default_value = "1s..2s", value_name = "TIME")]
    load: Span,
    /// How long a new machine stays out of listings and look-ups by id, such as 0s..60s.
    #[arg(long, default_value = "0", value_name = "TIME")]
    lag: Span,
    /// How long the tags of a new machine stay away.
    #[arg(long, default_value = "0", value_name = "TIME")]
    tag_lag: Span,
    /// How long a gone machine still shows in listings.
    #[arg(long, default_value = "0", value_name = "TIME")]
    linger: Span,
    /// What a repeated `ClientToken` does: replay, replay-for:TIME, ignored, error-on-replay,
    /// error-on-changed-body.
    #[arg(long, default_value = "replay", value_name = "MODE")]
    token_mode: TokenMode,
    /// What there is to buy: two zones of the region with the sample's type, or six with four types each.
    #[arg(long, value_enum, default_value = "sample")]
    world: WorldArg,
    /// How the instance-name filter compares.
    #[arg(long, value_enum, default_value = "exact")]
    name_filter: NameFilterArg,
    /// Seconds that the cloud's own clock is ahead.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true, value_name = "SECONDS")]
    clock_ahead: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LatencyArg {
    Off,
    Lognormal,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WorldArg {
    Sample,
    Wide,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum NameFilterArg {
    Exact,
    Contains,
}

pub(crate) async fn run(args: CvmArgs) -> anyhow::Result<()> {
    let (listener, address) = stage::listen(args.listen).await?;
    let (accounts, made_up) = accounts(&args.credential)?;
    let mut config = CloudConfig::new(accounts);
    config.addresses = loopback(std::process::id(), address.port());
    config.world = match args.world {
        WorldArg::Sample => World::sample(),
        WorldArg::Wide => World::wide(),
    };
    let settings = &mut config.settings;
    settings.boot = args.boot;
    settings.load = args.load;
    settings.visibility_lag = args.lag;
    settings.tag_lag = args.tag_lag;
    settings.linger = args.linger;
    settings.token_mode = args.token_mode;
    settings.clock_ahead = args.clock_ahead;
    settings.latency = match args.latency {
        LatencyArg::Off => Latency::Off,
        LatencyArg::Lognormal => Latency::Lognormal,
    };
    settings.name_filter = match args.name_filter {
        NameFilterArg::Exact => NameFilter::Exact,
        NameFilterArg::Contains => NameFilter::Contains,
    };
    let cloud = SimCloud::new(Cloud::new(config, args.seed), Timestamp::now());

    let mut greeting = vec![format!("cvm listening on http://{address}")];
    if let Some(Credential { secret_id, secret_key, .. }) = made_up {
        greeting.push(format!("cvm credential {secret_id}:{secret_key}"));
    }
    stage::greet(&greeting)?;
    stage::until_ended(async {
        tokio::select! {
            never = serve(listener, cloud.clone()) => never,
            never = serve_machines(cloud) => never,
        }
    })
    .await
}

/// The accounts by name, and the key pair that was made up because none was given.
fn accounts(credentials: &[String]) -> anyhow::Result<(Vec<Account>, Option<Credential>)> {
    if credentials.is_empty() {
        let fake = Credential::new("AKIDFAKE00000000000000000000000sim", "fakeSecretKey00000000000000000sim");
        return Ok((vec![Account::new("main", fake.clone())], Some(fake)));
    }
    let mut accounts: Vec<Account> = Vec::new();
    for text in credentials {
        let (pair, name) = text.rsplit_once('@').unwrap_or((text, "main"));
        let credential: Credential = pair.parse()?;
        let known = accounts.iter().flat_map(|account| &account.credentials);
        if known.into_iter().any(|known| known.secret_id == credential.secret_id) {
            bail!("the SecretId {} is given twice", credential.secret_id);
        }
        match accounts.iter_mut().find(|account| account.name == name) {
            Some(account) => account.credentials.push(credential),
            None => accounts.push(Account::new(name, credential)),
        }
    }
    Ok((accounts, None))
}

/// Networks within 127/8 for the machines' addresses, so that several stand-ins seldom meet. 127.0 is
/// left to everybody else.
fn loopback(pid: u32, port: u16) -> Addresses {
    let spread = (u64::from(pid) << 16 | u64::from(port)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let [block, start, ..] = spread.to_be_bytes();
    let block = block % 126;
    // 2..=127 and 129..=254: public and private networks never meet, not even those of two stand-ins.
    Addresses {
        public: Ipv4Addr::new(127, 2 + block, start, 0),
        private: Ipv4Addr::new(127, 129 + block, start, 0),
    }
}

//! The command-line arguments that every operator has, and their environment variables.

use std::net::SocketAddr;

use clap::{ArgAction, Command};

use crate::telemetry::{Endpoint, LogFormat};

/// Arguments of the process around an operator; flatten them into an operator's own.
#[derive(Debug, Clone, clap::Args)]
pub struct ProcessArgs {
    /// Namespace to look after; all when not given
    #[arg(long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,

    /// Address of /healthz, /readyz and /metrics
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:8080")]
    pub metrics_addr: SocketAddr,

    /// Work only while holding the Lease, so that several replicas may run
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        action = ArgAction::Set,
        num_args = 0..=1,
        default_missing_value = "true",
    )]
    pub leader_elect: bool,

    // The text is given as `help`: in a doc comment the variable would carry backticks.
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t = LogFormat::Json,
        help = "How log lines are written; RUST_LOG filters them, as in RUST_LOG=debug"
    )]
    /// How log lines are written.
    pub log_format: LogFormat,

    /// Send traces to the OTLP/HTTP collector at this address, as in http://collector:4318; none when not given
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<Endpoint>,
}

/// Gives every argument of `command` an environment variable: `--sweep-interval` is also
/// `PREFIX_SWEEP_INTERVAL`. An argument wins over its variable.
#[must_use]
pub fn with_environment(command: Command, prefix: &str) -> Command {
    command.mut_args(|arg| {
        let Some(long) = arg.get_long() else { return arg };
        if matches!(long, "help" | "version") {
            return arg;
        }
        let variable = format!("{prefix}_{}", long.replace('-', "_").to_uppercase());
        arg.env(variable).hide_env_values(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Args, FromArgMatches};

    fn command() -> Command {
        with_environment(ProcessArgs::augment_args(Command::new("operator")), "RUNTIMETEST")
    }

    fn parse(arguments: &[&str]) -> ProcessArgs {
        let matches = command().try_get_matches_from(arguments).unwrap();
        ProcessArgs::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn every_argument_has_an_environment_variable_of_the_same_name() {
        let command = command();
        let variables: Vec<_> = command
            .get_arguments()
            .filter_map(|arg| arg.get_env())
            .map(|variable| variable.to_str().unwrap())
            .collect();
        assert_eq!(
            variables,
            [
                "RUNTIMETEST_NAMESPACE",
                "RUNTIMETEST_METRICS_ADDR",
                "RUNTIMETEST_LEADER_ELECT",
                "RUNTIMETEST_LOG_FORMAT",
                "RUNTIMETEST_OTLP_ENDPOINT"
            ]
        );
    }

    #[test]
    fn leader_election_is_on_unless_it_is_switched_off() {
        assert!(parse(&["operator"]).leader_elect);
        assert!(parse(&["operator", "--leader-elect"]).leader_elect);
        assert!(!parse(&["operator", "--leader-elect=false"]).leader_elect);
        assert!(!parse(&["operator", "--leader-elect", "false"]).leader_elect);
    }
}

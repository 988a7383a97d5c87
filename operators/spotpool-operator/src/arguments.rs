//! The command line of the operator.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Command, CommandFactory, FromArgMatches, Parser};
use jiff::SignedDuration;
use runtime::ProcessArgs;
use url::Url;

const LONG: &str = "\
Keeps SpotPools filled with Tencent Cloud CVM spot machines, whatever the cloud takes back.

It finds the API server by KUBECONFIG, ~/.kube/config or the pod's ServiceAccount. It ends cleanly on SIGTERM:
requests for machines in flight end and are recorded, then the Lease is given back. It ends with an error
when it loses the Lease.";

/// Keeps SpotPools filled with Tencent Cloud CVM spot machines
#[derive(Debug, Parser)]
#[command(name = "spotpool-operator", version, long_about = LONG)]
pub(crate) struct Arguments {
    /// Where the cloud's API is, for every region; when not given, https://cvm.tencentcloudapi.com/. Accounts of the
    /// international site need https://cvm.intl.tencentcloudapi.com/
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) cvm_endpoint: Option<Url>,

    /// Who this cluster is, so that machines of another are never touched; when not given, the uid of the
    /// namespace kube-system
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) cluster_id: Option<String>,

    /// From the start of one look at the cloud to the start of the next
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(crate) sweep_interval: Duration,

    /// The longest time that a new machine may be missing from the cloud's listings; the waits before a
    /// request is repeated or forgotten follow from it
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = window)]
    pub(crate) visibility_window: Duration,

    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

impl Arguments {
    /// The command line, over the environment; ends the process when they make no sense.
    pub(crate) fn of_process() -> Self {
        let mut command = command();
        let matches = command.get_matches_mut();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
    }
}

fn command() -> Command {
    runtime::args::with_environment(Arguments::command(), "SPOTPOOL")
}

/// Such as https://cvm.tencentcloudapi.com/.
fn endpoint(text: &str) -> Result<Url> {
    let url: Url = text.parse()?;
    ensure!(matches!(url.scheme(), "http" | "https"), "it must begin with https:// or http://");
    Ok(url)
}

/// Such as 500ms, 2s or 1m30s.
fn duration(text: &str) -> Result<Duration> {
    let span: SignedDuration = text.parse()?;
    ensure!(span.is_positive(), "it must be longer than nothing");
    Ok(span.unsigned_abs())
}

/// Times are recorded in whole seconds.
fn window(text: &str) -> Result<Duration> {
    let window = duration(text)?;
    ensure!(window >= Duration::from_secs(1), "it must be at least 1s");
    Ok(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        let all = std::iter::once("spotpool-operator").chain(arguments.iter().copied());
        Arguments::from_arg_matches(&command().try_get_matches_from(all)?)
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let arguments = parse(&[]).unwrap();
        assert_eq!(arguments.cvm_endpoint, None);
        assert_eq!(arguments.cluster_id, None);
        assert_eq!(arguments.sweep_interval, Duration::from_secs(2));
        assert_eq!(arguments.visibility_window, Duration::from_secs(60));
        assert_eq!(arguments.process.namespace, None);
        assert_eq!(arguments.process.metrics_addr.to_string(), "0.0.0.0:8080");
        assert!(arguments.process.leader_elect);
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        let command = command();
        for flag in command.get_arguments().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"))
        {
            let variable = flag.get_env().unwrap().to_str().unwrap();
            let long = flag.get_long().unwrap();
            assert_eq!(variable, format!("SPOTPOOL_{}", long.to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        assert_eq!(duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(duration("1m30s").unwrap(), Duration::from_secs(90));
        for wrong in ["0s", "-2s", "2", "soon", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn help_names_the_address_that_is_asked_and_the_one_of_the_international_site() {
        let help = command().render_help().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            help.contains("for every region; when not given, https://cvm.tencentcloudapi.com/"),
            "{help}"
        );
        assert!(help.contains("need https://cvm.intl.tencentcloudapi.com/"), "{help}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_flags_name() {
        let refused = parse(&["--sweep-interval=0s"]).unwrap_err().to_string();
        assert!(refused.contains("--sweep-interval") && refused.contains("longer than nothing"), "{refused}");
        assert!(parse(&["--visibility-window=1s"]).is_ok() && parse(&["--visibility-window=999ms"]).is_err());
        for wrong in ["cloud", "ftp://cloud/", "localhost:8081"] {
            let refused = parse(&["--cvm-endpoint", wrong]).unwrap_err().to_string();
            assert!(refused.contains("--cvm-endpoint"), "{refused}");
        }
    }
}

//! How the examples reach Loki: flags, and what is printed when it goes wrong.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::Args;
use loki_client::{Auth, HttpLoki};
use url::Url;

/// Where Loki is, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Connect {
    // Its value is not shown by --help: people put credentials into it, which `build` then refuses.
    /// Where Loki is: what its own paths (/loki/api/v1/…) are appended to
    #[arg(long, env = "LOKI_ADDR", hide_env_values = true, default_value = "http://127.0.0.1:3100")]
    url: Url,
    /// The tenant (X-Scope-OrgID); several for several
    #[arg(long = "tenant", env = "LOKI_ORG_ID", value_delimiter = '|')]
    tenants: Vec<String>,
    /// The user of basic authentication; the password stands in LOKI_PASSWORD
    #[arg(long, env = "LOKI_USERNAME")]
    user: Option<String>,
    /// A file with a bearer token
    #[arg(long, env = "LOKI_BEARER_TOKEN_FILE", conflicts_with = "user")]
    token_file: Option<std::path::PathBuf>,
    /// A file with the certificates, in PEM, of an authority to trust beside those of the system
    #[arg(long, env = "LOKI_CA_CERT_PATH")]
    ca: Option<std::path::PathBuf>,
}

impl Connect {
    /// The client.
    pub(crate) fn client(&self) -> Result<HttpLoki, Box<dyn Error>> {
        // The TLS provider is the program's choice; the library only uses it. One that is there already will do.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let read = |path: &std::path::Path| {
            std::fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))
        };
        let mut builder = HttpLoki::builder(self.url.clone());
        // An empty variable is one that is not set.
        for tenant in self.tenants.iter().filter(|tenant| !tenant.is_empty()) {
            builder = builder.tenant(tenant);
        }
        if let Some(user) = &self.user {
            let password = std::env::var("LOKI_PASSWORD").map_err(|_| "LOKI_PASSWORD is not set")?;
            builder = builder.auth(Auth::Basic { user: user.clone(), password: password.into() });
        }
        if let Some(path) = &self.token_file {
            let token = String::from_utf8(read(path)?).map_err(|_| "the token is no text")?;
            builder = builder.auth(Auth::Bearer(token.trim().to_owned().into()));
        }
        if let Some(path) = &self.ca {
            builder = builder.certificate_authority(&read(path)?);
        }
        Ok(builder.build()?)
    }
}

/// Prints an error with its causes. A reader who went away, such as `head`, has had what it wanted.
pub(crate) fn finish(result: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {}", with_causes(error.as_ref()));
    ExitCode::FAILURE
}

/// An error with its causes, on one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

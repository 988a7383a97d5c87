//! The crate log-redact: its example `measure_redact` does the work.

use anyhow::Result;
use servers::own;

use crate::test::{Count, whole};

pub(super) fn measure() -> Result<Count> {
    println!("# log-redact");
    whole(own::cargo().args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "log-redact",
        "--example",
        "measure_redact",
    ]))
}

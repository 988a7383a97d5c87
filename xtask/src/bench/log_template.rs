//! The crate log-template: its example `measure_template` does the work.

use anyhow::Result;
use servers::own;

use crate::test::{Count, whole};

pub(super) fn measure() -> Result<Count> {
    println!("# log-template");
    whole(own::cargo().args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "log-template",
        "--example",
        "measure_template",
    ]))
}

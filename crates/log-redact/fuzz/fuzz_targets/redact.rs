//! Any bytes: what `tests/redaction/promises.rs` says must hold.
//!
//! ```sh
//! cd crates/log-redact/fuzz
//! cargo fuzz run redact corpus ../tests/corpus --sanitizer none -- -runs=1000000 -max_len=4096 -dict=redact.dict
//! ```

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use log_redact::Redactor;

#[path = "../../tests/redaction/promises.rs"]
mod promises;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(promises::everything);

fuzz_target!(|bytes: &[u8]| promises::hold(&REDACTOR, bytes));

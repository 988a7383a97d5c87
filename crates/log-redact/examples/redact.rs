//! Filters stdin to stdout: `redact < app.log > clean.log`.

use std::io::{Read, Write};

use anyhow::Result;
use log_redact::Redactor;

fn main() -> Result<()> {
    let redactor = Redactor::new()?;
    let mut stream = redactor.stream();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut chunk = vec![0; 64 * 1024];
    let mut clean = Vec::new();
    loop {
        let length = input.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        stream.push(&chunk[..length], &mut clean);
        output.write_all(&clean)?;
        clean.clear();
    }
    stream.finish(&mut clean);
    output.write_all(&clean)?;
    Ok(())
}

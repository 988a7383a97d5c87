//! Prints for each line of a file the id and the template of its group.

use std::io::{BufWriter, Write};

use log_template::Miner;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: group FILE")?;
    let bytes = std::fs::read(path)?;
    let mut miner = Miner::default();
    let mut ids = Vec::new();
    for line in bytes.split(|&b| b == b'\n') {
        ids.push(miner.observe(line).template);
    }
    if bytes.ends_with(b"\n") || bytes.is_empty() {
        ids.pop();
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for id in ids {
        let id = miner.resolve(id);
        let template = miner.template(id).map(ToString::to_string).unwrap_or_default();
        writeln!(out, "{id}\t{template}")?;
    }
    Ok(out.flush()?)
}

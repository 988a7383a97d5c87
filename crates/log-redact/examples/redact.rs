//! Filters standard input to standard output, secrets and personal data replaced.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use log_redact::{Find, Key, Redactor, Stream, classes};

const CHUNK: usize = 64 * 1024;
/// What is held back to see where a secret ends is given out when nothing comes for this long.
const PAUSE: Duration = Duration::from_millis(200);
/// Something was found, and `--fail-on-find` asks to be told.
const FOUND: u8 = 1;
const FAILED: u8 = 2;

/// Take secrets and personal data out of text: standard input to standard output
///
/// Each one becomes `<class:ID>`; the same secret has the same ID under the same key, and nobody without the key
/// can guess it back. The number of lines never changes. Bytes that are no UTF-8 pass as they are.
///
/// Ends with 0, with 1 if something was found and --fail-on-find is given, with 2 if it cannot work.
#[derive(Parser)]
#[command(name = "redact")]
struct Arguments {
    /// Count by class what was found, on standard error at the end
    #[arg(long)]
    report: bool,

    /// Say where: instead of the text, a line of JSON for each find
    #[arg(long)]
    json: bool,

    /// End with 1 if anything was found
    #[arg(long)]
    fail_on_find: bool,

    /// The key that ties secrets to IDs: a file of at least 16 bytes, best 32 random ones. A random key if
    /// not given
    #[arg(long, value_name = "FILE", env = "REDACT_KEY_FILE")]
    key_file: Option<PathBuf>,

    /// Look for nothing but these classes or groups
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,

    /// Look for these classes or groups too, such as `mac`, `host`, `ip-private`; `all` for all
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    enable: Vec<String>,

    /// Do not look for these classes or groups
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    disable: Vec<String>,

    /// Look for this regular expression too, under this name
    #[arg(long, value_name = "NAME=REGEX")]
    pattern: Vec<String>,

    /// Look for the regular expressions in this file too: a `name = regex` per line, `#` begins a comment
    #[arg(long, value_name = "FILE")]
    patterns: Vec<PathBuf>,

    /// Leave this value alone wherever it stands
    #[arg(long, value_name = "VALUE")]
    allow: Vec<String>,

    /// Leave the values in this file alone, one per line
    #[arg(long, value_name = "FILE")]
    allow_file: Vec<PathBuf>,

    /// List the classes, what they are and whose document says so
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        // Whoever reads has seen enough: `redact < app.log | head`. What was not read may hold what would have failed.
        Err(error) if is_broken_pipe(&error) && !arguments.fail_on_find => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error itself may be what failed.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut output = BufWriter::with_capacity(CHUNK, io::stdout().lock());
    if arguments.list {
        list(&mut output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let redactor = redactor(arguments)?;
    let mut stream = redactor.stream();
    if arguments.json {
        stream.keep_finds();
    }
    let chunks = chunks_of(io::stdin());
    let mut clean = Vec::with_capacity(2 * CHUNK);
    let mut idle = false;
    loop {
        // When all but the beginning of a line has been given out, wait as long as it takes.
        let next = if idle {
            chunks.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            chunks.recv_timeout(PAUSE)
        };
        idle = matches!(next, Err(RecvTimeoutError::Timeout));
        match next {
            Ok(chunk) => stream.push(&chunk.context("reading standard input")?, &mut clean),
            Err(RecvTimeoutError::Timeout) => stream.flush(&mut clean),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        give_out(arguments, &mut stream, &mut clean, &mut output)?;
        if idle {
            output.flush()?;
        }
    }
    stream.finish(&mut clean);
    give_out(arguments, &mut stream, &mut clean, &mut output)?;
    output.flush()?;
    if arguments.report {
        report(stream.counts()).context("writing the report to standard error")?;
    }
    let failed = arguments.fail_on_find && !stream.counts().is_empty();
    Ok(ExitCode::from(if failed { FOUND } else { 0 }))
}

/// What can be read, as it comes; ends with the input or an error. Read on a thread of its own, so that a
/// pause is seen.
fn chunks_of(mut input: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    // Few, so that memory stays bounded if the output is slow.
    let (sender, receiver) = sync_channel(4);
    std::thread::spawn(move || {
        loop {
            let mut chunk = vec![0; CHUNK];
            let read = match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => {
                    chunk.truncate(length);
                    Ok(chunk)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
            let last = read.is_err();
            if sender.send(read).is_err() || last {
                break;
            }
        }
    });
    receiver
}

/// Writes what is ready: the text, or where in it something was found.
fn give_out(
    arguments: &Arguments,
    stream: &mut Stream<'_>,
    clean: &mut Vec<u8>,
    output: &mut impl Write,
) -> Result<()> {
    if arguments.json {
        for find in stream.take_finds() {
            writeln!(output, "{}", as_json(&find))?;
        }
    } else {
        output.write_all(clean)?;
    }
    clean.clear();
    Ok(())
}

fn as_json(find: &Find<'_>) -> serde_json::Value {
    serde_json::json!({
        "line": find.line,
        "column": find.column,
        "offset": find.range.start,
        "length": find.range.len(),
        "class": find.class,
        "group": find.group.to_string(),
        "id": find.id.as_str(),
    })
}

fn report(counts: &BTreeMap<&str, u64>) -> io::Result<()> {
    let mut output = io::stderr().lock();
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by_key(|(class, count)| (std::cmp::Reverse(**count), **class));
    for (class, count) in &rows {
        writeln!(output, "{count:>10}  {class}")?;
    }
    writeln!(output, "{:>10}  in all", counts.values().sum::<u64>())
}

fn list(output: &mut impl Write) -> Result<()> {
    for class in classes() {
        let off = if class.by_default { "" } else { " (off unless enabled)" };
        writeln!(output, "{:<26} {:<14} {}{off}", class.name, class.group.to_string(), class.title)?;
        writeln!(output, "{:<41} {}", "", class.source)?;
    }
    output.flush()?;
    Ok(())
}

fn redactor(arguments: &Arguments) -> Result<Redactor> {
    let mut builder = Redactor::builder();
    if let Some(path) = &arguments.key_file {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let key = Key::from_bytes(bytes.trim_ascii_end());
        builder = builder.key(key.with_context(|| format!("the key in {}", path.display()))?);
    }
    if !arguments.only.is_empty() {
        builder = builder.disable("all");
    }
    for name in arguments.only.iter().chain(&arguments.enable) {
        builder = builder.enable(name);
    }
    for name in &arguments.disable {
        builder = builder.disable(name);
    }
    for pattern in &arguments.pattern {
        let Some((name, pattern)) = pattern.split_once('=') else {
            bail!("--pattern {pattern:?} has no name: write NAME=REGEX");
        };
        builder = builder.pattern(name.trim(), pattern);
    }
    for path in &arguments.patterns {
        for (number, line) in lines_of(path)?.iter().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, pattern)) = line.split_once('=') else {
                bail!("{}:{}: write `name = regex`", path.display(), number + 1);
            };
            builder = builder.pattern(name.trim(), pattern.trim());
        }
    }
    for value in &arguments.allow {
        builder = builder.allow(value.as_str());
    }
    for path in &arguments.allow_file {
        for value in lines_of(path)?.into_iter().filter(|value| !value.is_empty()) {
            builder = builder.allow(value);
        }
    }
    Ok(builder.build()?)
}

fn lines_of(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

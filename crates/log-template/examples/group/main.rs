//! Prints for each line of a file the id and the template of its group.

mod aliases;
#[path = "../interrupt/mod.rs"]
mod interrupt;
mod lines;
mod state;

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU8, Ordering};

use aliases::{AliasFile, Aliases};
use clap::Parser;
use lines::Lines;
use log_template::{Event, Joiner, Merge, Miner, TemplateId};

/// Groups the lines of a log by the statement that printed them
///
/// Prints `group-id<TAB>template` for each line. The lines of a stack trace are one event and have one id.
///
/// Without --stream the whole input is read first, and the text of every group that it had is kept, also of those that the
/// miner has forgotten: memory grows with the unlike lines of the input, by about 300 bytes for each. With --stream
/// it does not.
#[derive(Parser)]
#[command(name = "group")]
struct Arguments {
    /// The log; `-` is standard input
    file: PathBuf,

    /// Print each line's group at once, as it is known then. A later merge is announced on standard error as
    /// `merged<TAB>id<TAB>into`. A stack trace is known by its first line only
    #[arg(long)]
    stream: bool,

    /// With --stream: write `id<TAB>into` for every merged id to this file, at once. What it was merged into may be merged
    /// later; at the end of the input the file is written anew with what became of each at last
    #[arg(long, value_name = "FILE", requires = "stream")]
    aliases: Option<PathBuf>,

    /// Go on with what an earlier run has learnt and left in this file, if it is there, and leave in it what was learnt
    /// until the end: groups keep their ids. It is replaced as a whole, or not at all. A file that is no state, or a
    /// damaged one, is refused
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Take in the state that another reader has left, before the first line; may be given several times. What its groups
    /// are called here is announced on standard error as `adopted<TAB>id<TAB>ours`. `group --state A --merge B /dev/null`
    /// puts two states together
    #[arg(long, value_name = "OTHER")]
    merge: Vec<PathBuf>,
}

/// With what code to end when a signal says so; 0 until then.
static ENDED: AtomicU8 = AtomicU8::new(0);

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ENDED.load(Ordering::Relaxed).into(),
        // Whoever reads has seen enough: `group FILE | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let mut miner = arguments.state.as_deref().map_or_else(|| Ok(Miner::default()), state::load_or_new)?;
    for other in &arguments.merge {
        absorb(&mut miner, &state::load(other)?)?;
    }
    let lines = Lines::of(&arguments.file)?;
    let output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let save = |miner: &Miner| arguments.state.as_ref().map_or(Ok(()), |path| state::save(miner, path));
    if !arguments.stream {
        return whole(&mut miner, lines, output, save);
    }
    if arguments.state.is_some() {
        // A stream is mostly ended by Ctrl-C.
        interrupt::watch(|code| ENDED.store(code, Ordering::Relaxed))?;
    }
    let mut aliases = arguments.aliases.as_deref().map(AliasFile::create).transpose()?;
    let streamed = stream(&mut miner, lines, output, |merge| {
        aliases.as_mut().map_or(Ok(()), |aliases| aliases.learn(merge))
    });
    // Also when whoever reads has seen enough.
    save(&miner)?;
    streamed?;
    aliases.map_or(Ok(()), |mut aliases| aliases.finish())
}

fn absorb(miner: &mut Miner, other: &Miner) -> io::Result<()> {
    let adopted = miner.absorb(other);
    let mut told = io::stderr().lock();
    for merge in miner.merges() {
        writeln!(told, "merged\t{}\t{}", merge.from, merge.into)?;
    }
    adopted.iter().try_for_each(|adopted| writeln!(told, "adopted\t{}\t{}", adopted.theirs, adopted.ours))
}

/// An error of a file, with its name.
fn named(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Lines of one group.
struct Run {
    lines: Range<u64>,
    id: TemplateId,
}

/// Reads everything, then prints.
fn whole(
    miner: &mut Miner,
    mut lines: Lines<'_>,
    mut output: impl Write,
    save: impl Fn(&Miner) -> io::Result<()>,
) -> io::Result<()> {
    let mut joiner = Joiner::default();
    let mut aliases = Aliases::default();
    // Of every template, also of those that the miner has forgotten.
    let mut texts: HashMap<TemplateId, String> = HashMap::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut group = |event: &Event| {
        let id = miner.observe(&event.headline()).template;
        miner.merges().iter().for_each(|merge| aliases.learn(merge));
        let forgotten = miner.forgotten().iter();
        texts.extend(forgotten.map(|forgotten| (forgotten.id, forgotten.template.to_string())));
        for place in event.places() {
            match runs.last_mut() {
                // Logs repeat themselves: a run of one group is one entry.
                Some(run) if run.id == id && run.lines.end == place.start => run.lines.end = place.end,
                _ => runs.push(Run { lines: place, id }),
            }
        }
    };
    let mut line = Vec::new();
    while lines.read(&mut line)? {
        if let Some(event) = joiner.push(&line) {
            group(&event);
        }
    }
    if let Some(event) = joiner.finish() {
        group(&event);
    }
    save(miner)?;
    for (id, template, _) in miner.templates() {
        texts.insert(id, template.to_string());
    }
    // An event that stood between the parts of another's line came before it.
    runs.sort_by_key(|run| run.lines.start);
    for Run { lines, id } in runs {
        let id = aliases.resolve(id);
        let text = texts.get(&id).map_or("", String::as_str);
        for _ in lines {
            writeln!(output, "{id}\t{text}")?;
        }
    }
    output.flush()
}

/// Prints each line's group as soon as the line is there. Keeps nothing but the miner: a stream may never end.
fn stream(
    miner: &mut Miner,
    mut lines: Lines<'_>,
    mut output: impl Write,
    mut merged: impl FnMut(&Merge) -> io::Result<()>,
) -> io::Result<()> {
    let is_over = || ENDED.load(Ordering::Relaxed) > 0;
    let mut joiner = Joiner::default();
    let mut group: Option<TemplateId> = None;
    let mut line = Vec::new();
    let mut number = 0;
    while lines.wait(is_over)? && lines.read(&mut line)? {
        let ended = joiner.push(&line);
        // Ended with itself: it stands between the parts of another line, which goes on behind it.
        let is_between =
            ended.as_ref().is_some_and(|event| event.places().any(|place| place.start == number));
        number += 1;
        let id = match group.filter(|_| ended.is_none()) {
            Some(id) => miner.resolve(id),
            None => {
                let id = miner.observe(&line).template;
                for merge in miner.merges() {
                    writeln!(io::stderr(), "merged\t{}\t{}", merge.from, merge.into)?;
                    merged(merge)?;
                }
                id
            }
        };
        if !is_between {
            group = Some(id);
        }
        match miner.template(id) {
            Some(template) => writeln!(output, "{id}\t{template}")?,
            None => writeln!(output, "{id}\t")?,
        }
        if lines.may_wait() {
            output.flush()?;
        }
    }
    output.flush()
}

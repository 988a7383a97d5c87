//! Prints for each line of a file the id and the template of its group.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use log_template::{Event, Joiner, Merge, Miner, TemplateId};

/// Groups the lines of a log by the statement that printed them
///
/// Prints `group-id<TAB>template` for each line. The lines of a stack trace are one event and have one id.
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
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough: `group FILE | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let lines = Lines::of(&arguments.file)?;
    let output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    if !arguments.stream {
        return whole(lines, output);
    }
    let Some(path) = &arguments.aliases else { return stream(lines, output, |_| Ok(())) };
    let mut aliases = AliasFile::create(path)?;
    stream(lines, output, |merge| aliases.learn(merge))?;
    aliases.finish()
}

fn named(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The lines of a file or of standard input.
struct Lines<'p> {
    input: BufReader<Box<dyn Read>>,
    path: &'p Path,
}

impl<'p> Lines<'p> {
    fn of(path: &'p Path) -> io::Result<Self> {
        let input: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(|error| named(&error, path))?)
        };
        Ok(Self { input: BufReader::with_capacity(1 << 16, input), path })
    }

    /// Reads a line without its end, `\n` or `\r\n`. False at the end of the input.
    fn read(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        if self.input.read_until(b'\n', line).map_err(|error| named(&error, self.path))? == 0 {
            return Ok(false);
        }
        if line.ends_with(b"\n") {
            line.pop();
            if line.ends_with(b"\r") {
                line.pop();
            }
        }
        Ok(true)
    }

    /// Whether the next line may have to be waited for.
    fn may_wait(&self) -> bool {
        self.input.buffer().is_empty()
    }
}

/// Lines of one group.
struct Run {
    lines: Range<u64>,
    id: TemplateId,
}

/// Reads everything, then prints.
fn whole(mut lines: Lines<'_>, mut output: impl Write) -> io::Result<()> {
    let mut miner = Miner::default();
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
    mut lines: Lines<'_>,
    mut output: impl Write,
    mut merged: impl FnMut(&Merge) -> io::Result<()>,
) -> io::Result<()> {
    let mut miner = Miner::default();
    let mut joiner = Joiner::default();
    let mut group: Option<TemplateId> = None;
    let mut line = Vec::new();
    let mut number = 0;
    while lines.read(&mut line)? {
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

/// What became of every template that was put together with another one.
#[derive(Default)]
struct Aliases(HashMap<TemplateId, TemplateId>);

impl Aliases {
    fn learn(&mut self, merge: &Merge) {
        self.0.insert(merge.from, merge.into);
    }

    fn resolve(&self, mut id: TemplateId) -> TemplateId {
        while let Some(&into) = self.0.get(&id) {
            id = into;
        }
        id
    }

    fn write(&self, mut output: impl Write) -> io::Result<()> {
        let mut from: Vec<TemplateId> = self.0.keys().copied().collect();
        from.sort_unstable();
        for id in from {
            writeln!(output, "{id}\t{}", self.resolve(id))?;
        }
        output.flush()
    }
}

/// The aliases in a file, which is as good as what was read so far: a stream is mostly ended by Ctrl-C.
struct AliasFile<'p> {
    aliases: Aliases,
    file: File,
    path: &'p Path,
}

impl<'p> AliasFile<'p> {
    fn create(path: &'p Path) -> io::Result<Self> {
        let file = File::create(path).map_err(|error| named(&error, path))?;
        Ok(Self { aliases: Aliases::default(), file, path })
    }

    fn learn(&mut self, merge: &Merge) -> io::Result<()> {
        self.aliases.learn(merge);
        let line = format!("{}\t{}\n", merge.from, merge.into);
        self.file.write_all(line.as_bytes()).map_err(|error| named(&error, self.path))
    }

    /// Writes what became of each at last. A pipe has had all of it.
    fn finish(&mut self) -> io::Result<()> {
        let write = || {
            if !self.file.metadata()?.is_file() {
                return Ok(());
            }
            self.aliases.write(BufWriter::new(File::create(self.path)?))
        };
        write().map_err(|error| named(&error, self.path))
    }
}

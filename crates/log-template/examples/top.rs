//! The templates of standard input by count, as a live table.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Read as _, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use log_template::{Event, Joiner, Miner, TemplateId};

/// Show what a log consists of, while it is written: `kubectl logs -f deploy/web | top`
///
/// One row per template: lines, lines per second since the last picture, its id, and `+` when it is new in this picture.
/// All lines of a stack trace count for the template of its event. At the end of the input the table stays. When standard output is no terminal, only the last table is printed.
#[derive(Parser)]
#[command(name = "top")]
struct Arguments {
    /// Seconds between two pictures
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    interval: f64,

    /// How many templates to show: no more than fit on a terminal, and those when not given
    #[arg(long)]
    rows: Option<usize>,

    /// What the first row has most of
    #[arg(long, value_enum, default_value_t = Order::Count)]
    sort: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// Lines
    Count,
    /// Lines per second
    Rate,
    /// Novelty: the youngest template first
    New,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.05..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("not between 0.05 and 3600".to_owned()) }
}

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// Chunks that wait: whoever writes faster than lines are mined is slowed down.
const WAITING: usize = 16;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    let (sender, chunks) = sync_channel(WAITING);
    // It ends with the process: a read of standard input cannot be interrupted.
    thread::spawn(move || read(&sender));
    let mut view = View::new(arguments);
    let interval = Duration::from_secs_f64(arguments.interval);
    let mut next = Instant::now() + interval;
    loop {
        let wait = next.saturating_duration_since(Instant::now());
        match chunks.recv_timeout(wait) {
            Ok(chunk) => view.take(&chunk?),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                view.finish();
                return view.draw_last();
            }
        }
        if Instant::now() >= next {
            if is_idle(&chunks, &mut view)? {
                view.finish_event();
            }
            view.draw()?;
            next = Instant::now() + interval;
        }
    }
}

/// Whether nothing waits. What does is taken in first.
fn is_idle(chunks: &Receiver<io::Result<Vec<u8>>>, view: &mut View<'_>) -> io::Result<bool> {
    match chunks.try_recv() {
        Ok(chunk) => {
            view.take(&chunk?);
            Ok(false)
        }
        Err(_) => Ok(true),
    }
}

fn read(chunks: &SyncSender<io::Result<Vec<u8>>>) {
    let mut input = io::stdin().lock();
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match input.read(&mut chunk) {
            Ok(0) => return,
            Ok(length) => {
                chunk.truncate(length);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if chunks.send(read).is_err() || failed {
            return;
        }
    }
}

struct View<'a> {
    arguments: &'a Arguments,
    miner: Miner,
    joiner: Joiner,
    /// The line that has not ended yet.
    line: Vec<u8>,
    lines: u64,
    /// Each template's lines beyond the first of each event: those the miner counts itself.
    further: HashMap<TemplateId, u64>,
    /// Each template's lines at the last picture.
    before: HashMap<TemplateId, u64>,
    drawn: Instant,
}

struct Row {
    id: TemplateId,
    lines: u64,
    rate: f64,
    is_new: bool,
    template: String,
}

impl<'a> View<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        Self {
            arguments,
            miner: Miner::default(),
            joiner: Joiner::default(),
            line: Vec::new(),
            lines: 0,
            further: HashMap::new(),
            before: HashMap::new(),
            drawn: Instant::now(),
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        for part in chunk.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.lines += 1;
        if let Some(event) = self.joiner.push(line) {
            self.count(&event);
        }
        self.line.clear();
    }

    /// Nothing came for a while, so nothing more belongs to the last event.
    fn finish_event(&mut self) {
        if let Some(event) = self.joiner.finish() {
            self.count(&event);
        }
    }

    fn count(&mut self, event: &Event) {
        let id = self.miner.observe(&event.headline()).template;
        for merge in self.miner.merges() {
            let lines = self.further.remove(&merge.from).unwrap_or(0);
            *self.further.entry(merge.into).or_default() += lines;
        }
        for forgotten in self.miner.forgotten() {
            self.further.remove(&forgotten.id);
        }
        if event.lines() > 1 {
            *self.further.entry(self.miner.resolve(id)).or_default() += event.lines() as u64 - 1;
        }
    }

    fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.finish_event();
    }

    fn draw(&mut self) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if !output.is_terminal() {
            return Ok(());
        }
        let size = rustix::termios::tcgetwinsize(&output).map_or(0, |size| size.ws_row);
        // Some terminals do not know how high they are.
        let height = if size > 3 { size } else { 24 };
        // Two lines stand above the rows, and the cursor below them: one row more, and the first line would scroll away.
        let fit = usize::from(height) - 3;
        let rows = self.arguments.rows.map_or(fit, |rows| rows.min(fit));
        // From the top left, without wrapping long lines, and nothing left below.
        let table = self.table(rows, "\x1b[K\n");
        write!(output, "\x1b[H\x1b[?7l{table}\x1b[J\x1b[?7h")?;
        output.flush()
    }

    fn draw_last(&mut self) -> io::Result<()> {
        let mut output = io::stdout().lock();
        if output.is_terminal() {
            drop(output);
            return self.draw();
        }
        let rows = self.arguments.rows.unwrap_or(usize::MAX);
        output.write_all(self.table(rows, "\n").as_bytes())?;
        output.flush()
    }

    fn table(&mut self, most: usize, end: &str) -> String {
        let seconds = self.drawn.elapsed().as_secs_f64().max(1e-3);
        self.drawn = Instant::now();
        let before = std::mem::take(&mut self.before);
        let mut rows: Vec<Row> = self
            .miner
            .templates()
            .map(|(id, template, events)| {
                let lines = events + self.further.get(&id).copied().unwrap_or(0);
                self.before.insert(id, lines);
                let known = before.get(&id);
                let since = lines.saturating_sub(known.copied().unwrap_or(0));
                let template = template.to_string().replace(char::is_control, "?");
                Row { id, lines, rate: since as f64 / seconds, is_new: known.is_none(), template }
            })
            .collect();
        match self.arguments.sort {
            Order::Count => rows.sort_by_key(|row| std::cmp::Reverse(row.lines)),
            Order::Rate => rows.sort_by(|a, b| b.rate.total_cmp(&a.rate).then(b.lines.cmp(&a.lines))),
            Order::New => rows.sort_by_key(|row| std::cmp::Reverse(row.id)),
        }
        let mut table = format!("{} lines, {} templates{end}", self.lines, rows.len());
        table += &format!("{:>10} {:>9} {:>6}   template{end}", "lines", "per s", "id");
        for Row { id, lines, rate, is_new, template } in rows.iter().take(most) {
            let mark = if *is_new { '+' } else { ' ' };
            table += &format!("{lines:>10} {rate:>9.1} {id:>6} {mark} {template}{end}");
        }
        table
    }
}

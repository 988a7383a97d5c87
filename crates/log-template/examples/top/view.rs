//! What was read so far, as a table.

use std::collections::HashMap;
use std::time::Instant;

use log_template::{Event, Joiner, Miner, TemplateId};

use crate::{Arguments, Order};

pub(crate) struct View<'a> {
    pub(crate) arguments: &'a Arguments,
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
    started: Instant,
    /// Each template's last line, if they are shown.
    samples: HashMap<TemplateId, String>,
}

struct Row {
    id: TemplateId,
    lines: u64,
    rate: f64,
    is_new: bool,
    template: String,
}

impl<'a> View<'a> {
    pub(crate) fn new(arguments: &'a Arguments) -> Self {
        Self {
            arguments,
            miner: Miner::default(),
            joiner: Joiner::default(),
            line: Vec::new(),
            lines: 0,
            further: HashMap::new(),
            before: HashMap::new(),
            drawn: Instant::now(),
            started: Instant::now(),
            samples: HashMap::new(),
        }
    }

    pub(crate) fn take(&mut self, chunk: &[u8]) {
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
        if let Some(event) = self.joiner.push(line) {
            self.count(&event);
        }
        self.line.clear();
    }

    /// Nothing came for a while, so nothing more belongs to the last event.
    pub(crate) fn finish_event(&mut self) {
        if let Some(event) = self.joiner.finish() {
            self.count(&event);
        }
    }

    fn count(&mut self, event: &Event) {
        if self.arguments.filter.as_ref().is_some_and(|filter| !filter.is_match(event.text())) {
            return;
        }
        self.lines += event.lines() as u64;
        let id = self.miner.observe(&event.headline()).template;
        for merge in self.miner.merges() {
            let lines = self.further.remove(&merge.from).unwrap_or(0);
            *self.further.entry(merge.into).or_default() += lines;
            if let Some(sample) = self.samples.remove(&merge.from) {
                self.samples.insert(merge.into, sample);
            }
        }
        for forgotten in self.miner.forgotten() {
            self.further.remove(&forgotten.id);
            self.samples.remove(&forgotten.id);
        }
        if self.arguments.sample {
            self.samples.insert(self.miner.resolve(id), sample(event));
        }
        if event.lines() > 1 {
            *self.further.entry(self.miner.resolve(id)).or_default() += event.lines() as u64 - 1;
        }
    }

    pub(crate) fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.finish_event();
    }

    /// Lets the next table tell of all the time since the start.
    pub(crate) fn measure_all(&mut self) {
        self.before.clear();
        self.drawn = self.started;
    }

    /// The first `most` templates in the order that is asked for, each line with `end` behind it.
    pub(crate) fn table(&mut self, most: usize, end: &str) -> String {
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
                Row {
                    id,
                    lines,
                    rate: since as f64 / seconds,
                    is_new: known.is_none() && !before.is_empty(),
                    template,
                }
            })
            .collect();
        match self.arguments.sort {
            Order::Count => rows.sort_by_key(|row| std::cmp::Reverse(row.lines)),
            Order::Rate => rows.sort_by(|a, b| b.rate.total_cmp(&a.rate).then(b.lines.cmp(&a.lines))),
            Order::New => rows.sort_by_key(|row| std::cmp::Reverse(row.id)),
        }
        self.written(&rows, most, end)
    }

    /// The first `most` of `rows` below their titles.
    fn written(&self, rows: &[Row], most: usize, end: &str) -> String {
        let mut table = format!("{} lines, {} templates{end}", self.lines, rows.len());
        table += &format!("{:>10} {:>9} {:>6}   template{end}", "lines", "per s", "id");
        for Row { id, lines, rate, is_new, template } in rows.iter().take(most) {
            let mark = if *is_new { '+' } else { ' ' };
            table += &format!("{lines:>10} {rate:>9.1} {id:>6} {mark} {template}{end}");
            if let Some(sample) = self.samples.get(id) {
                table += &format!("{:>30}{sample}{end}", "");
            }
        }
        table
    }
}

/// The first line of `event`, cut short.
fn sample(event: &Event) -> String {
    const LONGEST: usize = 400;
    let line = event.text().split(|&byte| byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(&line[..line.len().min(LONGEST)]).replace(char::is_control, "?")
}

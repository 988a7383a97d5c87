//! The labelled sets, which stay outside this repository.

use std::io::{self, Write as _};
use std::path::Path;

/// A file of raw lines, and the statement of each by those who labelled it.
pub(crate) struct Set {
    pub(crate) name: String,
    text: Vec<u8>,
    /// The titles, then a row for each line.
    table: Vec<Vec<String>>,
    pub(crate) labels: Vec<String>,
}

impl Set {
    fn read(path: &Path) -> io::Result<Self> {
        let csv = std::fs::read_to_string(path.with_extension("log_structured.csv"))?;
        let mut set = Self {
            name: path.file_stem().unwrap_or_default().to_string_lossy().trim_end_matches("_2k").to_owned(),
            text: std::fs::read(path)?,
            table: csv.lines().map(columns).collect(),
            labels: Vec::new(),
        };
        set.labels = set.column("EventId")?;
        Ok(set)
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|&byte| byte == b'\n').take(self.labels.len()).map(<[u8]>::trim_ascii_end)
    }

    /// What those who labelled the lines wrote beside each under `title`.
    pub(crate) fn column(&self, title: &str) -> io::Result<Vec<String>> {
        let titles = self.table.first().map(Vec::as_slice).unwrap_or_default();
        let index = titles.iter().position(|other| other == title);
        let column = index.and_then(|index| {
            self.table[1..].iter().map(|row| row.get(index).cloned()).collect::<Option<Vec<String>>>()
        });
        column.ok_or_else(|| io::Error::other(format!("{}: no column {title} in every row", self.name)))
    }
}

/// Every set, or none, said aloud, where they are not at hand.
pub(crate) fn sets() -> io::Result<Vec<Set>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/loghub");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        // Not by a macro, whose output is shown of failing tests only.
        writeln!(io::stderr(), "SKIPPED: no labelled sets at {}", folder.display())?;
        return Ok(Vec::new());
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let logs = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let mut sets = logs.map(|path| Set::read(path)).collect::<io::Result<Vec<Set>>>()?;
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sets)
}

/// The columns of a line of CSV, where `""` within quotes is one quote.
fn columns(line: &str) -> Vec<String> {
    let (mut columns, mut column, mut quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => column.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => columns.push(std::mem::take(&mut column)),
            other => column.push(other),
        }
    }
    columns.push(column);
    columns
}

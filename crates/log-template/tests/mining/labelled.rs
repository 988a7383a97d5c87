//! The labelled sets, which stay outside this repository.

use std::path::Path;

/// A file of raw lines, and the statement of each by those who labelled it.
pub(crate) struct Set {
    pub(crate) name: String,
    text: Vec<u8>,
    pub(crate) labels: Vec<String>,
    /// Each line without its header, by those who labelled it.
    pub(crate) contents: Vec<String>,
}

impl Set {
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.split(|&byte| byte == b'\n').take(self.labels.len()).map(<[u8]>::trim_ascii_end)
    }
}

/// Every set, or none, said aloud, where they are not at hand.
pub(crate) fn sets() -> Vec<Set> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/loghub");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no labelled sets at {}", folder.display());
        return Vec::new();
    };
    let mut sets: Vec<Set> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .map(|path| {
            let csv = std::fs::read_to_string(path.with_extension("log_structured.csv")).expect("its labels");
            let rows: Vec<Vec<String>> = csv.lines().map(columns).collect();
            let column = |name: &str| -> Vec<String> {
                let index = rows[0].iter().position(|title| title == name).expect("a column of that name");
                rows[1..].iter().map(|row| row[index].clone()).collect()
            };
            Set {
                name: path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .trim_end_matches("_2k")
                    .to_owned(),
                text: std::fs::read(&path).expect("a readable set"),
                labels: column("EventId"),
                contents: column("Content"),
            }
        })
        .collect();
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    sets
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

//! Groups that turned out to be one.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use log_template::{Merge, TemplateId};

use crate::named;

/// What became of every template that was put together with another one.
#[derive(Default)]
pub(crate) struct Aliases(HashMap<TemplateId, TemplateId>);

impl Aliases {
    pub(crate) fn learn(&mut self, merge: &Merge) {
        self.0.insert(merge.from, merge.into);
    }

    pub(crate) fn resolve(&self, mut id: TemplateId) -> TemplateId {
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
pub(crate) struct AliasFile<'p> {
    aliases: Aliases,
    file: File,
    path: &'p Path,
}

impl<'p> AliasFile<'p> {
    pub(crate) fn create(path: &'p Path) -> io::Result<Self> {
        let file = File::create(path).map_err(|error| named(&error, path))?;
        Ok(Self { aliases: Aliases::default(), file, path })
    }

    pub(crate) fn learn(&mut self, merge: &Merge) -> io::Result<()> {
        self.aliases.learn(merge);
        let line = format!("{}\t{}\n", merge.from, merge.into);
        self.file.write_all(line.as_bytes()).map_err(|error| named(&error, self.path))
    }

    /// Writes what became of each at last. A pipe has had all of it.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let write = || {
            if !self.file.metadata()?.is_file() {
                return Ok(());
            }
            self.aliases.write(BufWriter::new(File::create(self.path)?))
        };
        write().map_err(|error| named(&error, self.path))
    }
}

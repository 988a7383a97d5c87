//! Where the tables go: a terminal's alternate screen while the input lasts, standard output at the end.

use std::io::{self, Write};

use crate::view::View;

/// Rows of a terminal that does not know how high it is.
const USUAL_HEIGHT: u16 = 24;
/// Two lines stand above the rows, and the cursor below them: one row more, and the first line would scroll away.
const BESIDE: u16 = 3;

pub(crate) struct Screen {
    /// Whether the alternate screen is shown.
    is_entered: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { is_entered: false }
    }

    /// Shows the table on a terminal, and nothing elsewhere.
    pub(crate) fn draw(&mut self, view: &mut View<'_>) -> io::Result<()> {
        let mut output = io::stdout().lock();
        let Some(fit) = fit(&output, view) else { return Ok(()) };
        if !std::mem::replace(&mut self.is_entered, true) {
            output.write_all(b"\x1b[?1049h")?;
        }
        // From the top left, without wrapping long lines, and nothing left below.
        let table = view.table(fit, "\x1b[K\n");
        write!(output, "\x1b[H\x1b[?7l{table}\x1b[J\x1b[?7h")?;
        output.flush()
    }

    /// Shows again what was on the terminal before.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_entered) {
            let mut output = io::stdout().lock();
            output.write_all(b"\x1b[?1049l")?;
            output.flush()?;
        }
        Ok(())
    }

    /// The last table, for whoever reads standard output.
    pub(crate) fn print(&self, view: &mut View<'_>) -> io::Result<()> {
        view.measure_all();
        let mut output = io::stdout().lock();
        let table = match fit(&output, view) {
            Some(fit) => format!("\x1b[?7l{}\x1b[?7h", view.table(fit, "\n")),
            None => view.table(view.arguments.rows.unwrap_or(usize::MAX), "\n"),
        };
        output.write_all(table.as_bytes())?;
        output.flush()
    }
}

impl Drop for Screen {
    /// After an error as well.
    fn drop(&mut self) {
        let _ = self.leave();
    }
}

/// How many templates fit on a terminal, if `output` is one.
fn fit(output: &(impl io::IsTerminal + std::os::fd::AsFd), view: &View<'_>) -> Option<usize> {
    if !output.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(output).map_or(0, |size| size.ws_row);
    let height = if size > BESIDE { size } else { USUAL_HEIGHT };
    let lines_each = if view.arguments.sample { 2 } else { 1 };
    let fit = usize::from(height - BESIDE) / lines_each;
    Some(view.arguments.rows.map_or(fit, |rows| rows.min(fit)))
}

//! Figures and how they are shown: each beside its floor, beside the plain loop, and beside what is to be reached.

use std::fmt::Write as _;
use std::time::Duration;

/// One measured figure.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) ours: String,
    /// What physics and the API's limits allow.
    pub(crate) floor: String,
    pub(crate) plain_loop: String,
    pub(crate) to_reach: String,
    /// Whether that was reached; `None` when nothing was asked for.
    pub(crate) reached: Option<bool>,
}

impl Figure {
    /// A figure that is only shown.
    pub(crate) fn new(what: impl Into<String>, ours: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ours: ours.into(),
            floor: String::new(),
            plain_loop: String::new(),
            to_reach: String::new(),
            reached: None,
        }
    }

    pub(crate) fn floor(mut self, floor: impl Into<String>) -> Self {
        self.floor = floor.into();
        self
    }

    pub(crate) fn plain_loop(mut self, plain_loop: impl Into<String>) -> Self {
        self.plain_loop = plain_loop.into();
        self
    }

    pub(crate) fn aims_at(mut self, to_reach: impl Into<String>, reached: bool) -> Self {
        (self.to_reach, self.reached) = (to_reach.into(), Some(reached));
        self
    }

    fn verdict(&self) -> &'static str {
        match self.reached {
            None => "",
            Some(true) => "reached",
            Some(false) => "**missed**",
        }
    }
}

/// What one row of the table has come to.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) figures: Vec<Figure>,
    /// How it was done, for the reader of the figures.
    pub(crate) how: String,
}

impl Measured {
    pub(crate) fn missed(&self) -> usize {
        self.figures.iter().filter(|figure| figure.reached == Some(false)).count()
    }
}

/// The figures as a table.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut text =
        String::from("| figure | ours | floor | plain loop | to reach | |\n|---|---|---|---|---|---|\n");
    for figure in figures {
        let Figure { what, ours, floor, plain_loop, to_reach, .. } = figure;
        let verdict = figure.verdict();
        // A String takes everything.
        let _ = writeln!(text, "| {what} | {ours} | {floor} | {plain_loop} | {to_reach} | {verdict} |");
    }
    text
}

/// The value below which this share of them lies (nearest rank); nothing of nothing.
pub(crate) fn percentile(values: &[Duration], percent: usize) -> Option<Duration> {
    let mut sorted = values.to_vec();
    sorted.sort();
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// `1.23 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// `p50 1.2 s, p99 2.0 s`.
pub(crate) fn percentiles(values: &[Duration], percents: &[usize]) -> String {
    let each = percents.iter().map(|percent| {
        let value = percentile(values, *percent).map_or_else(|| "-".to_owned(), seconds);
        format!("p{percent} {value}")
    });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let values: Vec<Duration> = (1..=100).rev().map(Duration::from_secs).collect();
        assert_eq!(percentile(&values, 50), Some(Duration::from_secs(50)));
        assert_eq!(percentile(&values, 99), Some(Duration::from_secs(99)));
        assert_eq!(percentile(&values[..1], 1), Some(Duration::from_secs(100)));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn a_figure_that_misses_is_told_from_one_that_nothing_was_asked_of() {
        let missed = Figure::new("a", "3 s").aims_at("<= 2 s", false);
        let shown = Figure::new("b", "1");
        let measured = Measured { figures: vec![missed, shown], how: String::new() };
        assert_eq!(measured.missed(), 1);
        assert!(table(&measured.figures).contains("| a | 3 s |  |  | <= 2 s | **missed** |"));
    }
}

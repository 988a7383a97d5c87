//! The rows, one file each: what happens, what is counted, what it is held against.

pub(crate) mod candidates;
pub(crate) mod cut;
pub(crate) mod deletion;
pub(crate) mod losses;
pub(crate) mod sick;
pub(crate) mod side_by_side;
pub(crate) mod stock;

use anyhow::Result;

use crate::Ask;
use crate::figures::Measured;

/// One row of the table.
pub(crate) struct Row {
    /// As `--only` takes it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: fn(Ask) -> Result<Measured>,
}

pub(crate) const ROWS: [Row; 7] = [
    Row { name: "losses", title: "2,000 machines, and they vanish one by one", measure: losses::measure },
    Row { name: "candidates", title: "24 candidates, stock in one of them", measure: candidates::measure },
    Row { name: "stock", title: "All is sold out, and stock returns", measure: stock::measure },
    Row { name: "cut", title: "The prober's network is cut for half an hour", measure: cut::measure },
    Row { name: "sick", title: "A model server dies", measure: sick::measure },
    Row { name: "deletion", title: "A pool of 500 is deleted", measure: deletion::measure },
    Row {
        name: "side-by-side",
        title: "Ours and a plain loop through the same hour",
        measure: side_by_side::measure,
    },
];

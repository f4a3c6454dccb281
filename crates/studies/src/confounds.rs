//! Confounds: head movement and other confounds in the file formats of the releases.

mod bids_columns;
mod comp_cor;
mod hcp;
mod outliers;

use std::path::Path;

use brainmae_signals::ConfoundTable;
use brainmae_signals::confounds::{ConfoundColumn as Column, MOTION};

use crate::error::{ConfoundProblem, StudyError};
use crate::listing::ConfoundFile;
use bids_columns::{Cells, read_columns};
pub use comp_cor::sidecar;
pub use outliers::{read_outliers, rebuild_censored};

const FD: &str = "framewise_displacement";

/// Reads the confounds of a scan of `n_volumes`.
///
/// - HCP: 6 or more columns without a header; the first 6 are used. Rotations are converted
///   from degrees to radians.
/// - fMRIPrep and XCP-D: columns are found by name; unknown columns are ignored. The first cell
///   of `framewise_displacement` may be `n/a`, which becomes 0; other confounds may have missing
///   values anywhere. For fMRIPrep, an optional JSON file with the same name as the table gives
///   the tissues of the aCompCor components.
///
/// # Errors
/// [`StudyError::Files`]; [`StudyError::Confounds`] with line and column for a cell that is not a
/// number, for a missing column, and when there is not one row per volume; [`StudyError::Sidecar`]
/// for a JSON file that cannot be parsed.
pub fn read_confounds(file: &ConfoundFile, n_volumes: usize) -> Result<ConfoundTable, StudyError> {
    let (path, table) = match file {
        ConfoundFile::Hcp(path) => (path, hcp::read(path)?),
        ConfoundFile::Fmriprep(path) => (path, read_fmriprep(path)?),
        ConfoundFile::Xcpd(path) => (path, read_xcpd(path)?),
    };
    if table.n_volumes == n_volumes {
        return Ok(table);
    }
    let problem = ConfoundProblem::Rows {
        found: table.n_volumes,
        expected: n_volumes,
    };
    Err(StudyError::confounds(path, None, problem))
}

fn read_fmriprep(path: &Path) -> Result<ConfoundTable, StudyError> {
    let (n_volumes, mut columns) = read_columns(path, |name| match name {
        "white_matter" | "csf" | "global_signal" => Some(Cells::MayMiss),
        _ if comp_cor::number(name).is_some() => Some(Cells::MayMiss),
        _ if comp_cor::is_of_one_tissue(name) || is_non_steady_state(name) => Some(Cells::Unread),
        _ => motion_cells(name),
    })?;
    let [white_matter, csf, global_signal] =
        ["white_matter", "csf", "global_signal"].map(|name| take(&mut columns, name));
    let components = columns
        .extract_if(.., |column| comp_cor::number(&column.name).is_some())
        .collect();
    let count = |is: fn(&str) -> bool| columns.iter().filter(|column| is(&column.name)).count();
    let non_steady_state = count(is_non_steady_state);
    let names_tissues = count(comp_cor::is_of_one_tissue) > 0;
    Ok(ConfoundTable {
        white_matter,
        csf,
        global_signal,
        a_comp_cor: comp_cor::of_table(path, components, names_tissues)?,
        non_steady_state: Some(non_steady_state),
        ..motion_table(path, n_volumes, columns)?
    })
}

fn read_xcpd(path: &Path) -> Result<ConfoundTable, StudyError> {
    let (n_volumes, columns) = read_columns(path, motion_cells)?;
    motion_table(path, n_volumes, columns)
}

fn is_motion(name: &str) -> bool {
    name == FD || MOTION.contains(&name)
}

fn motion_cells(name: &str) -> Option<Cells> {
    match name {
        FD => Some(Cells::MeasuredButFirst),
        _ if is_motion(name) => Some(Cells::Measured),
        _ => None,
    }
}

fn is_non_steady_state(name: &str) -> bool {
    name.starts_with("non_steady_state_outlier")
}

fn take(columns: &mut Vec<Column>, name: &str) -> Option<Vec<f64>> {
    let at = columns.iter().position(|column| column.name == name)?;
    Some(columns.swap_remove(at).values)
}

/// A table with all six motion parameters, with the framewise displacement, or with both.
fn motion_table(
    path: &Path,
    n_volumes: usize,
    mut columns: Vec<Column>,
) -> Result<ConfoundTable, StudyError> {
    let framewise_displacement_mm = take(&mut columns, FD);
    let found = MOTION.map(|name| take(&mut columns, name));
    let missing = found.iter().position(Option::is_none);
    let has_some = found.iter().any(Option::is_some);
    let motion = match missing {
        None => Some(found.map(Option::unwrap_or_default)),
        Some(_) if !has_some && framewise_displacement_mm.is_some() => None,
        Some(at) => {
            let problem = ConfoundProblem::MissingMotion { column: MOTION[at] };
            return Err(StudyError::confounds(path, 1, problem));
        }
    };
    Ok(ConfoundTable {
        n_volumes,
        motion,
        framewise_displacement_mm,
        ..ConfoundTable::default()
    })
}

#[cfg(test)]
mod tests;

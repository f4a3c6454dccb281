//! `Movement_Regressors.txt` of the HCP: columns of numbers without a header.

use std::path::Path;

use brainmae_signals::ConfoundTable;
use brainmae_signals::confounds::MOTION;

use crate::error::StudyError;

/// Reads the six motion parameters; their derivatives, in the columns after them, are not used.
pub(super) fn read(path: &Path) -> Result<ConfoundTable, StudyError> {
    let bytes = std::fs::read(path).map_err(StudyError::io("read", path))?;
    let refuse = |line: usize, problem: String| StudyError::TextTable {
        path: path.to_owned(),
        line: line as u64,
        problem,
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(line, "this is no UTF-8 text".to_owned())
    })?;
    let mut motion: [Vec<f64>; 6] = Default::default();
    for (number, line) in text.lines().enumerate() {
        let n_cells = line.split_whitespace().count();
        if n_cells == 0 {
            continue;
        }
        if n_cells != 6 && n_cells != 12 {
            let problem = format!("{n_cells} columns, expected 12, or 6 without derivatives");
            return Err(refuse(number + 1, problem));
        }
        for (at, cell) in line.split_whitespace().take(6).enumerate() {
            let value: Option<f64> = cell.parse().ok().filter(|value: &f64| value.is_finite());
            let Some(value) = value else {
                let start: String = cell.chars().take(40).collect();
                let problem = format!(
                    "column {} ({}) has {start:?}, expected a number",
                    at + 1,
                    MOTION[at]
                );
                return Err(refuse(number + 1, problem));
            };
            let is_rotation = at >= 3;
            motion[at].push(if is_rotation {
                value.to_radians()
            } else {
                value
            });
        }
    }
    Ok(ConfoundTable {
        n_volumes: motion[0].len(),
        motion: Some(motion),
        ..ConfoundTable::default()
    })
}
